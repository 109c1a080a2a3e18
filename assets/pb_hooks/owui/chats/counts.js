// @ts-check

/** How many chats there are. */

const { tables, arg, value } = require("../lib/rows.js");
const { UNREAD, filtered } = require("./_filters.js");

const MESSAGE = tables.chat_message;

/** Seconds between a message and the one before it in its chat. */
const PAUSES = `SELECT m.chat_id, m.seconds - lag(m.seconds) OVER (PARTITION BY m.chat_id ORDER BY m.created_at) AS pause
  FROM (SELECT m.chat_id, m.created_at, iif(m.created_at > 10000000000, m.created_at / 1000, m.created_at) AS seconds
    ${filtered(["of_user", "visible"], "CROSS JOIN owui_chat_messages m")} AND m.chat_id = c.id
    AND m.has_row = TRUE AND ${value(MESSAGE, "m", "created_at")} IS NOT NULL) m`;

const reads = {
  count_chats: (/** @type {{ filters: string[] }} */ { filters }) =>
    `SELECT count(*) AS json ${filtered(filters)}`,

  count_unread_by_folder_ids: `SELECT json_group_array(json_array(folder_id, n) ORDER BY folder_id) AS json FROM (
    SELECT c.folder_id, count(*) AS n ${filtered(["of_user", "in_folders", "active"])} AND ${UNREAD}
      AND c.folder_id != '' GROUP BY c.folder_id)`,
  get_user_usage_chat_stats: `SELECT json_array((SELECT count(*) ${filtered(["of_user", "visible"])}),
    (SELECT coalesce(max(seconds), 0) FROM (SELECT sum(pause) AS seconds FROM (${PAUSES})
      WHERE pause > 0 AND pause <= ${arg("longest_pause")} GROUP BY chat_id))) AS json`,
};

module.exports = { reads };
