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
   * @param {string} body
   */
  ensure_tags_exist(tx, { ids, names, user_id }, body) {
    /** @type {string[]} */
    const existing = JSON.parse(query(tx, many("t.key", NAMED, "t.key"), body));
    ids.forEach((id, index) => {
      if (!existing.includes(id)) {
        insert(tx, TAG, { id, name: names[index], user_id, meta: null });
      }
    });
    settleTags(tx);
    return "null";
  },
};

module.exports = { reads, writes };
