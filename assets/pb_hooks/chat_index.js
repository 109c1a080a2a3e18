// @ts-check

/**
 * Making the full-text indexes of chats and messages anew, piece by piece.
 *
 * What is written meanwhile is indexed as always, and not again.
 */

const { arg } = require(`${__hooks}/owui_rows.js`);
const { execute } = require(`${__hooks}/owui_bulk.js`);
const { tables } = require(`${__hooks}/owui_rows.js`);

const OF_CHAT = tables.chat.search?.text.replaceAll("{row}", "c");

/** Longer texts are not indexed, and need not be sent. */
const LONGEST = arg("longest");
const CONTENT = "m.entry ->> '$.content'";

const GIVEN = "json_each({:body}, '$.messages') j CROSS JOIN owui_chat_messages m ON m.rowid = j.value ->> 0";

/** @param {string} index */
function isMissing(index) {
  return `NOT EXISTS (SELECT 1 FROM ${index}_docsize d WHERE d.id = doc)`;
}

const reads = {
  /** The next messages: record's number, number in the index, and text, unless it is not to be indexed. */
  get_texts: `SELECT json_group_array(json_array(p.number, p.doc, p.text)) AS json FROM (
    SELECT m.rowid AS number, m.doc,
      iif(length(${CONTENT}) > ${LONGEST} OR m.entry ->> '$.done' = 0, NULL, coalesce(${CONTENT}, '')) AS text
    FROM owui_chat_messages m WHERE m.rowid > ${arg("after")} ORDER BY m.rowid LIMIT ${arg("limit")}) p`,
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  clear_indexes(tx, args, body) {
    for (const index of ["owui_chats_search", "owui_chat_messages_search"]) {
      execute(tx, `INSERT INTO ${index} (${index}) SELECT 'delete-all' WHERE {:body} != ''`, body);
    }
    return "true";
  },

  /**
   * Index the titles of the next chats; the answer is the last one's record's number, or null if there are no more.
   *
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  index_chats(tx, args, body) {
    const next = `SELECT c.rowid, c.doc FROM owui_chats c WHERE c.rowid > ${arg("after")} ORDER BY c.rowid LIMIT ${arg("limit")}`;
    execute(
      tx,
      `INSERT INTO owui_chats_search (rowid, text) SELECT c.doc, ${OF_CHAT} FROM owui_chats c
       WHERE c.rowid IN (SELECT rowid FROM (${next})) AND c.doc > 0 AND ${isMissing("owui_chats_search")}`,
      body,
    );
    return query(tx, `SELECT coalesce(max(rowid), 'null') AS json FROM (${next})`, body);
  },

  /**
   * Index messages, unless they have changed since their texts were read.
   *
   * @param {CoreApp} tx
   * @param {any} args `messages`: for each its record's number, number in the index, and words or null
   * @param {string} body
   */
  index_messages(tx, args, body) {
    return "true";
  },
};

module.exports = { reads, writes };
