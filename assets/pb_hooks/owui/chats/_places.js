// @ts-check

/** Where parts of words can be, as the full-text indexes tell. */

const { tables, arg } = require("../lib/rows.js");
const { docsWith } = require("../lib/words.js");
const { OF_CHAT } = require("./_texts.js");

/**
 * A part of a word, with an expression `match` that finds it in titles, and what it is a part `of`.
 *
 * @typedef {import("../lib/words.js").Part & { match?: string, of: ("phrase" | "terms")[] }} Piece
 */

/** A part of a word with more places than this is frequent. */
const FEW = 2000;

/**
 * SQL of the places that may contain a part of a word, or of just more than `FEW` of them: the number of the part,
 * whether the place is a message, and the number of the message or chat in the index.
 *
 * @param {Piece} piece
 * @param {number} number
 */
function lookUp(piece, number) {
  const at = `pieces[${number}]`;
  // Titles have an index of three-letter sequences; for shorter parts the user's own are looked through.
  const titles = piece.match
    ? `SELECT rowid AS doc FROM owui_chats_search WHERE owui_chats_search MATCH ${arg(`${at}.match`)}`
    : `SELECT doc FROM owui_chats c WHERE c.user_id = ${arg("user_id")} AND instr(${OF_CHAT}, ${arg(`${at}.text`)})`;
  const messages = docsWith(tables.chat_message, piece, at);
  return `SELECT ${number} AS n, 1 AS is_message, doc FROM (${messages} LIMIT ${FEW + 1})
    UNION ALL SELECT ${number}, 0, doc FROM (${titles} LIMIT ${FEW + 1})`;
}

/**
 * SQL of the tables that the search begins with: `few`, the numbers of the parts of words with few places, and `places`,
 * these places. A message or chat that is not indexed is a place of each part; message 0 stands for the chat itself.
 *
 * @param {Piece[]} pieces
 */
function places(pieces) {
  const found = pieces.map(lookUp).join(" UNION ALL ") || "SELECT 0, 0, 0 WHERE FALSE";
  return `raw (n, is_message, doc) AS MATERIALIZED (${found}),
    few (n) AS MATERIALIZED (SELECT p.key FROM json_each({:body}, '$.pieces') p
      WHERE (SELECT count(*) FROM raw r WHERE r.n = p.key) <= ${FEW}),
    places (n, chat_id, message) AS MATERIALIZED (
      SELECT DISTINCT r.n, m.chat_id, m.rowid FROM raw r CROSS JOIN owui_chat_messages m ON m.doc = r.doc AND m.doc != 0
        WHERE r.is_message AND r.n IN few
      UNION ALL SELECT r.n, c.id, 0 FROM raw r CROSS JOIN owui_chats c ON c.doc = r.doc AND c.doc != 0
        WHERE NOT r.is_message AND r.n IN few
      UNION ALL SELECT f.n, m.chat_id, m.rowid FROM few f CROSS JOIN owui_chat_messages m
        WHERE m.doc < 0 AND m.doc != 0
      UNION ALL SELECT f.n, c.id, 0 FROM few f CROSS JOIN owui_chats c WHERE c.doc < 0 AND c.doc != 0)`;
}

module.exports = { places };
