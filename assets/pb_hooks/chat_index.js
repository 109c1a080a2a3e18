// @ts-check

/**
 * The full-text indexes of chats and messages: adding the messages that wait for it, and making both anew, piece by
 * piece.
 *
 * The words are made by who calls. A message whose text has changed since it was read is left as it is.
 */

const { tables, arg, query } = require(`${__hooks}/owui_rows.js`);
const { newDoc, execute } = require(`${__hooks}/owui_bulk.js`);

const OF_CHAT = tables.chat.search?.text.replaceAll("{row}", "c");

const CONTENT = "coalesce(CAST(m.entry ->> '$.content' AS TEXT), '')";
const IS_NUMBER = "json_type(m.entry, '$.content') IN ('integer', 'real', 'true', 'false')";

/** The next chats. */
const CHATS = `SELECT c.rowid AS number FROM owui_chats c WHERE c.rowid > ${arg("after")}
  ORDER BY c.rowid LIMIT ${arg("limit")}`;

const INDEX_CHATS = `INSERT INTO owui_chats_search (rowid, text) SELECT c.doc, ${OF_CHAT} FROM owui_chats c
  WHERE c.rowid IN (${CHATS}) AND c.doc > 0
    AND NOT EXISTS (SELECT 1 FROM owui_chats_search_docsize d WHERE d.id = c.doc)`;

/** The message has the text that was read; without text it is not indexed, which is always right. */
const IS_AS_READ = `m.id = j.value ->> '$.id' AND (j.value ->> '$.text' IS NULL OR ${CONTENT} = j.value ->> '$.text')`;

/** Those that were not indexed and are now, or the other way round, get another number. */
const NUMBER_MESSAGES = `UPDATE owui_chat_messages AS m SET waits = FALSE,
  doc = iif(sign(m.doc) = j.value ->> '$.doc', m.doc, ${newDoc("owui_chat_messages", "j")})
  FROM json_each({:body}, '$.messages') j
  WHERE ${IS_AS_READ} AND (m.waits = TRUE OR sign(m.doc) != j.value ->> '$.doc')`;

const INDEX_MESSAGES = `INSERT INTO owui_chat_messages_search (rowid, text) SELECT m.doc, j.value ->> '$.words'
  FROM json_each({:body}, '$.messages') j CROSS JOIN owui_chat_messages m ON ${IS_AS_READ}
  WHERE m.doc > 0 AND j.value ->> '$.doc' = 1
    AND NOT EXISTS (SELECT 1 FROM owui_chat_messages_search_docsize d WHERE d.id = m.doc)`;

const reads = {
  /** Messages that wait: record's id and text. */
  get_waiting: `SELECT json_group_array(json_array(p.id, p.text)) AS json FROM (
    SELECT m.id, ${CONTENT} AS text FROM owui_chat_messages m WHERE m.waits = TRUE LIMIT ${arg("limit")}) p`,

  /** The next messages: record's id, and text, unless it is not to be indexed. */
  get_texts: `SELECT json_group_array(json_array(p.id, p.text)) AS json FROM (
    SELECT m.id,
      iif(length(${CONTENT}) > ${arg("longest")} OR json_type(m.entry, '$.done') = 'false' OR ${IS_NUMBER},
        NULL, ${CONTENT}) AS text
    FROM owui_chat_messages m WHERE m.id > ${arg("after")} ORDER BY m.id LIMIT ${arg("limit")}) p`,
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
    execute(tx, INDEX_CHATS, body);
    return query(tx, `SELECT coalesce(max(number), 'null') AS json FROM (${CHATS})`, body);
  },

  /**
   * Index messages, unless they have changed since their texts were read.
   *
   * @param {CoreApp} tx
   * @param {any} args `messages`: of each its record's `id`; the `text` that was read; `doc`, 1 or, if it is not to be
   *   indexed, -1; and its `words`
   * @param {string} body
   */
  index_messages(tx, args, body) {
    execute(tx, NUMBER_MESSAGES, body);
    execute(tx, INDEX_MESSAGES, body);
    return "true";
  },
};

module.exports = { reads, writes };
