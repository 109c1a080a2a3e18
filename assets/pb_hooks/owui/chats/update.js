// @ts-check

/** Changing columns of chats: marks and places. What changes the body is a write like those of messages. */

const { tables, arg, value, matches, row, one, query } = require("../lib/rows.js");
const { BY_ID, change, changing } = require("./_columns.js");
const { ACTIVE, INTERNAL, IN_FOLDERS, LISTED, OF_USER } = require("./_filters.js");

/** @typedef {import("./_columns.js").Changes} Changes */

const CHAT = tables.chat;

/** The chat without its messages: hardly anybody looks at these. */
const ROW = one(`SELECT ${row(CHAT, "c")} FROM owui_chats c WHERE ${BY_ID}`);
const READABLE = `${ACTIVE} AND ${INTERNAL} IS NOT TRUE`;

/**
 * Set `last_read_at` to the time of the last change; reply with the number of chats that are read now.
 *
 * @param {CoreApp} tx
 * @param {Changes} args
 * @param {string} body
 * @param {string} which
 */
function markRead(tx, args, body, which) {
  const number = query(tx, `SELECT count(*) AS json FROM owui_chats c WHERE ${which}`, body);
  // Those that are read already need not be written.
  const differs = `${value(CHAT, "c", "last_read_at")} IS NOT ${value(CHAT, "c", "updated_at")}`;
  change(tx, args, body, `${which} AND ${differs}`, ["last_read_at = updated_at"]);
  return String(number);
}

const writes = {
  /** Set columns that do not depend on anything; reply with the row, for hardly anybody looks at the whole. */
  update_chat: changing(BY_ID),
  toggle_chat_pinned_by_id: changing(BY_ID, ["pinned = NOT pinned"]),
  toggle_chat_archive_by_id: changing(BY_ID, ["archived = NOT archived"]),
  update_chat_folder_id: changing(BY_ID, [
    `last_read_at = iif(${value(CHAT, "c", "user_id")} IS ${arg("user_id")},
      ${arg("changes.updated_at")}, last_read_at)`,
  ]),
  mark_chat_unread_by_id: changing(`${BY_ID} AND ${OF_USER}`),

  /**
   * Note when the owner looked at the chat; reply whether it was unread, or with null.
   *
   * @param {CoreApp} tx
   * @param {Changes & { id: string, user_id: string }} args
   * @param {string} body
   */
  update_chat_last_read_at_by_id(tx, args, body) {
    const unread = `iif(${value(CHAT, "c", "last_read_at")} IS NULL OR c.updated_at > c.last_read_at, 'true', 'false')`;
    const reply = query(tx, one(`SELECT ${unread} FROM owui_chats c WHERE ${BY_ID} AND ${OF_USER}`), body);
    change(tx, args, body, `${BY_ID} AND ${OF_USER}`);
    return reply;
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { user_id: string, folder_ids: string[] }} args
   * @param {string} body
   */
  mark_chats_read_by_folder_ids(tx, args, body) {
    return markRead(tx, args, body, `${OF_USER} AND ${IN_FOLDERS} AND ${READABLE}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { user_id: string }} args
   * @param {string} body
   */
  mark_chats_read_by_user_id(tx, args, body) {
    return markRead(tx, args, body, `${OF_USER} AND ${READABLE}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { user_id: string }} args
   * @param {string} body
   */
  archive_all_chats_by_user_id(tx, args, body) {
    const differs = `NOT (c.archived = TRUE AND ${value(CHAT, "c", "folder_id")} IS NULL)`;
    change(tx, args, body, `${OF_USER} AND ${differs}`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { user_id: string }} args
   * @param {string} body
   */
  unarchive_all_chats_by_user_id(tx, args, body) {
    change(tx, args, body, `${OF_USER} AND ${value(CHAT, "c", "archived")} IS NOT FALSE`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { folder_id: string }} args `changes` has the new folder
   * @param {string} body
   */
  move_chats_by_folder_id(tx, args, body) {
    change(tx, args, body, matches(CHAT, "c", "folder_id"));
    return "true";
  },
};

const answers = {
  update_chat: ROW,
  toggle_chat_pinned_by_id: ROW,
  toggle_chat_archive_by_id: ROW,
  update_chat_folder_id: ROW,
  mark_chat_unread_by_id: one(`SELECT ${LISTED} FROM owui_chats c WHERE ${BY_ID}`),
};

module.exports = { writes, answers };
