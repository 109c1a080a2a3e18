// @ts-check

/** The host's table `api_key`: one key of a user at most. */

const { insert, removeWhere } = require("../lib/records.js");
const { arg, one } = require("../lib/rows.js");
const { API_KEY, ROW } = require("./_base.js");
const { person } = require("./_signed_in.js");

/** @typedef {import("../lib/records.js").Values} Values */

const KEYS_OF_USER = `FROM owui_api_keys k WHERE k.user_id = ${arg("id")}`;

const OWNER = `(SELECT k.user_id FROM owui_api_keys k WHERE k.key = ${arg("api_key")})`;

const reads = {
  get_user_by_api_key: one(
    `SELECT ${ROW} FROM owui_api_keys k JOIN owui_users u ON u.id = k.user_id WHERE k.key = ${arg("api_key")}`,
  ),
  get_person_by_api_key: `SELECT '[' || ${person(OWNER)} || ']' AS json`,
  get_user_api_key_by_id: one(`SELECT json_quote(k.key) ${KEYS_OF_USER} ORDER BY k.rowid`),
};

const writes = {
  /**
   * Replace all keys of a user by one.
   *
   * @param {CoreApp} tx
   * @param {{ api_key: Values }} args
   */
  update_user_api_key_by_id(tx, { api_key }) {
    removeWhere(tx, API_KEY, { user_id: api_key.user_id });
    insert(tx, API_KEY, api_key);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   */
  delete_user_api_key_by_id(tx, { id }) {
    removeWhere(tx, API_KEY, { user_id: id });
    return "true";
  },
};

module.exports = { reads, writes };
