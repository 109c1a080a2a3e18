// @ts-check

/** The host's table `folder`: the tree of folders in one user's sidebar. */

const { merge } = require("./lib/json.js");
const { insert, update, remove, find, get } = require("./lib/records.js");
const rows = require("./lib/rows.js");
const { arg, given, value, matches, row, one, many, query, recordIds } = rows;

/** @typedef {import("./lib/records.js").Values} Values */
/** @typedef {{ id: string, user_id: string }} Own names a folder of a user */

const FOLDER = rows.tables.folder;
const OWN = `FROM owui_folders f WHERE ${matches(FOLDER, "f", "user_id")}`;
const BY_ID = `${OWN} AND f.id = ${arg("id")}`;
const SIBLINGS = `FROM owui_folders o CROSS JOIN owui_folders f ON f.user_id = o.user_id AND f.parent_id = o.parent_id
  AND ${value(FOLDER, "f", "parent_id")} IS ${value(FOLDER, "o", "parent_id")}
  WHERE o.id = ${arg("id")} AND ${matches(FOLDER, "f", "name")}`;
const LATEST_FIRST = "f.updated_at DESC, f.rowid";

/** A folder and everything below it that belongs to the same user; UNION ends on cycles. */
const SUBTREE = `WITH RECURSIVE subtree (id) AS (
  SELECT f.id ${BY_ID}
  UNION SELECT f.id FROM owui_folders f JOIN subtree s ON f.parent_id = s.id
  WHERE ${matches(FOLDER, "f", "user_id")})`;
const IN_SUBTREE = "FROM owui_folders f WHERE f.id IN (SELECT id FROM subtree)";

/** The user's folders, those named, and everything below them whoever owns it. */
const REACHABLE = `WITH RECURSIVE reachable (id) AS (
  SELECT f.id ${OWN}
  UNION SELECT value FROM ${given("ids")}
  UNION SELECT f.id FROM owui_folders f JOIN reachable r ON f.parent_id = r.id)`;

const reads = {
  get_folder_by_id: one(`SELECT ${row(FOLDER, "f")} FROM owui_folders f WHERE f.id = ${arg("id")}`),
  get_folder_by_id_and_user_id: one(`SELECT ${row(FOLDER, "f")} ${BY_ID}`),
  get_folders_by_ids: many(
    row(FOLDER, "f"),
    `FROM owui_folders f WHERE f.id IN ${given("ids")}`,
    "f.updated_at DESC, f.id", // with the ids as keys, the stock query meets rows of the same time in their order
  ),
  get_folders_by_user_id: many(row(FOLDER, "f"), OWN, "f.rowid"),
  get_folder_by_parent_id_and_user_id_and_name: one(
    `SELECT ${row(FOLDER, "f")} ${OWN} AND ${matches(FOLDER, "f", "parent_id")}
     AND lower(${value(FOLDER, "f", "name")}) = lower(${arg("name")}) ORDER BY f.rowid`,
  ),
  get_folders_by_parent_id_and_user_id: many(
    row(FOLDER, "f"),
    `${OWN} AND ${matches(FOLDER, "f", "parent_id")}`,
    LATEST_FIRST,
  ),
  get_subtree: `${SUBTREE} ${many(row(FOLDER, "f"), IN_SUBTREE, LATEST_FIRST)}`,
  get_subtree_ids: `${SUBTREE} ${many("f.id", IN_SUBTREE, LATEST_FIRST)}`,
  get_folder_ids_by_user_id: many("f.id", OWN, "f.rowid"),
  get_reachable_folders: `${REACHABLE} ${many(
    `json_array(f.id, f.name, ${value(FOLDER, "f", "parent_id")}, f.user_id)`,
    "FROM owui_folders f WHERE f.id IN (SELECT id FROM reachable)",
    "f.rowid",
  )}`,
};

/**
 * The user's folder, or null.
 *
 * @param {CoreApp} tx
 * @param {Own} args
 */
function own(tx, { id, user_id }) {
  const record = find(tx, FOLDER, id);
  return record && get(FOLDER, record, "user_id") === user_id ? record : null;
}

/**
 * Change a folder; returns its row, or null if there is no such folder.
 *
 * @param {CoreApp} tx
 * @param {core.Record | null} record
 * @param {Values} values
 */
function change(tx, record, values) {
  return record ? update(tx, FOLDER, record, values) : "null";
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ folder: Values }} args
   */
  insert_new_folder(tx, { folder }) {
    return insert(tx, FOLDER, folder);
  },

  /**
   * @param {CoreApp} tx
   * @param {Own & { parent_id: string | null, updated_at: number }} args
   */
  update_folder_parent_id_by_id_and_user_id(tx, args) {
    return change(tx, own(tx, args), { parent_id: args.parent_id, updated_at: args.updated_at });
  },

  /**
   * @param {CoreApp} tx
   * @param {Own & { is_expanded: boolean, updated_at: number }} args
   */
  update_folder_is_expanded_by_id_and_user_id(tx, args) {
    return change(tx, own(tx, args), { is_expanded: args.is_expanded, updated_at: args.updated_at });
  },

  /**
   * Set the name and merge data and meta, unless a sibling has exactly this name.
   *
   * @param {CoreApp} tx
   * @param {Own & { changes: { name?: string | null, data?: string, meta?: string }, updated_at: number }} args `changes` has
   *   the columns which are to change; data and meta are JSON texts of objects
   */
  update_folder_by_id_and_user_id(tx, args) {
    const record = own(tx, args);
    if (!record) {
      return "null";
    }
    const { name = null, data, meta } = args.changes;
    const [first] = recordIds(tx, SIBLINGS, JSON.stringify({ id: args.id, name }), "f");
    if (first && first !== args.id) {
      return "null";
    }
    return change(tx, record, {
      name: args.changes.name,
      data: data === undefined ? undefined : merge(record.getString("data"), data),
      meta: meta === undefined ? undefined : merge(record.getString("meta"), meta),
      updated_at: args.updated_at,
    });
  },

  /**
   * Delete a folder and everything below it; reply with the rows [id, parent_id] that were there.
   *
   * @param {CoreApp} tx
   * @param {Own} args
   * @param {string} body
   */
  delete_folder_by_id_and_user_id(tx, args, body) {
    const item = `json_array(f.id, ${value(FOLDER, "f", "parent_id")})`;
    const deleted = query(tx, `${SUBTREE} ${many(item, IN_SUBTREE, LATEST_FIRST)}`, body);
    /** @type {[string, string | null][]} */
    const found = JSON.parse(deleted);
    remove(
      tx,
      FOLDER,
      found.map(([id]) => id),
    );
    return deleted;
  },
};

module.exports = { reads, writes };
