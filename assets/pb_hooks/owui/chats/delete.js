// @ts-check

/** Deleting chats with their messages and snapshots. */

const { tables, arg, given, matches, truth, query } = require("../lib/rows.js");
const { execute, inSteps } = require("../lib/bulk.js");
const { mergeLater } = require("../lib/merges.js");
const { BY_ID } = require("./_columns.js");
const { OF_USER } = require("./_filters.js");
const { NEW_VERSION } = require("./_records.js");
const { BYTES, leaveMessages, deleteMessages } = require("./_remains.js");
const { deleteSnapshots } = require("./_snapshot.js");

const CHAT = tables.chat;

/** Chats that are deleted in one step, about 10 ms. */
const CHATS_AT_ONCE = 100;

/**
 * SQL of the ids of the next chats to delete: so many that they have the bytes of a step, one at least. Browsers
 * keep the messages of a branch in the body as well.
 *
 * @param {string} which condition on the chats, `c`
 */
function nextChats(which) {
  const before = "sum(s.size) OVER (ORDER BY s.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
  const some = `SELECT c.id, c.rowid AS place, octet_length(c.chat) + octet_length(c.legacy_folded) AS size
    FROM owui_chats c WHERE ${which} LIMIT ${CHATS_AT_ONCE}`;
  return `SELECT json_group_array(id) AS json FROM (SELECT s.id, ${before} AS before FROM (${some}) s)
    WHERE coalesce(before, 0) < ${BYTES}`;
}

/**
 * Delete chats and leave their messages; reply whether there may be more to do, which takes another call.
 *
 * @param {CoreApp} tx
 * @param {string} body
 * @param {string} which
 * @param {boolean} withShares whether their snapshots go as well
 */
function deleteSome(tx, body, which, withShares) {
  mergeLater(tx, CHAT);
  inSteps(() => {
    const ids = `{"ids":${query(tx, nextChats(which), body)}}`;
    if (withShares) {
      execute(tx, `DELETE FROM owui_shared_chats WHERE chat_id IN ${given("ids")}`, ids);
    }
    const deleted = execute(tx, `DELETE FROM owui_chats WHERE id IN ${given("ids")}`, ids);
    leaveMessages(tx, ids);
    return deleted === CHATS_AT_ONCE;
  });
  return query(tx, truth(`EXISTS (SELECT 1 FROM owui_chats c WHERE ${which})`), body);
}

/**
 * Delete a chat if it is one of these, its messages and its snapshots; reply whether messages remain. A chat that stays
 * keeps its body.
 *
 * @param {CoreApp} tx
 * @param {string} id
 * @param {string} body
 * @param {string} which
 */
function deleteOne(tx, id, body, which) {
  execute(tx, deleteSnapshots("chat_id", "id"), body);
  const stays = !execute(tx, `DELETE FROM owui_chats AS c WHERE ${which}`, body);
  if (!stays) {
    return String(deleteMessages(tx, JSON.stringify({ ids: [id] })));
  }
  mergeLater(tx, tables.chat_message);
  execute(tx, `DELETE FROM owui_chat_messages WHERE chat_id = ${arg("id")} AND position = 0`, body);
  execute(
    tx,
    `UPDATE owui_chat_messages SET has_row = FALSE, same = '[]' WHERE chat_id = ${arg("id")}`,
    body,
  );
  execute(tx, `UPDATE owui_chats AS c SET version = ${NEW_VERSION} WHERE ${BY_ID}`, body);
  return "false";
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   * @param {string} body
   */
  delete_chat_by_id(tx, { id }, body) {
    return deleteOne(tx, id, body, BY_ID);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, user_id: string }} args
   * @param {string} body
   */
  delete_chat_by_id_and_user_id(tx, { id }, body) {
    return deleteOne(tx, id, body, `${BY_ID} AND ${OF_USER}`);
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
    return deleteSome(tx, body, `${OF_USER} AND ${matches(CHAT, "c", "folder_id")}`, true);
  },
};

module.exports = { writes };
