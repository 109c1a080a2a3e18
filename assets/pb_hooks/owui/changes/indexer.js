// @ts-check

/**
 * The full-text indexes of chats and of all messages: adding what waits for them, and making them anew, piece by piece.
 *
 * The caller computes a message's words. A message whose text has changed since is skipped.
 */

const { tables, arg, query } = require("../lib/rows.js");
const { kept } = require("../chats/_remains.js");
const { OF_CHAT } = require("../chats/_texts.js");
const { newDoc, execute } = require("../lib/bulk.js");
const { FORM } = require("../lib/words.js");
const { textOf, waits } = require("../messages/_texts.js");

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

/**
 * Messages whose words are indexed: their table, and SQL of their text, of "it is not to be indexed, whatever it is",
 * of the text as it was written, and of what `content_folded` is if that is ASCII; of a message `m`.
 *
 * @typedef {{
 *   table: import("../lib/rows.js").Table,
 *   text: string,
 *   isLeftOut: string,
 *   written: string,
 *   foldedAscii: string,
 * }} Source
 */

const CHAT_TEXT = "coalesce(CAST(m.entry ->> '$.content' AS TEXT), '')";

/** @type {Record<string, Source>} */
const SOURCES = {
  chat_message: {
    table: tables.chat_message,
    text: CHAT_TEXT,
    isLeftOut: `json_type(m.entry, '$.done') = 'false'
      OR json_type(m.entry, '$.content') IN ('integer', 'real', 'true', 'false')`,
    written: CHAT_TEXT,
    foldedAscii: "''",
  },
  message: {
    table: tables.message,
    text: textOf("m"),
    isLeftOut: `NOT ${waits("m.meta")}`,
    written: "m.content",
    foldedAscii: "lower(m.content)",
  },
};

/**
 * SQL that returns the first messages of a query: `limit` at most, and no more once they have `bytes`.
 *
 * @param {string} messages SQL of their ids and texts, and other columns
 * @param {string} columns those that are returned of each
 */
function texts(messages, columns = "id, text") {
  const size = "coalesce(octet_length(text), 0)";
  return `SELECT json_group_array(json_array(${columns})) AS json FROM (
    SELECT *, sum(${size}) OVER (ROWS UNBOUNDED PRECEDING) - ${size} AS before
    FROM (${messages} LIMIT ${arg("limit")})) WHERE before < ${arg("bytes")}`;
}

/**
 * @param {Source} source
 * @param {string} which condition on the messages, `m`
 */
function waiting({ table, text }, which = "TRUE") {
  const found = `SELECT m.id, ${text} AS text FROM ${table.collection} m WHERE m.waits = TRUE AND ${which}`;
  return `json((${texts(found)}))`;
}

/**
 * SQL of all messages behind one: record's id, and text, unless it is not to be indexed.
 *
 * @param {Source} source
 */
function following({ table, text, isLeftOut }) {
  return texts(`SELECT m.id, iif(length(${text}) > ${arg("longest")} OR ${isLeftOut}, NULL, ${text}) AS text
    FROM ${table.collection} m WHERE m.id > ${arg("after")} ORDER BY m.id`);
}

/**
 * SQL of messages behind one whose text in lower case may be another than it should be: record's id, text, and that
 * text. Only the caller can tell, except of ASCII, as SQLite's `lower` knows no other letters.
 *
 * @param {Source} source
 */
function foldings({ table, written, foldedAscii }) {
  const isRight = `octet_length(${written}) = length(${written}) AND m.content_folded = ${foldedAscii}`;
  return texts(
    `SELECT m.id, ${written} AS text, m.content_folded FROM ${table.collection} m
      WHERE m.id > ${arg("after")} AND NOT (${isRight}) ORDER BY m.id`,
    "id, text, content_folded",
  );
}

/**
 * A write that sets texts in lower case, unless the messages have changed since their texts were read; a trigger takes
 * these messages out of the index. Of each it is given its record's `id`, the `text` that was read, and it `folded`.
 *
 * @param {Source} source
 * @returns {(tx: CoreApp, args: undefined, body: string) => string}
 */
function refolding({ table, written }) {
  const sql = `UPDATE ${table.collection} AS m SET content_folded = j.value ->> '$.folded'
    FROM jsonb_each({:body}, '$.messages') j
    WHERE m.id = j.value ->> '$.id' AND ${written} = j.value ->> '$.text'`;
  return (tx, _args, body) => String(execute(tx, sql, body));
}

/**
 * A write that indexes messages, unless they have changed since their texts were read; its reply is the number of
 * messages that were changed by this. It is given the `form` of words, and of each message its record's `id`, the `text`
 * that was read, `doc`, -1 if the message is not to be indexed, and its `words`.
 *
 * @param {Source} source
 * @returns {(tx: CoreApp, args: undefined, body: string) => string}
 */
function indexing({ table, text }) {
  const name = table.collection;
  // Without text a message is not indexed, which is always right.
  const isAsRead = `${arg("form")} = ${FORM} AND m.id = j.value ->> '$.id' AND (j.value ->> '$.text' IS NULL OR ${text} = j.value ->> '$.text')`;
  // Those that were not indexed and are now, or the other way round, get another number.
  const number = `UPDATE ${name} AS m SET waits = FALSE,
    doc = iif(sign(m.doc) = j.value ->> '$.doc', m.doc, ${newDoc(name)})
    FROM jsonb_each({:body}, '$.messages') j
    WHERE ${isAsRead} AND (m.waits = TRUE OR sign(m.doc) != j.value ->> '$.doc')`;
  const index = `INSERT INTO ${name}_search (rowid, words) SELECT m.doc, j.value ->> '$.words'
    FROM jsonb_each({:body}, '$.messages') j CROSS JOIN ${name} m ON ${isAsRead}
    WHERE m.doc > 0 AND j.value ->> '$.doc' = 1
      AND NOT EXISTS (SELECT 1 FROM ${name}_search_docsize d WHERE d.id = m.doc)`;
  return (tx, _args, body) => {
    const numbered = execute(tx, number, body);
    execute(tx, index, body);
    return String(numbered);
  };
}

const reads = {
  /** What waits: of messages their records' ids and texts, by table, and how many chats. */
  get_waiting: `SELECT json_object('chat_message', ${waiting(SOURCES.chat_message, kept("m"))},
    'message', ${waiting(SOURCES.message)}, 'chats', (SELECT count(*) FROM (${WAITING_CHATS}))) AS json`,

  get_texts_of_chats: following(SOURCES.chat_message),
  get_texts_of_channels: following(SOURCES.message),

  get_foldings_of_chats: foldings(SOURCES.chat_message),
  get_foldings_of_channels: foldings(SOURCES.message),
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {Record<string, never>} args
   * @param {string} body
   */
  clear_indexes(tx, args, body) {
    for (const { collection } of [tables.chat, ...Object.values(SOURCES).map(({ table }) => table)]) {
      const index = `${collection}_search`;
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

  refold_messages_of_chats: refolding(SOURCES.chat_message),
  refold_messages_of_channels: refolding(SOURCES.message),

  index_messages_of_chats: indexing(SOURCES.chat_message),
  index_messages_of_channels: indexing(SOURCES.message),
};

/** Their bodies are long, and only SQLite reads them. */
const unparsed = [
  "refold_messages_of_chats",
  "refold_messages_of_channels",
  "index_messages_of_chats",
  "index_messages_of_channels",
];

module.exports = { reads, writes, unparsed };
