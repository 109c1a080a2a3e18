// @ts-check

/** The host's table `user`: one user at a time. */

const { members, merge, object } = require("../lib/json.js");
const { update, find } = require("../lib/records.js");
const { arg, one, query } = require("../lib/rows.js");
const {
  USER,
  AUTH,
  ROW,
  BY_ID,
  HAS_IDENTITY,
  hasAddress,
  insertUser,
  updateUser,
  deleteUser,
} = require("./_base.js");

/** @typedef {import("../lib/records.js").Values} Values */

/**
 * SQL of the text or number which a provider has noted in a JSON column: {provider: {member: ...}}. The provider's
 * name is compared, not put into a JSON path, which could not express all names.
 *
 * @param {string} column
 * @param {string} member
 */
function noted(column, member) {
  return `(SELECT json_extract(p.value, '$.${member}') FROM json_each(u.${column}) p
    WHERE p.key = ${arg("provider")} AND p.type = 'object')`;
}

const reads = {
  get_user_by_id: one(`SELECT ${ROW} ${BY_ID}`),
  get_user_by_email: (/** @type {{ email: string }} */ { email }) =>
    one(`SELECT ${ROW} FROM owui_users u WHERE ${hasAddress(email)}`),
  get_user_by_oauth_sub: one(
    `SELECT ${ROW} FROM owui_users u WHERE u.oauth != 'null' AND ${noted("oauth", "sub")} IN (${arg("sub")}, ${arg("number")}) ORDER BY u.rowid`,
  ),
  get_user_by_scim_external_id: one(
    `SELECT ${ROW} FROM owui_users u WHERE ${noted("scim", "external_id")} IS ${arg("external_id")} ORDER BY u.rowid`,
  ),
  get_scim_user_by_id: one(`SELECT ${ROW} ${BY_ID} AND ${HAS_IDENTITY}`),
  get_first_user: one(
    `SELECT ${ROW} FROM owui_users u WHERE u.created_at = (SELECT min(created_at) FROM owui_users)
     ORDER BY u.role != 'admin', u.id`,
  ),
  get_super_admin_user: one(`SELECT ${ROW} FROM owui_users u WHERE u.role = 'admin' ORDER BY u.rowid`),
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ user: Values & { id: string } }} args
   */
  insert_new_user(tx, { user }) {
    insertUser(tx, user);
    return "true";
  },

  /**
   * Set columns of a user; an e-mail address is also noted with the credentials.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, changes: Values }} args `changes` has the columns that are to change
   */
  update_user_by_id(tx, { id, changes }) {
    const record = find(tx, USER, id);
    if (!record) {
      return "null";
    }
    const auth = changes.email === undefined ? null : find(tx, AUTH, id);
    if (auth) {
      update(tx, AUTH, auth, { email: changes.email });
    }
    return updateUser(tx, record, changes);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, provider: string, sub: string }} args
   */
  update_user_oauth_by_id(tx, { id, provider, sub }) {
    const record = find(tx, USER, id);
    if (!record) {
      return "null";
    }
    const before = record.getString("oauth");
    const known = members(merge(before, "{}")).get(provider) || "";
    const identity = merge(known.startsWith("{") ? known : "{}", JSON.stringify({ sub }));
    return update(tx, USER, record, { oauth: merge(before, object([[provider, identity]])) });
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, provider: string, external_id: string, updated_at: number }} args
   * @param {string} body
   */
  update_user_scim_by_id(tx, { id, provider, external_id, updated_at }, body) {
    const record = find(tx, USER, id);
    if (!record) {
      return "null";
    }
    const before = record.getString("scim");
    const known = members(merge(before, "{}")).get(provider) || "";
    const noted = known.startsWith("{") ? members(known) : new Map();
    if (
      noted.size === 1 &&
      noted.has("external_id") &&
      JSON.parse(noted.get("external_id")) === external_id
    ) {
      return query(tx, reads.get_user_by_id, body);
    }
    const scim = merge(before, object([[provider, JSON.stringify({ external_id })]]));
    return update(tx, USER, record, { scim, updated_at });
  },

  /**
   * Merge settings; those of the user interface key by key.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, settings: string, ui: string | null, reset: string[] }} args JSON texts: `settings` without
   *   and `ui`, or null, with those of the interface; `reset` are the keys of those which are to be gone
   */
  update_user_settings_by_id(tx, { id, settings, ui, reset }) {
    const record = find(tx, USER, id);
    if (!record) {
      return "null";
    }
    let merged = merge(record.getString("settings"), settings);
    if (ui !== null) {
      const current = members(merge(members(merged).get("ui") || "null", "{}"));
      reset.forEach((key) => current.delete(key));
      merged = merge(merged, object([["ui", merge(object(current), ui)]]));
    }
    return update(tx, USER, record, { settings: merged });
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   */
  delete_user_by_id(tx, { id }) {
    deleteUser(tx, id);
    return "true";
  },
};

module.exports = { reads, writes };
