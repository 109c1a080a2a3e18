// @ts-check

/**
 * Searching a user's chats: first those that contain the phrase, then those that contain all its terms, both in the
 * order of their last change.
 *
 * The full-text indexes tell which messages and titles may contain a part of a word. If a part has few such places, the
 * search looks at these. If all parts have many, it goes through the chats until a page is full. So the work does not
 * grow with the number of chats: rare words have few places, and frequent words are in many of the chats.
 */

const { tables, arg, given, value } = require("../lib/rows.js");
const { OF_CHAT, OF_MESSAGE } = require("./_texts.js");
const { wholeMany } = require("./_whole.js");

const CHAT = tables.chat;

/**
 * `user_id`, `skip`, `limit` (-1 for all); `phrase`, "" if only the filters count; its `terms`, each with its `text` and
 * the number `n` of its piece; `pieces`, parts of words, each with its `text`, an expression `match` that finds it in
 * titles, and `of`, what it is a part of; and the filters.
 *
 * @typedef {{ text: string, match?: string, of: ("phrase" | "terms")[] }} Piece
 * @typedef {{ user_id: string, skip: number, limit: number, phrase: string, terms: { text: string, n: number | null }[],
 *   pieces: Piece[], archived?: boolean, pinned?: boolean, shared?: boolean, folder_ids?: string[],
 *   tags?: string[] }} Asked
 */

/** A part of a word with more places than this is frequent. */
const FEW = 2000;

const ORDER = "c.updated_at DESC, c.id";

/** The texts of the messages that a chat `c` has outside of its history: each with a backslash marked, see below. */
const LEGACY = `json_each('[' || replace(json_quote(replace(c.legacy_folded, '\\', '\\' || char(31))),
  '\\u001e', '","') || ']')`;

/**
 * SQL of "chat `c` contains this text in its title or outside of its history".
 *
 * @param {string} text SQL
 * @param {boolean} isPattern whether `%` and `_` in it are wildcards, as they are for the host
 */
function inChat(text, isPattern) {
  if (!isPattern) {
    return `instr(${OF_CHAT}, ${text})`;
  }
  // Without the mark, a backslash in a text and what follows it could look like what separates the texts.
  return `(c.title_folded LIKE '%' || ${text} || '%' OR EXISTS (SELECT 1 FROM ${LEGACY} l
    WHERE c.legacy_folded != '' AND replace(l.value, '\\' || char(31), '\\') LIKE '%' || ${text} || '%'))`;
}

/**
 * SQL of "message `m` contains this text".
 *
 * @param {string} text SQL
 * @param {boolean} isPattern
 */
function inMessage(text, isPattern) {
  return isPattern ? `${OF_MESSAGE} LIKE '%' || ${text} || '%'` : `instr(${OF_MESSAGE}, ${text})`;
}

/** @param {string} condition SQL about a message `m` */
function inAnyMessage(condition) {
  return `EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = c.id AND m.position > 0 AND ${condition})`;
}

/**
 * SQL of the filters, as a condition on a chat `c`.
 *
 * @param {Asked} args
 */
function filters({ archived, pinned, shared, folder_ids, tags }) {
  const conditions = ["json_extract(c.meta, '$.internal') IS NOT 1"];
  if (archived !== undefined) {
    conditions.push(`${value(CHAT, "c", "archived")} = ${arg("archived")}`);
  }
  if (pinned !== undefined) {
    conditions.push(`${value(CHAT, "c", "pinned")} = ${arg("pinned")}`);
  }
  if (shared !== undefined) {
    conditions.push(`(${value(CHAT, "c", "share_id")} IS NOT NULL) = ${arg("shared")}`);
  }
  if (folder_ids) {
    conditions.push(`c.folder_id IN ${given("folder_ids")}`);
  }
  if (tags?.includes("none")) {
    conditions.push("NOT EXISTS (SELECT 1 FROM json_each(c.meta, '$.tags'))");
  } else if (tags) {
    conditions.push(`NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.tags') g WHERE NOT EXISTS (
      SELECT 1 FROM owui_chat_tags t WHERE t.user_id = c.user_id AND t.tag = g.value AND t.chat_id = c.id))`);
  }
  return conditions.join(" AND ");
}

/**
 * SQL of the places that may contain a part of a word, or of just more than `FEW` of them: the number of the part,
 * whether the place is a message, and the number of the message or chat in the index.
 *
 * @param {Piece} piece
 * @param {number} number
 */
function lookUp({ match }, number) {
  const text = `({:body} ->> '$.pieces[${number}].text')`;
  // Titles have an index of three-letter sequences; for shorter parts the user's own are looked through.
  const titles = match
    ? `SELECT rowid AS doc FROM owui_chats_search WHERE owui_chats_search MATCH {:body} ->> '$.pieces[${number}].match'`
    : `SELECT doc FROM owui_chats c WHERE c.user_id = ${arg("user_id")} AND instr(${OF_CHAT}, ${text})`;
  return `SELECT ${number} AS n, 1 AS is_message, doc FROM (SELECT doc FROM owui_chat_messages_words
      WHERE term >= ${text} AND term < ${text} || char(1114111) LIMIT ${FEW + 1})
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

/** How many chats are needed, including those that are skipped; -1 for all. */
const WANTED = `iif(${arg("limit")} < 0, -1, ${arg("skip")} + ${arg("limit")})`;

/**
 * SQL of "the user, if this is true": with NULL no chat is looked at.
 *
 * @param {string} condition
 */
function userIf(condition) {
  return `iif(${condition}, ${arg("user_id")}, NULL)`;
}

/**
 * SQL of the chats that contain the phrase.
 *
 * @param {Asked} args
 * @param {string} numbers of the phrase's parts
 */
function withPhrase(args, numbers) {
  const text = arg("phrase");
  const isPattern = /[%_]/.test(args.phrase);
  const asked = filters(args);
  const few = `(SELECT count(*) FROM few WHERE n IN (${numbers}))`;
  // LIMIT -1 keeps the order, so that only as many are looked at as are needed.
  return `in_order_0 AS MATERIALIZED (SELECT c.rowid AS chat, p.message FROM (
        SELECT chat_id, message FROM places WHERE n IN (${numbers}) GROUP BY chat_id, message
          HAVING count(DISTINCT n) = ${few}) p
      CROSS JOIN owui_chats c ON c.id = p.chat_id
      WHERE c.user_id = ${arg("user_id")} AND ${asked} ORDER BY ${ORDER} LIMIT -1),
    found_0 (chat) AS MATERIALIZED (
      SELECT * FROM (SELECT DISTINCT o.chat FROM in_order_0 o WHERE iif(o.message = 0,
        (SELECT ${inChat(text, isPattern)} FROM owui_chats c WHERE c.rowid = o.chat),
        (SELECT ${inMessage(text, isPattern)} FROM owui_chat_messages m WHERE m.rowid = o.message))
        LIMIT ${WANTED})
      UNION ALL SELECT * FROM (SELECT c.rowid FROM owui_chats c
        WHERE c.user_id = ${userIf(`${few} = 0`)} AND ${asked}
          AND (${inChat(text, isPattern)} OR ${inAnyMessage(inMessage(text, isPattern))})
        ORDER BY ${ORDER} LIMIT ${WANTED}))`;
}

const TERM = "(t.value ->> '$.text')";

/**
 * SQL of "chat `c` contains all terms"; `o.at` has the places of those terms that have few.
 *
 * @param {string} condition SQL of "message `m` contains the term"
 */
function hasTerms(condition) {
  return `NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.terms') t WHERE NOT ${inChat(TERM, false)}
    AND NOT iif(t.value ->> '$.n' IN few,
      EXISTS (SELECT 1 FROM json_each(o.at) a CROSS JOIN owui_chat_messages m ON m.rowid = a.value ->> 1
        WHERE a.value ->> 0 = t.value ->> '$.n' AND ${condition}),
      ${inAnyMessage(condition)}))`;
}

/**
 * SQL of the chats that contain all terms but not the phrase, if the page needs them.
 *
 * @param {Asked} args
 * @param {string} numbers of the terms' parts
 */
function withTerms(args, numbers) {
  const few = `(SELECT count(*) FROM few WHERE n IN (${numbers}))`;
  const asked = filters(args);
  const needed = `(${WANTED} < 0 OR (SELECT count(*) FROM found_0) < ${WANTED})`;
  return `in_order_1 AS MATERIALIZED (SELECT c.rowid AS chat, p.at FROM (
        SELECT chat_id, json_group_array(json_array(n, message)) AS at FROM places WHERE n IN (${numbers})
          GROUP BY chat_id HAVING count(DISTINCT n) = ${few}) p
      CROSS JOIN owui_chats c ON c.id = p.chat_id
      WHERE c.user_id = ${userIf(needed)} AND c.rowid NOT IN found_0 AND ${asked} ORDER BY ${ORDER} LIMIT -1),
    found_1 (chat) AS MATERIALIZED (
      SELECT * FROM (SELECT o.chat FROM in_order_1 o CROSS JOIN owui_chats c ON c.rowid = o.chat
        WHERE ${hasTerms(inMessage(TERM, false))}
        LIMIT ${WANTED})
      UNION ALL SELECT * FROM (SELECT c.rowid FROM owui_chats c
        WHERE c.user_id = ${userIf(`${few} = 0 AND ${needed}`)} AND c.rowid NOT IN found_0 AND ${asked}
          AND NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.terms') t
            WHERE NOT ${inChat(TERM, false)} AND NOT ${inAnyMessage(inMessage(TERM, false))})
        ORDER BY ${ORDER} LIMIT ${WANTED}))`;
}

/**
 * The numbers of the parts of words that belong to the phrase or to its terms.
 *
 * @param {Asked} args
 * @param {"phrase" | "terms"} which
 */
function numbersOf(args, which) {
  return args.pieces.flatMap((piece, number) => (piece.of.includes(which) ? number : [])).join(", ");
}

const PAGE = `LIMIT ${arg("limit")} OFFSET ${arg("skip")}`;

/**
 * Chats as a whole.
 *
 * @param {Asked} args
 */
function get_chats_by_user_id_and_search_text(args) {
  if (!args.phrase) {
    const isTagged = args.tags && !args.tags.includes("none");
    const from = isTagged
      ? `owui_chat_tags t CROSS JOIN owui_chats c ON c.id = t.chat_id AND t.tag = {:body} ->> '$.tags[0]' AND t.user_id`
      : "owui_chats c WHERE c.user_id";
    const asked = filters(args);
    const page = `SELECT c.rowid AS chat FROM ${from} = ${arg("user_id")} AND ${asked} ORDER BY ${ORDER} ${PAGE}`;
    return wholeMany(`FROM (${page}) f CROSS JOIN owui_chats c ON c.rowid = f.chat`, ORDER);
  }
  const steps = [places(args.pieces), withPhrase(args, numbersOf(args, "phrase"))];
  let found = "SELECT chat, 0 AS rank FROM found_0";
  if (args.terms.length) {
    steps.push(withTerms(args, numbersOf(args, "terms")));
    found += " UNION ALL SELECT chat, 1 FROM found_1";
  }
  const page = `SELECT f.chat, f.rank FROM (${found}) f CROSS JOIN owui_chats c ON c.rowid = f.chat
    ORDER BY f.rank, ${ORDER} ${PAGE}`;
  const chats = wholeMany(`FROM (${page}) f CROSS JOIN owui_chats c ON c.rowid = f.chat`, `f.rank, ${ORDER}`);
  return `WITH ${steps.join(", ")} ${chats}`;
}

const reads = { get_chats_by_user_id_and_search_text };

module.exports = { reads, TERM, places, inMessage, hasTerms };
