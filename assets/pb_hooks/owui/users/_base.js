// @ts-check

/** What the modules of users share: a user's row, and what is done with it for users and for credentials. */

const { isReordered } = require("../lib/json.js");
const { insert, update, updatePlainly, removeWhere, find } = require("../lib/records.js");
const { tables, arg, value, row, one, query } = require("../lib/rows.js");

/** @typedef {import("../lib/records.js").Values} Values */

const USER = tables.user;
const AUTH = tables.auth;
const API_KEY = tables.api_key;
const OAUTH_SESSION = tables.oauth_session;

const ROW = row(USER, "u");
const BY_ID = `FROM owui_users u WHERE u.id = ${arg("id")}`;

const STORED = {
  info: one(`SELECT json_array(u.info) ${BY_ID}`),
  variables: one(`SELECT json_array(u.variables) ${BY_ID}`),
  settings: one(`SELECT json_array(u.settings) ${BY_ID}`),
  oauth: one(`SELECT json_array(u.oauth) ${BY_ID}`),
  scim: one(`SELECT json_array(u.scim) ${BY_ID}`),
};

/** None and JSON's null are no identity, an empty object is one. */
const HAS_IDENTITY =
  "(coalesce(u.oauth, 'null') NOT IN ('null', '') OR coalesce(u.scim, 'null') NOT IN ('null', ''))";

/**
 * SQL of "the user has this address, in any ASCII case"; the parameter `email` comes in lower case.
 *
 * The index is only for addresses that are not empty. It compares up to a NUL: lower() decides.
 *
 * @param {string} email which of the two questions it is; its value is not put into the SQL
 */
function hasAddress(email) {
  return email === ""
    ? `u.email = '' AND ${value(USER, "u", "email")} IS NOT NULL`
    : `u.email != '' AND u.email = ${arg("email")} COLLATE NOCASE AND lower(u.email) = ${arg("email")}`;
}

/**
 * Save a new user.
 *
 * @param {CoreApp} tx
 * @param {Values & { id: string }} user values of all columns
 */
function insertUser(tx, user) {
  keepAddressUnique(tx, user);
  insert(tx, USER, user);
}

/**
 * Save changes of a user; returns the row, `null` if there is none.
 *
 * @param {CoreApp} tx
 * @param {string} id
 * @param {Values} changes
 */
function updateUser(tx, id, changes) {
  if (changes.email === undefined) {
    return updatePlainly(tx, USER, id, changes);
  }
  const record = find(tx, USER, id);
  if (!record) {
    return "null";
  }
  keepAddressUnique(tx, { email: changes.email, id });
  return update(tx, USER, record, changes);
}

/**
 * What a user's JSON column has, as one item of an array; null if there is no such user.
 *
 * @param {CoreApp} tx
 * @param {keyof typeof STORED} column
 * @param {string} body JSON text with `id`
 * @returns {[string | number | null] | null}
 */
function stored(tx, column, body) {
  return JSON.parse(query(tx, STORED[column], body));
}

/**
 * Save changes of a user as `updateUser` does, but for JSON that says what is stored in another order: as with stock, that
 * stays, and the row that is returned has what was given.
 *
 * @param {CoreApp} tx
 * @param {string} id
 * @param {Values} changes
 */
function updateUserAsGiven(tx, id, changes) {
  const columns = /** @type {(keyof typeof STORED)[]} */ (Object.keys(STORED));
  const body = JSON.stringify({ id });
  const same = columns.filter(
    (column) => changes[column] && isReordered(stored(tx, column, body)?.[0], changes[column]),
  );
  const others = Object.entries(changes).filter(([name]) => !same.includes(/** @type {any} */ (name)));
  const row = updateUser(tx, id, Object.fromEntries(others));
  if (row === "null" || !same.length) {
    return row;
  }
  const values = JSON.parse(row);
  for (const column of same) {
    values[USER.columns.findIndex(({ name }) => name === column)] = changes[column];
  }
  return JSON.stringify(values);
}

/**
 * Refuse a second user whose address is the empty text; of others the index takes care.
 *
 * @param {CoreApp} tx
 * @param {{ email?: string | null, id: string }} user
 */
function keepAddressUnique(tx, { email, id }) {
  const others = `FROM owui_users u WHERE ${hasAddress("")} AND u.id != ${arg("id")}`;
  if (
    email === "" &&
    query(tx, `SELECT EXISTS (SELECT 1 ${others}) AS json`, JSON.stringify({ id })) !== "0"
  ) {
    throw { status: 409, code: "conflict", message: "owui_users: another user's address is also empty" };
  }
}

/**
 * Delete a user, and what is nobody's without.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function deleteUser(tx, id) {
  for (const table of [API_KEY, OAUTH_SESSION]) {
    removeWhere(tx, table, { user_id: id });
  }
  removeWhere(tx, USER, { id });
}

module.exports = {
  USER,
  AUTH,
  API_KEY,
  OAUTH_SESSION,
  ROW,
  BY_ID,
  HAS_IDENTITY,
  hasAddress,
  insertUser,
  updateUser,
  stored,
  updateUserAsGiven,
  deleteUser,
};
