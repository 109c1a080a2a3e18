// @ts-check

/** Lists of chats. None of them looks at messages, except those that tell which chats are unread. */

const { tables, arg, given, value, matches, many } = require("../lib/rows.js");
const { INTERNAL, filtered, named } = require("./_filters.js");
const { PAGE } = require("../lib/paging.js");
const { list, page } = require("./_list.js");
const { wholeMany } = require("./_whole.js");

/** @typedef {import("./_filters.js").Sorted} Sorted */

const CHAT = tables.chat;
const MESSAGE = tables.chat_message;

/** Whole chats in one reply; it has the ids of the others. */
const CHATS_AT_ONCE = 50;

/**
 * Chats with messages of a model: how many there are, and a page of [id, user, title, time, user's name].
 *
 * @param {{ model_id: string, start: number | null, end: number | null, order: string, ascending: boolean,
 *   is_here: boolean, skip: number | null, limit: number | null }} args `is_here`: users are in PocketBase; otherwise
 *   they have no names
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
      ${PAGE})
    SELECT json_array((SELECT count(*) FROM found), json((${many("json(item)", "FROM page", sorted)}))) AS json`;
}

const reads = {
  get_chat_list: (/** @type {{ filters: string[], order: Sorted[] }} */ { filters, order }) =>
    list(filtered(filters), order),

  /**
   * How many chats there are, if that is asked for; the first ones as a whole; the ids of the others.
   *
   * @param {{ filters: string[], order: Sorted[], counted?: boolean }} args
   */
  get_whole_chats({ filters, order, counted }) {
    const rest = filtered(filters);
    const { page: table, sorted } = page(rest, order);
    return `WITH ${table}, first AS (SELECT * FROM page ORDER BY ${sorted} LIMIT ${CHATS_AT_ONCE}),
      others AS (SELECT * FROM page ORDER BY ${sorted} LIMIT -1 OFFSET ${CHATS_AT_ONCE})
      SELECT '[' || ${counted ? `(SELECT count(*) ${rest})` : 0}
        || ',' || (${wholeMany("FROM first p CROSS JOIN owui_chats c ON c.rowid = p.r", sorted)})
        || ',' || (${many("id", "FROM others", sorted)}) || ']' AS json`;
  },
  get_chats_by_ids: wholeMany(`FROM owui_chats c WHERE c.id IN ${given("ids")}`, "c.id"),
  get_chats_by_model_id: byModel,
};

module.exports = { reads };
