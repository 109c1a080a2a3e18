// @ts-check

/** The host's table `tag`: labels of one user's chats. A tag's id is made from its name and unique per user. */

const { insert, removeWhere } = require("./lib/records.js");
const { settleTags } = require("./lib/stale.js");
const { tables, arg, given, row, one, many, query } = require("./lib/rows.js");

/** @typedef {import("./lib/records.js").Values} Values */

const TAG = tables.tag;
const OWN = `FROM owui_tags t WHERE t.user_id = ${arg("user_id")}`;
const NAMED = `${OWN} AND t.key IN ${given("ids")}`;

const reads = {
  get_tag_by_name_and_user_id: one(`SELECT ${row(TAG, "t")} ${OWN} AND t.key = ${arg("id")}`),
  get_tags_by_user_id: many(row(TAG, "t"), OWN, "t.rowid"),
  get_tags_by_ids_and_user_id: many(row(TAG, "t"), NAMED, "t.key"),
};

/**
 * Create those tags which the user does not have; false, and none, if two of these have the same id.
 *
 * @param {CoreApp} tx
 * @param {string} user_id
 * @param {string[]} ids
 * @param {string[]} names in the same order
 */
function ensure(tx, user_id, ids, names) {
  /** @type {string[]} */
  const found = JSON.parse(query(tx, many("t.key", NAMED, "t.key"), JSON.stringify({ user_id, ids })));
  const missing = ids.map((id, at) => ({ id, name: names[at] })).filter(({ id }) => !found.includes(id));
  if (new Set(missing.map(({ id }) => id)).size < missing.length) {
    return false;
  }
  for (const tag of missing) {
    insert(tx, TAG, { ...tag, user_id, meta: null });
  }
  settleTags(tx);
  return true;
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ tag: Values }} args
   */
  insert_new_tag(tx, { tag }) {
    const made = insert(tx, TAG, tag);
    settleTags(tx);
    return made;
  },

  /**
   * @param {CoreApp} tx
   * @param {{ ids: string[], user_id: string }} args
   */
  delete_tags_by_ids_and_user_id(tx, { ids, user_id }) {
    removeWhere(tx, TAG, { user_id, key: ids });
    settleTags(tx);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ ids: string[], names: string[], user_id: string }} args the names are in the order of the ids
   */
  ensure_tags_exist(tx, { ids, names, user_id }) {
    if (!ensure(tx, user_id, ids, names)) {
      throw { status: 409, code: "conflict", message: "owui_tags: two tags have the same id" };
    }
    return "null";
  },
};

module.exports = { reads, writes, ensure };
