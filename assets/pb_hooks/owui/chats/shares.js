// @ts-check

/** Sharing chats; what is shared of a chat is a snapshot. */

const { tables, arg, value, many, query } = require("../lib/rows.js");
const { NOW, execute } = require("../lib/bulk.js");
const { change } = require("./_columns.js");
const { OF_USER } = require("./_filters.js");
const { MODE_BEFORE, TIME, insertSnapshot, updateSnapshot, deleteSnapshots } = require("./_snapshot.js");
const { wholeOne } = require("./_whole.js");

const CHAT = tables.chat;

const OF_CHAT = `SELECT coalesce((SELECT c.share_id FROM owui_chats c WHERE c.id = ${arg("chat_id")}), '-') AS json`;

const SHARE = insertSnapshot("c.user_id", "'null'");
const SHARE_AGAIN = updateSnapshot(
  MODE_BEFORE,
  `s.id = (SELECT share_id FROM owui_chats WHERE id = ${arg("chat_id")})`,
  TIME,
);
const NAME_SHARE = `UPDATE owui_chats SET share_id = ${arg("id")}, updated = ${NOW} WHERE id = ${arg("chat_id")}`;

const reads = {
  get_shared_chat_ids_by_file_id: many(
    "c.id",
    `FROM owui_chat_files f CROSS JOIN owui_chats c ON c.id = f.chat_id WHERE f.file_id = ${arg("file_id")}
      AND (${value(CHAT, "c", "share_id")} IS NOT NULL OR ${value(CHAT, "c", "folder_id")} IS NOT NULL)`,
    "f.rowid",
  ),
};

const writes = {
  /**
   * Share a chat, or update its snapshot; reply with the chat as a whole.
   *
   * @param {CoreApp} tx
   * @param {{ chat_id: string, id: string, now: number }} args `id` of a new snapshot
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

  /**
   * @param {CoreApp} tx
   * @param {import("./_columns.js").Changes & { user_id: string }} args
   * @param {string} body
   */
  delete_shared_chats_by_user_id(tx, args, body) {
    execute(tx, deleteSnapshots("user_id"), body);
    change(tx, args, body, `${OF_USER} AND ${value(CHAT, "c", "share_id")} IS NOT NULL`);
    return "true";
  },
};

const answers = { share_chat: wholeOne(`FROM owui_chats c WHERE c.id = ${arg("chat_id")}`) };

module.exports = { reads, writes, answers };
