// @ts-check

/** What the modules of models share. */

const { grantsOn } = require("../access.js");
const { tables, arg, value, row } = require("../lib/rows.js");

/** @typedef {import("../lib/records.js").Values} Values */

const MODEL = tables.model;
const HISTORY = tables.model_history;
const USER = tables.user;

/** A model made from another one; without a base it changes one of a provider's. */
const IS_BASE = `${value(MODEL, "m", "base_model_id")} IS NULL`;
const HAS_BASE = `${value(MODEL, "m", "base_model_id")} IS NOT NULL`;

const BY_ID = `FROM owui_models m WHERE m.key = ${arg("id")}`;

/** A model's row, and the rows of its grants. */
const WITH_GRANTS = `json_array(${row(MODEL, "m")}, ${grantsOn("'model'", "m.key")})`;

/**
 * The record of a model, or null.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function findModel(tx, id) {
  const [record] = tx.findAllRecords(MODEL.collection, $dbx.hashExp({ key: id }));
  return /** @type {core.Record | null} */ (record || null);
}

module.exports = { MODEL, HISTORY, USER, IS_BASE, HAS_BASE, BY_ID, WITH_GRANTS, findModel };
