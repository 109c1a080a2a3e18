// @ts-check

/** Deleting chats with their messages and snapshots. */

const { tables, arg, given, matches, query } = require("../lib/rows.js");
const { execute } = require("../lib/bulk.js");
const { BY_ID } = require("./_columns.js");
const { OF_USER } = require("./_filters.js");
const { NEW_VERSION } = require("./_records.js");
const { deleteSnapshots } = require("./_snapshot.js");

/** Chats whose deletion is one transaction: others want to write meanwhile. */
const CHATS_AT_ONCE = 100;

/**
 * Delete chats with their messages; reply whether there may be more, which takes another call.
 *
 * @param {CoreApp} tx
 * @param {string} body
 * @param {string} which
 * @param {boolean} withShares whether their snapshots go as well
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
 * Delete a chat if it is one of these, its messages and its snapshots. A chat that stays keeps its body.
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
  execute(tx, deleteSnapshots("chat_id", "id"), body);
  return "true";
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   * @param {string} body
   */
  delete_chat_by_id(tx, args, body) {
    return deleteOne(tx, body, BY_ID);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, user_id: string }} args
   * @param {string} body
   */
  delete_chat_by_id_and_user_id(tx, args, body) {
    return deleteOne(tx, body, `${BY_ID} AND ${OF_USER}`);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_id: string }} args
   * @param {string} body
   */
  delete_chats_by_user_id(tx, args, body) {
    return deleteSome(tx, body, OF_USER, false);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_id: string, folder_id: string }} args
   * @param {string} body
   */
  delete_chats_by_user_id_and_folder_id(tx, args, body) {
    return deleteSome(tx, body, `${OF_USER} AND ${matches(tables.chat, "c", "folder_id")}`, true);
  },
};

module.exports = { writes };
