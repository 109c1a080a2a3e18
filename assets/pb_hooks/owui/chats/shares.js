// @ts-check

/** Snapshots of chats, which are what is shared; and the sharing of a chat. */

const { tables, arg, query } = require("../lib/rows.js");
const { NOW, execute } = require("../lib/bulk.js");
const { HISTORY, wholeOne } = require("./history.js");

/** What is looked for in a message `m`, in lower case. */
const OF_MESSAGE = tables.chat_message.search?.text.replaceAll("{row}", "m");

/** The body of chat `c` with its messages. */
const BODY = `iif(json_type(c.chat, '$.history.messages') = 'object',
  json_set(c.chat, '$.history.messages', json(${HISTORY})), c.chat)`;

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
  c.legacy_folded || char(30) || coalesce((SELECT group_concat(${OF_MESSAGE}, char(30)) FROM owui_chat_messages m
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
 * SQL that brings a snapshot up to date.
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

const TIME = `, updated_at = ${arg("now")}`;
const MODE_BEFORE = "coalesce(s.chat -> '$.share_mode', 'null')";
const OF_CHAT = `SELECT coalesce((SELECT c.share_id FROM owui_chats c WHERE c.id = ${arg("chat_id")}), '-') AS json`;

const SHARE = insertSnapshot("c.user_id", "'null'");
const SHARE_AGAIN = updateSnapshot(
  MODE_BEFORE,
  `s.id = (SELECT share_id FROM owui_chats WHERE id = ${arg("chat_id")})`,
  TIME,
);
const NAME_SHARE = `UPDATE owui_chats SET share_id = ${arg("id")}, updated = ${NOW} WHERE id = ${arg("chat_id")}`;

const writes = {
  /**
   * Share a chat, or bring its snapshot up to date; the answer is the chat as a whole.
   *
   * @param {CoreApp} tx
   * @param {any} args `id` of a new snapshot
   * @param {string} body
   */
  share_chat(tx, args, body) {
    const share = query(tx, OF_CHAT, body);
    if (share === "-") {
      return "null";
    }
    if (share) {
      execute(tx, SHARE_AGAIN, body);
    } else {
      execute(tx, SHARE, body);
      execute(tx, NAME_SHARE, body);
    }
    return "true";
  },
};

const answers = { share_chat: wholeOne(`FROM owui_chats c WHERE c.id = ${arg("chat_id")}`) };

module.exports = { reads: {}, writes, answers, insertSnapshot, updateSnapshot };
