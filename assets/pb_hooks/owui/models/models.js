// @ts-check

/** One model, and what creates, changes and deletes models: the host's table `model`, with versions and grants. */

const { replaceGrants } = require("../access.js");
const { execute } = require("../lib/bulk.js");
const { members, merge, object } = require("../lib/json.js");
const { insert, update, find, get } = require("../lib/records.js");
const { given, value, row, one, many, query } = require("../lib/rows.js");
const { MODEL, HISTORY, BY_ID, WITH_GRANTS, findModel } = require("./_base.js");
const lists = require("./lists.js");

/** @typedef {import("../lib/records.js").Values} Values */
/**
 * What becomes of one model: a new one has a `model`, with its first version and its grants; another one `changes`,
 * if its version is still `version_id`, and a new version if its configuration changes.
 *
 * @typedef {{ id: string, model: Values, history: Values, grants: Values[] }} Creation
 * @typedef {{ id: string, version_id: string | null, changes: Values, history: Values | null }} Change
 */

const META = `json_array(m.meta, ${value(MODEL, "m", "user_id")}, ${value(MODEL, "m", "updated_at")})`;

const GET_MODEL = one(`SELECT ${WITH_GRANTS} ${BY_ID}`);

const reads = {
  get_model_by_id: GET_MODEL,
  get_model_row: one(`SELECT ${row(MODEL, "m")} ${BY_ID}`),
  get_model_meta_by_id: one(`SELECT ${META} ${BY_ID}`),
  /** Ids of all models, and the rows of those that are listed. */
  get_models_to_sync: `SELECT json_array(
    json((SELECT json_group_array(m.key ORDER BY m.rowid) FROM owui_models m)),
    json((SELECT json_group_array(${row(MODEL, "m")} ORDER BY m.rowid) FROM owui_models m
      WHERE m.key IN ${given("ids")}))) AS json`,
};

/**
 * Delete versions and grants of models.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with `ids`
 */
function deleteBelongings(tx, body) {
  for (const which of [
    "owui_access_grants WHERE resource_type = 'model' AND resource_id",
    "owui_model_histories WHERE model_id",
  ]) {
    execute(tx, `DELETE FROM ${which} IN ${given("ids")}`, body);
  }
}

/**
 * @param {CoreApp} tx
 * @param {Creation} creation
 */
function create(tx, { id, model, history, grants }) {
  // A model that was deleted in SQL may have left some: they are not those of the new one.
  deleteBelongings(tx, JSON.stringify({ ids: [id] }));
  insert(tx, HISTORY, history);
  insert(tx, MODEL, model);
  replaceGrants(tx, JSON.stringify({ resource_type: "model", resource_id: id }), grants);
}

/**
 * @param {CoreApp} tx
 * @param {Change} change
 */
function change(tx, { id, version_id, changes, history }) {
  const record = findModel(tx, id);
  if (!record || get(MODEL, record, "version_id") !== version_id) {
    throw { status: 409, code: "version_conflict", message: "The model has another version now." };
  }
  if (history) {
    insert(tx, HISTORY, history);
  }
  update(tx, MODEL, record, changes);
}

/**
 * Delete models with their versions and grants.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with `ids`
 */
function deleteModels(tx, body) {
  deleteBelongings(tx, body);
  execute(tx, `DELETE FROM owui_models WHERE key IN ${given("ids")}`, body);
}

/**
 * Change a model if there is one.
 *
 * @param {CoreApp} tx
 * @param {string} id
 * @param {(record: core.Record) => Values} changesOf
 */
function changeIfThere(tx, id, changesOf) {
  const record = findModel(tx, id);
  if (!record) {
    return "null";
  }
  update(tx, MODEL, record, changesOf(record));
  return "true";
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {Creation} args
   */
  insert_new_model(tx, args) {
    create(tx, args);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {Change} args
   */
  update_model_by_id(tx, args) {
    change(tx, args);
    return "true";
  },

  /**
   * Go back to a version: whether the model is hidden belongs to the live model.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, version_id: string, changes: Values }} args
   */
  set_production_version(tx, { id, version_id, changes }) {
    return changeIfThere(tx, id, (record) => {
      const version = find(tx, HISTORY, version_id);
      if (!version || version.getString("model_id") !== id) {
        throw { status: 404, code: "version_not_found", message: "Model version not found" };
      }
      const meta = members(changes.meta);
      const hidden = members(merge(record.getString("meta"), "{}")).get("hidden");
      if (hidden !== undefined) {
        meta.set("hidden", hidden);
      }
      return { ...changes, meta: object(meta), version_id };
    });
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, updated_at: number }} args
   */
  toggle_model_by_id(tx, { id, updated_at }) {
    return changeIfThere(tx, id, (record) => ({ is_active: !record.getBool("is_active"), updated_at }));
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, updated_at: number }} args
   */
  update_model_updated_at_by_id(tx, { id, updated_at }) {
    return changeIfThere(tx, id, () => ({ updated_at }));
  },

  /**
   * @param {CoreApp} tx
   * @param {{ ids: string[] }} args
   * @param {string} body
   */
  delete_models(tx, args, body) {
    deleteModels(tx, body);
    return "null";
  },

  /** @param {CoreApp} tx */
  delete_all_models(tx) {
    const ids = query(tx, many("m.key", "FROM owui_models m", "m.rowid"), "");
    deleteModels(tx, `{"ids":${ids}}`);
    return "null";
  },

  /**
   * Create and change models in their order, and delete others; reply with the rows of `ids`.
   *
   * @param {CoreApp} tx
   * @param {{ steps: (Creation | Change)[], ids: string[], deleted: string[] }} args
   */
  sync_models(tx, { steps, deleted }) {
    for (const step of steps) {
      if ("model" in step) {
        create(tx, step);
      } else {
        change(tx, step);
      }
    }
    deleteModels(tx, JSON.stringify({ ids: deleted }));
    return "true";
  },
};

const answers = {
  insert_new_model: GET_MODEL,
  update_model_by_id: GET_MODEL,
  set_production_version: GET_MODEL,
  toggle_model_by_id: GET_MODEL,
  update_model_updated_at_by_id: GET_MODEL,
  sync_models: lists.reads.get_models_by_ids,
};

module.exports = { reads, writes, answers, deleteBelongings };
