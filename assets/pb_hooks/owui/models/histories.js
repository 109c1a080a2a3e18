// @ts-check

/** The versions of models: the host's table `model_history`. */

const { update, remove, find, get } = require("../lib/records.js");
const { tables, arg, row, one, many } = require("../lib/rows.js");
const { MODEL, HISTORY, findModel } = require("./_base.js");

/** Versions on a page. */
const ON_A_PAGE = 20;

const ROW = row(HISTORY, "h");

/** What a list shows of a version: all but the snapshot. */
const LISTED = `json_array(${HISTORY.columns
  .map(({ name, field }) => (name === "snapshot" ? "NULL" : `h.${field}`))
  .join(", ")}, h.nulls)`;

/** The name of whoever made a version, if users are in PocketBase. */
const AUTHOR = `(SELECT u.name FROM ${tables.user.collection} u WHERE u.id = h.user_id)`;

const reads = {
  get_history_by_id: one(`SELECT json_array(${ROW}, ${AUTHOR}) FROM owui_model_histories h
    WHERE h.id = ${arg("id")} AND h.model_id = ${arg("model_id")}`),
  get_history_by_model_id: many(
    `json_array(${LISTED}, ${AUTHOR})`,
    `FROM (SELECT v.* FROM owui_model_histories v WHERE v.model_id = ${arg("model_id")}
      ORDER BY v.created_at DESC, v.id DESC LIMIT ${ON_A_PAGE} OFFSET (${arg("page")} - 1) * ${ON_A_PAGE}) h`,
    "h.created_at DESC, h.id DESC",
  ),
};

const writes = {
  /**
   * Delete a version; the ones that were made from it get its parent. False if there is no such version.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, model_id: string }} args
   */
  delete_history_entry(tx, { id, model_id }) {
    const model = findModel(tx, model_id);
    if (!model) {
      return "false";
    }
    if (get(MODEL, model, "version_id") === id) {
      throw { status: 400, code: "current_version", message: "Cannot delete the current version" };
    }
    const version = find(tx, HISTORY, id);
    if (!version || version.getString("model_id") !== model_id) {
      return "false";
    }
    const parent_id = get(HISTORY, version, "parent_id");
    for (const child of tx.findAllRecords(HISTORY.collection, $dbx.hashExp({ model_id, parent_id: id }))) {
      update(tx, HISTORY, /** @type {core.Record} */ (child), { parent_id });
    }
    remove(tx, HISTORY, [id]);
    return "true";
  },
};

module.exports = { reads, writes };
