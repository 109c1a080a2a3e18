// @ts-check

/** The host's table `chat_message`, read; it is written with the chat: chat_history.js. */

const { tables, arg, value, matches, one } = require("../lib/rows.js");
const usage = require("./analytics.js");

/** @type {import("../lib/rows.js").Table} */
const MESSAGE = tables.chat_message;

const SCALARS = MESSAGE.columns
  .filter(({ type }) => type !== "json")
  .map(({ name }) => value(MESSAGE, "m", name));
const TEXTS = [...MESSAGE.columns.filter(({ type }) => type === "json").map(({ field }) => field), "same"];

/**
 * A row: its scalar columns as the host knows them; its JSON columns, as they are stored, for parsing them takes
 * longer; the names of those which the entry has; and the entry if there are any.
 */
const ROW = `'[' || json_array(${SCALARS.join(", ")}) || ',' || ${TEXTS.map(
  (field) => `coalesce(nullif(m.${field}, ''), 'null')`,
).join(" || ',' || ")} || ',' || iif(m.same != '[]', m.entry, 'null') || ']'`;

/**
 * SQL that answers with rows.
 *
 * @param {string} rest from FROM on, without ORDER BY; the messages are `m`
 * @param {string} order
 */
function rows(rest, order) {
  return `SELECT '[' || coalesce(group_concat(${ROW}, ',' ORDER BY ${order}), '') || ']' AS json ${rest}`;
}

/**
 * SQL that answers with some rows, the newest first.
 *
 * @param {string} rest from FROM on
 */
function newest(rest) {
  return rows(
    `FROM (SELECT m.rowid AS r ${rest} ORDER BY m.created_at DESC, m.rowid DESC
       LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0)) p
     CROSS JOIN owui_chat_messages m ON m.rowid = p.r`,
    "m.created_at DESC, m.rowid DESC",
  );
}

const OF_CHAT = `FROM owui_chat_messages m WHERE m.has_row = TRUE AND m.chat_id = ${arg("chat_id")}`;

const reads = {
  ...usage.reads,
  get_message_by_id: one(
    `SELECT ${ROW} FROM owui_chat_messages m WHERE m.has_row = TRUE AND m.key = ${arg("id")}`,
  ),
  has_unfinished_assistant_by_chat_id: `SELECT EXISTS (SELECT 1 ${OF_CHAT} AND m.role = 'assistant'
    AND m.done = FALSE AND ${value(MESSAGE, "m", "done")} IS NOT NULL) AS json`,
  get_messages_by_chat_id: rows(OF_CHAT, "m.created_at, m.rowid"),
  get_messages_map_by_chat_id: rows(OF_CHAT, "m.rowid"),
  get_keys_by_chat_id: `SELECT json_group_array(m.key) AS json ${OF_CHAT}`,
  get_messages_by_user_id: newest(
    `FROM owui_chat_messages m WHERE m.has_row = TRUE AND ${matches(MESSAGE, "m", "user_id")}`,
  ),
  get_messages_by_model_id: (/** @type {any} */ args) =>
    newest(usage.among(args, matches(MESSAGE, "m", "model_id"))),
};

const writes = {};

module.exports = { reads, writes };
