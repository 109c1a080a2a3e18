// @ts-check

/** The host's table `chat_message`, read; it is written with the chat: messages.js. */

const { tables, arg, matches, one } = require("../lib/rows.js");
const analytics = require("./analytics.js");
const { PAGE } = require("../lib/paging.js");
const { STREAMS } = require("./_filters.js");
const { kept } = require("./_remains.js");
const { ROW } = require("./_records.js");

/** @typedef {import("./analytics.js").Asked} Asked */

const { IS_ROW } = analytics;
const MESSAGE = tables.chat_message;

/**
 * SQL that returns rows.
 *
 * @param {string} rest from FROM on, without ORDER BY; the messages are `m`
 * @param {string} order
 */
function rows(rest, order) {
  return `SELECT '[' || coalesce(group_concat(${ROW}, ',' ORDER BY ${order}), '') || ']' AS json ${rest}`;
}

/**
 * SQL that returns some rows, the newest first.
 *
 * @param {string} rest from FROM on
 */
function newest(rest) {
  return rows(
    `FROM (SELECT m.rowid AS r ${rest} ORDER BY m.created_at DESC, m.rowid DESC
       ${PAGE}) p
     CROSS JOIN owui_chat_messages m ON m.rowid = p.r`,
    "m.created_at DESC, m.rowid DESC",
  );
}

const OF_CHAT = `FROM owui_chat_messages m WHERE ${IS_ROW} AND m.chat_id = ${arg("chat_id")}`;

/** A row of the chat that names a parent which has no row. */
const ORPHAN = `SELECT 1 ${OF_CHAT} AND m.parent_id != '' AND NOT EXISTS (
    SELECT 1 FROM owui_chat_messages p WHERE p.key = m.chat_id || '-' || m.parent_id
      AND p.has_row = TRUE AND p.chat_id = m.chat_id)`;

const reads = {
  ...analytics.reads,
  get_message_by_id: one(`SELECT ${ROW} FROM owui_chat_messages m WHERE ${IS_ROW} AND m.key = ${arg("id")}`),
  has_unfinished_assistant_by_chat_id: `SELECT EXISTS (SELECT 1 FROM owui_chat_messages m
    WHERE m.chat_id = ${arg("chat_id")} AND ${STREAMS} AND ${kept("m")}) AS json`,
  get_messages_by_chat_id: rows(OF_CHAT, "m.created_at, m.rowid"),
  get_messages_map_by_chat_id: rows(OF_CHAT, "m.rowid"),

  /** The chat's version, and whether it has rows and the parents of all of them. */
  are_linked: `SELECT json_array((SELECT c.version FROM owui_chats c WHERE c.id = ${arg("chat_id")}),
    EXISTS (SELECT 1 ${OF_CHAT}) AND NOT EXISTS (${ORPHAN})) AS json`,
  get_keys_by_chat_id: `SELECT json_group_array(m.key) AS json ${OF_CHAT}`,
  get_messages_by_user_id: newest(
    `FROM owui_chat_messages m WHERE ${IS_ROW} AND ${matches(MESSAGE, "m", "user_id")}`,
  ),
  get_messages_by_model_id: (/** @type {Asked} */ args) =>
    newest(analytics.among(args, matches(MESSAGE, "m", "model_id"))),
};

module.exports = { reads };
