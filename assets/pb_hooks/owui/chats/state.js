// @ts-check

/**
 * Changes of chats besides what is said in them: marks, places, links; and the end of chats.
 *
 * Each is one UPDATE of the columns it is about. It leaves the chat's version alone, for it does not get in the way
 * of those who write messages meanwhile.
 */

const { tables, arg, given, value, matches, row, one, query } = require("../lib/rows.js");
const { assignments, execute } = require("../lib/bulk.js");
const { wholeOne, NEW_VERSION } = require("./history.js");
const { LISTED, ACTIVE, INTERNAL } = require("./lists.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = tables.chat;

const BY_ID = `c.id = ${arg("id")}`;
const OF_USER = matches(CHAT, "c", "user_id");
const WHOLE = wholeOne(`FROM owui_chats c WHERE ${BY_ID}`);
const READABLE = `${ACTIVE} AND ${INTERNAL} IS NOT TRUE`;

/** Chats whose deletion is one transaction: others want to write, too. */
const CHATS_AT_ONCE = 100;

/**
 * Change columns of chats; the answer is how many chats that was.
 *
 * @param {CoreApp} tx
 * @param {any} args `changes`, `columns` and `nones` of the columns
 * @param {string} body
 * @param {string} which SQL of the chats; they are `c`
 * @param {string[]} further assignments
 */
function change(tx, args, body, which, further = []) {
  const set = [...further, assignments(CHAT, Object.keys(args.changes))].join(", ");
  return execute(tx, `UPDATE owui_chats AS c SET ${set} WHERE ${which}`, body);
}

/**
 * Set `last_read_at` to the time of the last change; the answer is how many chats are read now.
 *
 * @param {CoreApp} tx
 * @param {any} args
 * @param {string} body
 * @param {string} which
 */
function markRead(tx, args, body, which) {
  const number = query(tx, `SELECT count(*) AS json FROM owui_chats c WHERE ${which}`, body);
  // Those who are need no new record.
  const unlike = `${value(CHAT, "c", "last_read_at")} IS NOT ${value(CHAT, "c", "updated_at")}`;
  change(tx, args, body, `${which} AND ${unlike}`, ["last_read_at = updated_at"]);
  return String(number);
}

/**
 * Delete chats with their messages; the answer is whether there may be more, for which it takes another call.
 *
 * @param {CoreApp} tx
 * @param {string} body
 * @param {string} which
 * @param {boolean} withShares whether all links to them go, too
 */
function deleteSome(tx, body, which, withShares) {
  const chats = `SELECT c.id FROM owui_chats c WHERE ${which} LIMIT ${CHATS_AT_ONCE}`;
  const ids = query(tx, `SELECT json_group_array(id) AS json FROM (${chats})`, body);
  for (const which of [
    "owui_chat_messages WHERE chat_id",
    ...(withShares ? ["owui_shared_chats WHERE chat_id"] : []),
    "owui_chats WHERE id",
  ]) {
    execute(tx, `DELETE FROM ${which} IN ${given("ids")}`, `{"ids":${ids}}`);
  }
  return String(JSON.parse(ids).length === CHATS_AT_ONCE);
}

/**
 * Delete a chat if it is one of these, its messages and the links to it. Of a chat that stays, its body stays, too.
 *
 * @param {CoreApp} tx
 * @param {string} body
 * @param {string} which
 */
function deleteOne(tx, body, which) {
  const stays = !execute(tx, `DELETE FROM owui_chats AS c WHERE ${which}`, body);
  const ofChat = `owui_chat_messages WHERE chat_id = ${arg("id")}`;
  execute(tx, `DELETE FROM ${ofChat} ${stays ? "AND position = 0" : ""}`, body);
  if (stays) {
    execute(
      tx,
      `UPDATE owui_chat_messages SET has_row = FALSE, same = '[]' WHERE chat_id = ${arg("id")}`,
      body,
    );
    execute(tx, `UPDATE owui_chats AS c SET version = ${NEW_VERSION} WHERE ${BY_ID}`, body);
  }
  execute(tx, `DELETE FROM owui_shared_chats WHERE chat_id = ${arg("id")}`, body);
  return "true";
}

/**
 * A write that changes one chat, or answers with null.
 *
 * @param {string} which
 * @param {string[]} further assignments
 * @returns {import("../methods.js").Write}
 */
function changing(which, further = []) {
  return (tx, args, body) => (change(tx, args, body, which, further) ? "true" : "null");
}

const writes = {
  /** Set columns which do not depend on anything; answer with the row, for hardly anybody looks at the whole. */
  update_chat: changing(BY_ID),
  toggle_chat_pinned_by_id: changing(BY_ID, ["pinned = NOT pinned"]),
  toggle_chat_archive_by_id: changing(BY_ID, ["archived = NOT archived"]),
  update_chat_folder_id: changing(BY_ID, [
    `last_read_at = iif(${value(CHAT, "c", "user_id")} IS ${arg("user_id")},
      ${arg("changes.updated_at")}, last_read_at)`,
  ]),
  mark_chat_unread_by_id: changing(`${BY_ID} AND ${OF_USER}`),

  /**
   * Note when the owner looked at the chat; answer whether there was something new, or with null.
   *
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  update_chat_last_read_at_by_id(tx, args, body) {
    const unread = `iif(${value(CHAT, "c", "last_read_at")} IS NULL OR c.updated_at > c.last_read_at, 'true', 'false')`;
    const answer = query(tx, one(`SELECT ${unread} FROM owui_chats c WHERE ${BY_ID} AND ${OF_USER}`), body);
    change(tx, args, body, `${BY_ID} AND ${OF_USER}`);
    return answer;
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  mark_chats_read_by_folder_ids(tx, args, body) {
    const inFolders = `c.folder_id IN ${given("folder_ids")} AND ${value(CHAT, "c", "folder_id")} IS NOT NULL`;
    return markRead(tx, args, body, `${OF_USER} AND ${inFolders} AND ${READABLE}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  mark_chats_read_by_user_id(tx, args, body) {
    return markRead(tx, args, body, `${OF_USER} AND ${READABLE}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  archive_all_chats_by_user_id(tx, args, body) {
    const unlike = `NOT (c.archived = TRUE AND ${value(CHAT, "c", "folder_id")} IS NULL)`;
    change(tx, args, body, `${OF_USER} AND ${unlike}`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  unarchive_all_chats_by_user_id(tx, args, body) {
    change(tx, args, body, `${OF_USER} AND ${value(CHAT, "c", "archived")} IS NOT FALSE`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args `changes` has the new folder
   * @param {string} body
   */
  move_chats_by_folder_id(tx, args, body) {
    change(tx, args, body, matches(CHAT, "c", "folder_id"));
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_shared_chats_by_user_id(tx, args, body) {
    execute(tx, `DELETE FROM owui_shared_chats WHERE user_id = ${arg("user_id")}`, body);
    change(tx, args, body, `${OF_USER} AND ${value(CHAT, "c", "share_id")} IS NOT NULL`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_chat_by_id(tx, args, body) {
    return deleteOne(tx, body, BY_ID);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_chat_by_id_and_user_id(tx, args, body) {
    return deleteOne(tx, body, `${BY_ID} AND ${OF_USER}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_chats_by_user_id(tx, args, body) {
    return deleteSome(tx, body, OF_USER, false);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_chats_by_user_id_and_folder_id(tx, args, body) {
    return deleteSome(tx, body, `${OF_USER} AND ${matches(CHAT, "c", "folder_id")}`, true);
  },
};

const answers = {
  update_chat: one(`SELECT ${row(CHAT, "c")} FROM owui_chats c WHERE ${BY_ID}`),
  toggle_chat_pinned_by_id: WHOLE,
  toggle_chat_archive_by_id: WHOLE,
  update_chat_folder_id: WHOLE,
  mark_chat_unread_by_id: one(`SELECT ${LISTED} FROM owui_chats c WHERE ${BY_ID}`),
};

module.exports = { writes, answers };
