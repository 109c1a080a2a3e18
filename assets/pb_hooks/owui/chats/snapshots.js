// @ts-check

/** The host's table `shared_chat`: chats as they were when they were shared. */

const { tables, arg, value, contains, row, one, many } = require("../lib/rows.js");
const { NOW, execute } = require("../lib/bulk.js");
const { PAGE } = require("../lib/paging.js");
const { MODE_BEFORE, TIME, insertSnapshot, updateSnapshot, deleteSnapshots } = require("./_snapshot.js");

const SHARED = tables.shared_chat;

/** Columns that lists can be sorted by. */
const SORTABLE = SHARED.columns.filter(({ name }) => name !== "chat").map(({ name }) => name);

const GIVEN_MODE = "coalesce({:body} -> '$.share_mode', 'null')";

const WITH_ID = `s.id = ${arg("id")}`;

const CREATE = insertSnapshot(arg("user_id"), GIVEN_MODE);
const UPDATE = updateSnapshot(MODE_BEFORE, WITH_ID, TIME);
const UPDATE_WITH_MODE = updateSnapshot(GIVEN_MODE, WITH_ID, TIME);

/** Those who may only look from now on see the chat as it is now. */
const END_CONTINUING = updateSnapshot(MODE_BEFORE, `${WITH_ID} AND s.chat ->> '$.share_mode' = 'continue'`);
const SET_MODE = `UPDATE owui_shared_chats AS s
  SET chat = json_set(s.chat, '$.share_mode', json(${GIVEN_MODE})), updated = ${NOW} WHERE ${WITH_ID}`;

/** What a list has of a snapshot. */
const LISTED = ["id", "chat_id", "title", "updated_at", "created_at"]
  .map((name) => value(SHARED, "s", name))
  .join(", ");

const BY_ID = one(`SELECT ${row(SHARED, "s")} FROM owui_shared_chats s WHERE ${WITH_ID}`);

/**
 * A page of a user's snapshots without what is in them.
 *
 * @param {{ user_id: string, query?: string, order_by?: string, ascending?: boolean, skip: number, limit: number }} args
 *   `query` in lower case; `limit` is -1 for all
 */
function get_by_user_id({ query: text, order_by, ascending }) {
  const order =
    order_by !== undefined && SORTABLE.includes(order_by)
      ? `${value(SHARED, "s", order_by)} ${ascending ? "ASC" : "DESC"}, s.rowid`
      : "s.rowid";
  const matching = text === undefined ? "" : `AND ${contains(SHARED, "s", "title", "query")}`;
  return many(
    "json(p.item)",
    `FROM (SELECT json_array(${LISTED}) AS item, row_number() OVER (ORDER BY ${order}) AS number
      FROM owui_shared_chats s WHERE s.user_id = ${arg("user_id")} ${matching}
      ORDER BY number ${PAGE}) p`,
    "p.number",
  );
}

const reads = {
  get_by_id: BY_ID,
  get_by_chat_id: one(`SELECT ${row(SHARED, "s")} FROM owui_shared_chats s WHERE s.chat_id = ${arg("chat_id")}
    ORDER BY s.updated_at DESC, s.rowid`),
  get_by_user_id,
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ id: string, chat_id: string, user_id: string, share_mode?: string | null, now: number }} args
   * @param {string} body
   */
  create(tx, args, body) {
    return execute(tx, CREATE, body) ? "true" : "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, share_mode?: string | null, now: number }} args `share_mode` is set if it is given, even null
   * @param {string} body
   */
  update(tx, args, body) {
    return execute(tx, "share_mode" in args ? UPDATE_WITH_MODE : UPDATE, body) ? "true" : "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, share_mode: string | null }} args
   * @param {string} body
   */
  set_share_mode(tx, args, body) {
    if (args.share_mode === null) {
      execute(tx, END_CONTINUING, body);
    }
    execute(tx, SET_MODE, body);
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   * @param {string} body
   */
  delete_by_id(tx, args, body) {
    execute(tx, deleteSnapshots("id"), body);
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ chat_id: string }} args
   * @param {string} body
   */
  delete_by_chat_id(tx, args, body) {
    execute(tx, deleteSnapshots("chat_id"), body);
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_id: string }} args
   * @param {string} body
   */
  delete_all_by_user_id(tx, args, body) {
    execute(tx, deleteSnapshots("user_id"), body);
    return "null";
  },
};

const answers = {
  create: BY_ID,
  update: BY_ID,
};

module.exports = { reads, writes, answers };
