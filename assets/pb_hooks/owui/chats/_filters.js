// @ts-check

/** Which chats are asked for, in which order, and what lists have of each. */

const { tables, arg, given, value, matches, contains } = require("../lib/rows.js");

const CHAT = tables.chat;
const MESSAGE = tables.chat_message;

/**
 * What is sorted by, and whether it descends.
 *
 * @typedef {[string, boolean]} Sorted
 */

const OF_USER = matches(CHAT, "c", "user_id");

/** The chat is one of the host's own: of a note, a timer, a sub-agent. Only what may be is parsed. */
const INTERNAL = `(instr(c.meta, 'internal') AND json_valid(c.meta) AND json_extract(c.meta, '$.internal') IS 1)`;

/** Message `m` is an answer that is still streaming. */
const STREAMS = `m.has_row = TRUE AND m.role = 'assistant' AND m.done = FALSE
  AND ${value(MESSAGE, "m", "done")} IS NOT NULL`;

/** An answer in the chat is still streaming. */
const UNFINISHED = `EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = c.id AND ${STREAMS})`;

/** Unread: changed since the owner last opened it, and no answer is still streaming. */
const UNREAD = `(c.updated_at > c.last_read_at AND ${value(CHAT, "c", "updated_at")} IS NOT NULL AND NOT ${UNFINISHED})`;

const ACTIVE = `c.archived = FALSE AND ${value(CHAT, "c", "archived")} IS NOT NULL`;

const IN_FOLDERS = `c.folder_id IN ${given("folder_ids")} AND ${value(CHAT, "c", "folder_id")} IS NOT NULL`;

/**
 * SQL of a member of a chat's `meta`.
 *
 * @param {string} name
 */
function noted(name) {
  return `json_extract(c.meta, '$.${name}')`;
}

/** Name of a filter -> SQL. */
const FILTERS = new Map([
  ["of_user", OF_USER],
  ["in_folder", matches(CHAT, "c", "folder_id")],
  ["in_folders", IN_FOLDERS],
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

/** Name of a sort key -> SQL. By `updated_at` an index sorts; `+` keeps it from being used for the order alone. */
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
  ["unread_of_user", `(${OF_USER} AND ${UNREAD})`],
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
 * SQL of the chats that the filters let through, from FROM on.
 *
 * @param {string[]} filters
 * @param {string} joined another table, if there is one
 */
function filtered(filters, joined = "") {
  return `FROM owui_chats c ${joined} WHERE ${named(FILTERS, filters).join(" AND ")}`;
}

/** The columns of a chat that lists have. */
const LISTED = `json_array(c.id, ${["title", "user_id", "updated_at", "created_at", "last_read_at"]
  .map((name) => value(CHAT, "c", name))
  .join(", ")})`;

module.exports = { OF_USER, INTERNAL, STREAMS, UNREAD, ACTIVE, IN_FOLDERS, ORDERS, LISTED, named, filtered };
