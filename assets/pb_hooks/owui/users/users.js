// @ts-check

/** The host's table `user`: one user at a time. */

const { members, merged, merge, object } = require("../lib/json.js");
const { update, find } = require("../lib/records.js");
const { arg, one, query } = require("../lib/rows.js");
const {
  AUTH,
  ROW,
  BY_ID,
  HAS_IDENTITY,
  hasAddress,
  insertUser,
  updateUser,
  stored,
  updateUserAsGiven,
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
    const row = updateUserAsGiven(tx, id, changes);
    const auth = row === "null" || changes.email === undefined ? null : find(tx, AUTH, id);
    if (auth) {
      update(tx, AUTH, auth, { email: changes.email });
    }
    return row;
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, provider: string, sub: string }} args
   * @param {string} body
   */
  update_user_oauth_by_id(tx, { id, provider, sub }, body) {
    const found = stored(tx, "oauth", body);
    if (!found) {
      return "null";
    }
    const [before] = found;
    const known = members(merge(before, "{}")).get(provider) || "";
    const identity = merge(known.startsWith("{") ? known : "{}", JSON.stringify({ sub }));
    return updateUser(tx, id, { oauth: merge(before, object([[provider, identity]])) });
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, provider: string, external_id: string, updated_at: number }} args
   * @param {string} body
   */
  update_user_scim_by_id(tx, { id, provider, external_id, updated_at }, body) {
    const found = stored(tx, "scim", body);
    if (!found) {
      return "null";
    }
    const [before] = found;
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
    return updateUser(tx, id, { scim, updated_at });
  },

  /**
   * Merge settings; those of the user interface key by key.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, settings: string, ui: string | null, reset: string[] }} args JSON texts: `settings` without
   *   and `ui`, or null, with those of the interface; `reset` are the keys of those which are to be gone
   * @param {string} body
   */
  update_user_settings_by_id(tx, { id, settings, ui, reset }, body) {
    const found = stored(tx, "settings", body);
    if (!found) {
      return "null";
    }
    const all = merged(found[0], settings);
    if (ui !== null) {
      const current = merged(all.get("ui") || "null", ui);
      reset.forEach((key) => current.delete(key));
      all.set("ui", object(current));
    }
    return updateUser(tx, id, { settings: object(all) });
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
