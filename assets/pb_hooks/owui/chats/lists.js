// @ts-check

/** Lists and numbers of chats. None of them looks at messages, but those which say what is unread. */

const { tables, arg, given, value, matches, contains, many } = require("../lib/rows.js");
const { wholeMany } = require("./history.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = tables.chat;
/** @type {import("../lib/rows.js").Table} */
const MESSAGE = tables.chat_message;

/** Whole chats in one answer; of the others it has the ids. */
const WHOLES_AT_ONCE = 50;

/** The chat is one of the host's own: of a note, a timer, a sub-agent. Only what may be is parsed. */
const INTERNAL = `(instr(c.meta, 'internal') AND json_valid(c.meta) AND json_extract(c.meta, '$.internal') IS 1)`;

/** An answer in the chat is being made. */
const UNFINISHED = `EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = c.id AND m.has_row = TRUE
  AND m.role = 'assistant' AND m.done = FALSE AND ${value(MESSAGE, "m", "done")} IS NOT NULL)`;

/** What is new in the chat, since its owner has looked at it, is there as a whole. */
const UNREAD = `(c.updated_at > c.last_read_at AND ${value(CHAT, "c", "updated_at")} IS NOT NULL AND NOT ${UNFINISHED})`;

const ACTIVE = `c.archived = FALSE AND ${value(CHAT, "c", "archived")} IS NOT NULL`;

/**
 * SQL of what the host has noted in a chat's `meta`.
 *
 * @param {string} name
 */
function noted(name) {
  return `json_extract(c.meta, '$.${name}')`;
}

/** What chats can be asked for. */
const FILTERS = new Map([
  ["of_user", matches(CHAT, "c", "user_id")],
  ["in_folder", matches(CHAT, "c", "folder_id")],
  ["in_folders", `c.folder_id IN ${given("folder_ids")} AND ${value(CHAT, "c", "folder_id")} IS NOT NULL`],
  ["in_no_folder", `+c.folder_id = '' AND ${value(CHAT, "c", "folder_id")} IS NULL`],
  ["in_list", `c.id IN ${given("ids")}`],
  ["visible", `${INTERNAL} IS NOT TRUE`],
  ["active", ACTIVE],
  ["archived", "c.archived = TRUE"],
  ["pinned", "c.pinned = TRUE"],
  ["unpinned", "c.pinned = FALSE"],
  ["named", `${contains(CHAT, "c", "title", "query")} AND ${value(CHAT, "c", "title")} IS NOT NULL`],
  ["newer", `c.updated_at > ${arg("newer_than")} AND ${value(CHAT, "c", "updated_at")} IS NOT NULL`],
  ["of_parent", `${INTERNAL} AND ${noted("parent_chat_id")} IS ${arg("parent_chat_id")}`],
  ["of_note", `${INTERNAL} AND ${noted("type")} = 'note' AND ${noted("note_id")} IS ${arg("note_id")}`],
]);

/** What chats can be sorted by. By `updated_at` an index does; `+` keeps it from being used for the order alone. */
const ORDERS = new Map([
  ...CHAT.columns.map(
    ({ name, type }) =>
      /** @type {[string, string]} */ ([name, type === "json" ? `c.${name}` : value(CHAT, "c", name)]),
  ),
  ["id", "c.id"],
  ["updated_at", "c.updated_at"],
  ["+updated_at", "+c.updated_at"],
  ["rowid", "c.rowid"],
  ["unread", UNREAD],
  ["unread_of_user", `(${matches(CHAT, "c", "user_id")} AND ${UNREAD})`],
]);

/**
 * SQL of what the names in a list stand for.
 *
 * @param {Map<string, string>} known
 * @param {string[]} names
 */
function named(known, names) {
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw { status: 400, code: "invalid", message: `Chats have no ${unknown}` };
  }
  return names.map((name) => /** @type {string} */ (known.get(name)));
}

/**
 * SQL of the chats which the filters let through, from FROM on.
 *
 * @param {string[]} filters
 * @param {string} joined another table, if there is one
 */
function filtered(filters, joined = "") {
  return `FROM owui_chats c ${joined} WHERE ${named(FILTERS, filters).join(" AND ")}`;
}

/**
 * SQL of a page of chats: the common table expression `page` with their rowids `r`, ids and sort keys; and its order.
 * What the answer has of each is read for the page only.
 *
 * @param {string} rest from FROM on; the chats are `c`
 * @param {[string, boolean][]} order what is sorted by, and whether it descends
 */
function page(rest, order) {
  const keys = named(
    ORDERS,
    order.map(([name]) => name),
  );
  const sorted = order.map(([, descends], index) => `k${index}${descends ? " DESC" : ""}`).join(", ");
  return {
    page: `page AS MATERIALIZED (SELECT c.rowid AS r, c.id${keys.map((key, index) => `, ${key} AS k${index}`).join("")}
      ${rest} ORDER BY ${sorted} LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0))`,
    sorted,
  };
}

/** The columns of a chat that lists have. */
const LISTED = `json_array(c.id, ${["title", "user_id", "updated_at", "created_at", "last_read_at"]
  .map((name) => value(CHAT, "c", name))
  .join(", ")})`;

/**
 * SQL that answers with a page of chats, `LISTED`.
 *
 * @param {string} rest from FROM on; the chats are `c`
 * @param {[string, boolean][]} order
 */
function list(rest, order) {
  const { page: table, sorted } = page(rest, order);
  return `WITH ${table} ${many(LISTED, "FROM page p CROSS JOIN owui_chats c ON c.rowid = p.r", sorted)}`;
}

/** The user's chats with a tag. */
const TAGGED = `FROM owui_chat_tags t CROSS JOIN owui_chats c ON c.id = t.chat_id
  WHERE t.user_id = coalesce(${arg("user_id")}, '') AND t.tag = ${arg("tag")} AND ${matches(CHAT, "c", "user_id")}`;

/** Seconds between a message and the one before it in its chat. */
const PAUSES = `SELECT m.chat_id, m.seconds - lag(m.seconds) OVER (PARTITION BY m.chat_id ORDER BY m.created_at) AS pause
  FROM (SELECT m.chat_id, m.created_at, iif(m.created_at > 10000000000, m.created_at / 1000, m.created_at) AS seconds
    ${filtered(["of_user", "visible"], "CROSS JOIN owui_chat_messages m")} AND m.chat_id = c.id
    AND m.has_row = TRUE AND ${value(MESSAGE, "m", "created_at")} IS NOT NULL) m`;

const reads = {
  get_chat_list: (/** @type {any} */ { filters, order }) => list(filtered(filters), order),

  /** How many chats there are, if that is asked for; the first ones as a whole; the ids of the others. */
  get_whole_chats(/** @type {any} */ { filters, order, counted }) {
    const rest = filtered(filters);
    const { page: table, sorted } = page(rest, order);
    return `WITH ${table}, first AS (SELECT * FROM page ORDER BY ${sorted} LIMIT ${WHOLES_AT_ONCE}),
      others AS (SELECT * FROM page ORDER BY ${sorted} LIMIT -1 OFFSET ${WHOLES_AT_ONCE})
      SELECT '[' || ${counted ? `(SELECT count(*) ${rest})` : 0}
        || ',' || (${wholeMany("FROM first p CROSS JOIN owui_chats c ON c.rowid = p.r", sorted)})
        || ',' || (${many("id", "FROM others", sorted)}) || ']' AS json`;
  },
  get_chats_by_ids: wholeMany(`FROM owui_chats c WHERE c.id IN ${given("ids")}`, "c.id"),
  count_chats: (/** @type {any} */ { filters }) => `SELECT count(*) AS json ${filtered(filters)}`,

  count_unread_by_folder_ids: `SELECT json_group_array(json_array(folder_id, n) ORDER BY folder_id) AS json FROM (
    SELECT c.folder_id, count(*) AS n ${filtered(["of_user", "in_folders", "active"])} AND ${UNREAD}
      AND c.folder_id != '' GROUP BY c.folder_id)`,
  get_chat_list_by_user_id_and_tag_name: list(TAGGED, [
    ["updated_at", true],
    ["id", false],
  ]),
  get_chat_metas_by_chat_ids: (/** @type {any} */ { include_archived }) =>
    many(
      "json(iif(json_valid(c.meta), c.meta, 'null'))",
      `FROM owui_chats c WHERE c.id IN ${given("ids")} ${include_archived ? "" : `AND ${ACTIVE}`}`,
      "c.id",
    ),
  get_owner_ids_by_chat_ids: many(
    `json_array(c.id, ${value(CHAT, "c", "user_id")})`,
    `FROM owui_chats c WHERE c.id IN ${given("ids")}`,
    "c.id",
  ),
  get_user_usage_chat_stats: `SELECT json_array((SELECT count(*) ${filtered(["of_user", "visible"])}),
    (SELECT coalesce(max(seconds), 0) FROM (SELECT sum(pause) AS seconds FROM (${PAUSES})
      WHERE pause > 0 AND pause <= ${arg("longest_pause")} GROUP BY chat_id))) AS json`,

  /** Those who asked in each chat. An empty history is one; only without, the list of older clients counts. */
  get_participant_ids_by_chat_ids: participants(),
  get_chats_by_model_id: byModel,
};

/** SQL of pairs of chat and author of questions. */
function participants() {
  const chats = (/** @type {string} */ joined) =>
    `${filtered(["in_list"], `CROSS JOIN ${joined}`)} AND json_valid(c.chat)`;
  const HAS_HISTORY = "json_type(c.chat, '$.history.messages') IS 'object'";
  const author = (/** @type {string} */ path) => `CASE WHEN json_type(message, '${path}') = 'text'
    AND trim(message ->> '${path}') != '' THEN message ->> '${path}' END`;
  return many(
    "json_array(chat_id, author_id)",
    `FROM (SELECT DISTINCT chat_id, coalesce(${author("$.user_id")}, ${author("$.user.id")},
        nullif(trim(owner_id), '')) AS author_id FROM (
      SELECT c.id AS chat_id, c.user_id AS owner_id, m.entry AS message
        ${chats("owui_chat_messages m")} AND ${HAS_HISTORY} AND m.chat_id = c.id AND m.position > 0
          AND instr(m.entry, '"user"')
      UNION ALL SELECT c.id, c.user_id, iif(j.type = 'object', j.value, '{}')
        ${chats("json_each(iif(json_valid(c.chat), c.chat, 'null'), '$.messages') j")} AND NOT ${HAS_HISTORY} AND json_type(c.chat, '$.messages') = 'array')
      WHERE json_extract(message, '$.role') = 'user') WHERE author_id IS NOT NULL`,
    "chat_id, author_id",
  );
}

/**
 * Chats with messages of a model: how many there are, and a page of [id, user, title, time, user's name].
 *
 * @param {any} args `is_here` says whether the users are in PocketBase; else they have no names
 */
function byModel({ start, end, order, ascending, is_here }) {
  const keys = named(
    new Map([
      ["title", value(CHAT, "c", "title")],
      ["updated_at", "c.updated_at"],
      ["user_name", is_here ? "u.name" : "NULL"],
    ]),
    [order],
  );
  const created = value(MESSAGE, "m", "created_at");
  const chats = `SELECT DISTINCT m.chat_id FROM owui_chat_messages m
    WHERE m.has_row = TRUE AND ${matches(MESSAGE, "m", "model_id")}
    ${start ? `AND m.created_at >= ${arg("start")} AND ${created} IS NOT NULL` : ""}
    ${end ? `AND m.created_at <= ${arg("end")} AND ${created} IS NOT NULL` : ""}`;
  const sorted = `k${ascending ? "" : " DESC"}, id`;
  return `WITH found AS MATERIALIZED (SELECT c.id, ${keys[0]} AS k, json_array(c.id, ${value(CHAT, "c", "user_id")},
        ${value(CHAT, "c", "title")}, ${value(CHAT, "c", "updated_at")}, ${is_here ? "u.name" : "NULL"}) AS item
      FROM (${chats}) f CROSS JOIN owui_chats c ON c.id = f.chat_id
      ${is_here ? "LEFT JOIN owui_users u ON u.id = c.user_id" : ""} WHERE ${INTERNAL} IS NOT TRUE),
    page AS (SELECT * FROM found ORDER BY ${sorted}
      LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0))
    SELECT json_array((SELECT count(*) FROM found), json((${many("json(item)", "FROM page", sorted)}))) AS json`;
}

module.exports = { reads, FILTERS, LISTED, ACTIVE, INTERNAL };
