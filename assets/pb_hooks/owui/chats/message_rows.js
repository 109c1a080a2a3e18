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

const reads = {
  ...analytics.reads,
  get_message_by_id: one(`SELECT ${ROW} FROM owui_chat_messages m WHERE ${IS_ROW} AND m.key = ${arg("id")}`),
  has_unfinished_assistant_by_chat_id: `SELECT EXISTS (SELECT 1 FROM owui_chat_messages m
    WHERE m.chat_id = ${arg("chat_id")} AND ${STREAMS} AND ${kept("m")}) AS json`,
  get_messages_by_chat_id: rows(OF_CHAT, "m.created_at, m.rowid"),
  get_messages_map_by_chat_id: rows(OF_CHAT, "m.rowid"),
  get_keys_by_chat_id: `SELECT json_group_array(m.key) AS json ${OF_CHAT}`,
  get_messages_by_user_id: newest(
    `FROM owui_chat_messages m WHERE ${IS_ROW} AND ${matches(MESSAGE, "m", "user_id")}`,
  ),
  get_messages_by_model_id: (/** @type {Asked} */ args) =>
    newest(analytics.among(args, matches(MESSAGE, "m", "model_id"))),
};

module.exports = { reads };
