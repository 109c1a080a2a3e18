// @ts-check

/**
 * Chats for the host's unified search: those that a user has, or can reach through folders and shares, and snapshots
 * of others. The host merges them with what it finds elsewhere; it gets only as many as its page can show.
 */

const { tables, arg, given, value } = require("../lib/rows.js");
const { SQL_SEPARATOR } = require("../lib/texts.js");
const { INTERNAL } = require("../chats/_filters.js");
const { wholeMany } = require("../chats/_whole.js");
const { places } = require("../chats/_places.js");
const { TERM, inMessage, hasTerms } = require("../chats/search.js");

const CHAT = tables.chat;
const SHARED = tables.shared_chat;

const USER = arg("user_id");
const GRANTED = `IN ${given("granted")}`;
const IN_FOLDERS = `c.folder_id IN ${given("folder_ids")}`;
const CONTINUED = `c.id IN (SELECT s.chat_id FROM owui_shared_chats s WHERE s.chat_id ${GRANTED}
  AND s.chat ->> '$.share_mode' = 'continue')`;
const LIVE = `(c.user_id = ${USER} OR ${IN_FOLDERS} OR ${CONTINUED})`;

/** The numbers of all chats that the user can reach; each part has an index. */
const REACHABLE = `SELECT c.rowid AS chat, '[]' AS at FROM owui_chats c WHERE c.user_id = ${USER}
  UNION SELECT c.rowid, '[]' FROM owui_chats c WHERE ${IN_FOLDERS}
  UNION SELECT c.rowid, '[]' FROM owui_chats c WHERE ${CONTINUED}`;

/** Those of them in which all rare terms can be. */
const POSSIBLE = `SELECT c.rowid AS chat, p.at FROM (SELECT chat_id, json_group_array(json_array(n, message)) AS at
    FROM places GROUP BY chat_id HAVING count(DISTINCT n) = (SELECT count(*) FROM few)) p
  CROSS JOIN owui_chats c ON c.id = p.chat_id WHERE ${LIVE}`;

/**
 * SQL of how well a title fits: 0 it is the text, 1 it contains the text, 3 neither.
 *
 * @param {string} alias
 * @param {string} otherwise SQL of the rank if there is no text
 */
function rank(alias, otherwise) {
  // SQLite's lower, as a host on SQLite compares whole titles.
  const title = `iif(${arg("folds_all")}, ${alias}.title_folded, lower(${alias}.title))`;
  return `CASE WHEN ${arg("query")} = '' THEN ${otherwise} WHEN ${title} = ${arg("query")} THEN 0
    WHEN instr(${alias}.title_folded, ${arg("query")}) THEN 1 ELSE 3 END`;
}

/**
 * `folder_ids` that the user can reach, and `scope`, those of them that are asked for, or null for all; `granted`, ids of
 * chats shared with the user; `query` in lower case, its `terms` and `pieces` as for the search of chats; `folds_all`,
 * whether the host compares whole titles without case in all languages; `number` of rows of each kind.
 *
 * @typedef {{ user_id: string, folder_ids: string[], scope: string[] | null, granted: string[], query: string,
 *   terms: { text: string, n: number | null }[], pieces: import("../chats/_places.js").Piece[], sharing: string,
 *   folds_all: boolean, number: number }} Asked
 */

const SHARING = {
  all: "TRUE",
  mine: `owner = ${USER}`,
  shared: `owner != ${USER}`,
};

/**
 * SQL of "the chats of this owner are asked for".
 *
 * @param {Asked} args
 * @param {string} owner SQL
 */
function isAskedFor(args, owner) {
  const { [/** @type {"all"} */ (args.sharing)]: condition = SHARING.all } = SHARING;
  return condition.replace("owner", owner);
}

/**
 * The chats and snapshots that match, the first of them: id, owner, title and the rest of what the host asks of them.
 *
 * @param {Asked} args
 */
function search_workspace(args) {
  const scope = args.scope ? `c.folder_id IN ${given("scope")}` : "TRUE";
  const anywhere = args.scope || args.sharing === "mine" ? "FALSE" : "TRUE";
  const ofOwner = isAskedFor(args, value(CHAT, "c", "user_id"));
  const ofSharer = isAskedFor(args, "s.user_id");
  const found = places(args.pieces);
  const pinned = `iif(c.pinned AND c.user_id = ${USER}, 0, 3)`;
  const isText = "json_type(m.entry, '$.content') = 'text'";
  const order = "o.rank, o.updated_at DESC, o.id";
  const chats = `in_order AS MATERIALIZED (
      SELECT c.rowid AS chat, f.at, ${rank("c", pinned)} AS rank, c.updated_at, c.id
      FROM (SELECT * FROM (${POSSIBLE}) WHERE EXISTS (SELECT 1 FROM few)
        UNION ALL SELECT * FROM (${REACHABLE}) WHERE NOT EXISTS (SELECT 1 FROM few)) f
      CROSS JOIN owui_chats c ON c.rowid = f.chat
      WHERE ${value(CHAT, "c", "archived")} = FALSE AND ${INTERNAL} IS NOT TRUE
        AND ${ofOwner} AND ${scope}
      ORDER BY 3, c.updated_at DESC, c.id LIMIT -1),
    chats AS MATERIALIZED (SELECT c.rowid AS chat, o.rank, o.updated_at, o.id FROM in_order o
      CROSS JOIN owui_chats c ON c.rowid = o.chat
      WHERE ${hasTerms(`${isText} AND ${inMessage(TERM, false)}`)} LIMIT ${arg("number")})`;
  const text = `s.title_folded || ${SQL_SEPARATOR} || s.text_folded`;
  const snapshots = `snapshots AS (SELECT s.rowid AS snapshot, ${rank("s", "3")} AS rank, s.updated_at, s.id
    FROM owui_shared_chats s WHERE s.chat_id ${GRANTED} AND ${anywhere}
      AND ${ofSharer}
      AND NOT EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = s.chat_id AND ${LIVE})
      AND NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.terms') t WHERE NOT instr(${text}, ${TERM}))
    ORDER BY 2, s.updated_at DESC, s.id LIMIT ${arg("number")})`;
  const ofChat = ["id", "user_id", "title", "updated_at", "pinned", "folder_id", "share_id"];
  const ofSnapshot = ["id", "chat_id", "user_id", "title", "updated_at"];
  return `WITH ${found}, ${chats}, ${snapshots} SELECT json_array(
    (SELECT json_group_array(json_array(${ofChat.map((name) => value(CHAT, "c", name)).join(", ")},
      iif(${CONTINUED}, 'continue', NULL)) ORDER BY ${order}) FROM chats o CROSS JOIN owui_chats c ON c.rowid = o.chat),
    (SELECT json_group_array(json_array(${ofSnapshot.map((name) => value(SHARED, "s", name)).join(", ")})
      ORDER BY ${order}) FROM snapshots o CROSS JOIN owui_shared_chats s ON s.rowid = o.snapshot)) AS json`;
}

const reads = {
  search_workspace,

  /** Chats as a whole, and snapshots, by their ids. */
  get_passages: `SELECT '[' || (${wholeMany(`FROM owui_chats c WHERE c.id IN ${given("chats")}`, "c.id")})
    || ',' || (SELECT json_group_array(json_array(s.id, json(s.chat))) FROM owui_shared_chats s
      WHERE s.id IN ${given("snapshots")}) || ']' AS json`,
};

module.exports = { reads };
