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
const { PAGE } = require("../lib/paging.js");
const { INTERNAL } = require("./_filters.js");
const { places } = require("./_places.js");
const { OF_CHAT, OF_MESSAGE } = require("./_texts.js");
const { wholeMany } = require("./_whole.js");

const CHAT = tables.chat;

/**
 * `user_id`, `skip`, `limit` (-1 for all); `phrase`, "" if only the filters count; its `terms`, each with its `text` and
 * the number `n` of its piece; `pieces`, parts of words; and the filters.
 *
 * @typedef {{ user_id: string, skip: number, limit: number, phrase: string, terms: { text: string, n: number | null }[],
 *   pieces: import("./_places.js").Piece[], archived?: boolean, pinned?: boolean, shared?: boolean, folder_ids?: string[],
 *   tags?: string[] }} Asked
 */

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
  const conditions = [`${INTERNAL} IS NOT TRUE`];
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
    conditions.push(
      "NOT EXISTS (SELECT 1 FROM json_each(iif(json_valid(c.meta), c.meta, 'null'), '$.tags'))",
    );
  } else if (tags) {
    conditions.push(`NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.tags') g WHERE NOT EXISTS (
      SELECT 1 FROM owui_chat_tags t WHERE t.user_id = c.user_id AND t.tag = g.value AND t.chat_id = c.id))`);
  }
  return conditions.join(" AND ");
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

/**
 * Chats as a whole.
 *
 * @param {Asked} args
 */
function get_chats_by_user_id_and_search_text(args) {
  if (!args.phrase) {
    const isTagged = args.tags && !args.tags.includes("none");
    const from = isTagged
      ? `owui_chat_tags t CROSS JOIN owui_chats c ON c.id = t.chat_id AND t.tag = ${arg("tags[0]")} AND t.user_id`
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

module.exports = { reads, TERM, inMessage, hasTerms };
