// @ts-check

/**
 * The full-text indexes of chats and messages: adding what waits for them, and making both anew, piece by piece.
 *
 * The caller computes a message's words. A message whose text has changed since is skipped.
 */

const { arg, query } = require("../lib/rows.js");
const { OF_CHAT } = require("../chats/_texts.js");
const { newDoc, execute } = require("../lib/bulk.js");

const CONTENT = "coalesce(CAST(m.entry ->> '$.content' AS TEXT), '')";
const IS_NUMBER = "json_type(m.entry, '$.content') IN ('integer', 'real', 'true', 'false')";

/** The next chats. */
const CHATS = `SELECT c.rowid AS number FROM owui_chats c WHERE c.rowid > ${arg("after")}
  ORDER BY c.rowid LIMIT ${arg("limit")}`;

/** Chats that wait; what is longer than a message may be is looked through by each search, as such messages are. */
const WAITING_CHATS = `SELECT c.id, c.doc, octet_length(c.legacy_folded) AS size FROM owui_chats c
  WHERE c.doc < 0 AND c.doc != 0 AND octet_length(c.legacy_folded) <= ${arg("longest")} LIMIT ${arg("limit")}`;

/** The first of them, with so many bytes together. A trigger adds what gets a positive number. */
const INDEX_WAITING_CHATS = `UPDATE owui_chats AS c SET doc = w.doc FROM (
    SELECT id, row_number() OVER (ORDER BY doc DESC) + (SELECT coalesce(max(abs(doc)), 0) FROM owui_chats WHERE doc != 0) AS doc,
      sum(size) OVER (ORDER BY doc DESC) - size AS before
    FROM (${WAITING_CHATS})) w
  WHERE c.id = w.id AND w.before < ${arg("bytes")}`;

const INDEX_CHATS = `INSERT INTO owui_chats_search (rowid, text) SELECT c.doc, ${OF_CHAT} FROM owui_chats c
  WHERE c.rowid IN (${CHATS}) AND c.doc > 0
    AND NOT EXISTS (SELECT 1 FROM owui_chats_search_docsize d WHERE d.id = c.doc)`;

/** The message has the text that was read; without text it is not indexed, which is always right. */
const IS_AS_READ = `m.id = j.value ->> '$.id' AND (j.value ->> '$.text' IS NULL OR ${CONTENT} = j.value ->> '$.text')`;

/** Those that were not indexed and are now, or the other way round, get another number. */
const NUMBER_MESSAGES = `UPDATE owui_chat_messages AS m SET waits = FALSE,
  doc = iif(sign(m.doc) = j.value ->> '$.doc', m.doc, ${newDoc("owui_chat_messages")})
  FROM jsonb_each({:body}, '$.messages') j
  WHERE ${IS_AS_READ} AND (m.waits = TRUE OR sign(m.doc) != j.value ->> '$.doc')`;

const INDEX_MESSAGES = `INSERT INTO owui_chat_messages_search (rowid, text) SELECT m.doc, j.value ->> '$.words'
  FROM jsonb_each({:body}, '$.messages') j CROSS JOIN owui_chat_messages m ON ${IS_AS_READ}
  WHERE m.doc > 0 AND j.value ->> '$.doc' = 1
    AND NOT EXISTS (SELECT 1 FROM owui_chat_messages_search_docsize d WHERE d.id = m.doc)`;

/**
 * SQL that returns the first messages of a query: `limit` at most, and no more once they have `bytes`.
 *
 * @param {string} messages SQL of their ids and texts
 */
function texts(messages) {
  const size = "coalesce(octet_length(text), 0)";
  return `SELECT json_group_array(json_array(id, text)) AS json FROM (
    SELECT id, text, sum(${size}) OVER (ROWS UNBOUNDED PRECEDING) - ${size} AS before
    FROM (${messages} LIMIT ${arg("limit")})) WHERE before < ${arg("bytes")}`;
}

const reads = {
  /** What waits: messages, of each its record's id and its text, and how many chats. */
  get_waiting: `SELECT json_array(
    json((${texts(`SELECT m.id, ${CONTENT} AS text FROM owui_chat_messages m WHERE m.waits = TRUE`)})),
    (SELECT count(*) FROM (${WAITING_CHATS}))) AS json`,

  /** The next messages: record's id, and text, unless it is not to be indexed. */
  get_texts: texts(`SELECT m.id,
      iif(length(${CONTENT}) > ${arg("longest")} OR json_type(m.entry, '$.done') = 'false' OR ${IS_NUMBER},
        NULL, ${CONTENT}) AS text
    FROM owui_chat_messages m WHERE m.id > ${arg("after")} ORDER BY m.id`),
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {Record<string, never>} args
   * @param {string} body
   */
  clear_indexes(tx, args, body) {
    for (const index of ["owui_chats_search", "owui_chat_messages_search"]) {
      execute(tx, `INSERT INTO ${index} (${index}) SELECT 'delete-all' WHERE {:body} != ''`, body);
    }
    return "true";
  },

  /**
   * Index the titles of the next chats; reply with the last one's record's number, or null if there are no more.
   *
   * @param {CoreApp} tx
   * @param {{ after: number, limit: number }} args
   * @param {string} body
   */
  index_chats(tx, args, body) {
    execute(tx, INDEX_CHATS, body);
    return query(tx, `SELECT coalesce(max(number), 'null') AS json FROM (${CHATS})`, body);
  },

  /**
   * Index titles and older messages of chats that wait; reply with the number of these chats.
   *
   * @param {CoreApp} tx
   * @param {{ limit: number, bytes: number, longest: number }} args `limit` and `bytes` of what is done at once;
   *   `longest`, bytes above which a chat is not indexed
   * @param {string} body
   */
  index_waiting_chats(tx, args, body) {
    return String(execute(tx, INDEX_WAITING_CHATS, body));
  },

  /**
   * Index messages, unless they have changed since their texts were read; reply with the number of messages that were
   * changed by this.
   *
   * @param {CoreApp} tx
   * @param {{ messages: { id: string, text: string | null, doc: 1 | -1, words?: string }[] } | undefined} args it is
   *   not parsed; of each message its record's `id`, the `text` that was read, `doc`, -1 if the message is not to be
   *   indexed, and its `words`
   * @param {string} body
   */
  index_messages(tx, args, body) {
    const numbered = execute(tx, NUMBER_MESSAGES, body);
    execute(tx, INDEX_MESSAGES, body);
    return String(numbered);
  },
};

/** Its body is long, and only SQLite reads it. */
const unparsed = ["index_messages"];

module.exports = { reads, writes, unparsed };
