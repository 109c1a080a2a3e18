// @ts-check

/** Making, updating and deleting snapshots of chats, which are what is shared. */

const { arg } = require("../lib/rows.js");
const { NOW } = require("../lib/bulk.js");
const { HISTORY } = require("./_whole.js");
const { SQL_SEPARATOR } = require("../lib/texts.js");
const { OF_MESSAGE } = require("./_texts.js");

/** The body of chat `c` with its messages. */
const BODY = `iif(json_type(c.chat, '$.history.messages') = 'object',
  json_set(c.chat, '$.history.messages', json(${HISTORY})), c.chat)`;

/** The share mode of snapshot `s` as JSON. */
const MODE_BEFORE = "coalesce(s.chat -> '$.share_mode', 'null')";

/** An assignment: the snapshot changes now. */
const TIME = `, updated_at = ${arg("now")}`;

/**
 * SQL of a snapshot of chat `c`.
 *
 * @param {string} mode SQL of the share mode as JSON
 */
function snapshot(mode) {
  return `json_set(${BODY}, '$.share_mode', json(${mode}))`;
}

/** The title of chat `c` as it is kept with a snapshot, and whether it is None; and what is searched, its texts. */
const TITLE = `c.title, c.title_folded, iif(c.title = '' AND instr(c.nulls, '"title"'), '["title"]', '[]'),
  c.legacy_folded || ${SQL_SEPARATOR} || coalesce((SELECT group_concat(${OF_MESSAGE}, ${SQL_SEPARATOR})
    FROM owui_chat_messages m
    WHERE m.chat_id = c.id AND m.position > 0 AND json_type(m.entry, '$.content') = 'text'), '')`;

/**
 * SQL that makes a new snapshot.
 *
 * @param {string} owner SQL of who shares
 * @param {string} mode SQL of the share mode as JSON
 */
function insertSnapshot(owner, mode) {
  return `INSERT INTO owui_shared_chats
    (title, title_folded, nulls, text_folded, id, chat_id, user_id, chat, created_at, updated_at, created, updated)
    SELECT ${TITLE}, ${arg("id")}, c.id, ${owner}, ${snapshot(mode)}, ${arg("now")}, ${arg("now")}, ${NOW}, ${NOW}
    FROM owui_chats c WHERE c.id = ${arg("chat_id")}`;
}

/**
 * SQL that updates a snapshot.
 *
 * @param {string} mode SQL of the share mode as JSON
 * @param {string} which SQL of the condition on the snapshot `s`
 * @param {string} more further assignments
 */
function updateSnapshot(mode, which, more = "") {
  return `UPDATE owui_shared_chats AS s SET (title, title_folded, nulls, text_folded, chat) = (SELECT ${TITLE}, ${snapshot(mode)}
      FROM owui_chats c WHERE c.id = s.chat_id), updated = ${NOW}${more}
    WHERE ${which} AND EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = s.chat_id)`;
}

/**
 * SQL that deletes the snapshots with a column's given value.
 *
 * @param {"id" | "chat_id" | "user_id"} column
 * @param {string} parameter
 */
function deleteSnapshots(column, parameter = column) {
  return `DELETE FROM owui_shared_chats WHERE ${column} = ${arg(parameter)}`;
}

module.exports = { MODE_BEFORE, TIME, insertSnapshot, updateSnapshot, deleteSnapshots };
