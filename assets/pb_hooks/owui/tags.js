// @ts-check

/** The host's table `tag`: labels of one user's chats. A tag's id is made from its name and unique per user. */

const { tables, arg, given, row, one, many, query, insert } = require("./lib/rows.js");

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
   * @param {any} args
   */
  insert_new_tag(tx, args) {
    return insert(tx, TAG, args.tag);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   */
  delete_tags_by_ids_and_user_id(tx, { ids, user_id }) {
    for (const record of tx.findAllRecords(TAG.collection, $dbx.hashExp({ user_id, key: ids }))) {
      tx.delete(record);
    }
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args `ids` of all and, in the same order, their `names`
   * @param {string} body
   */
  ensure_tags_exist(tx, args, body) {
    /** @type {string[]} */
    const existing = JSON.parse(query(tx, many("t.key", NAMED, "t.key"), body));
    args.ids.forEach((/** @type {string} */ id, /** @type {number} */ index) => {
      if (!existing.includes(id)) {
        insert(tx, TAG, { id, name: args.names[index], user_id: args.user_id, meta: null });
      }
    });
    return "null";
  },
};

module.exports = { reads, writes };
