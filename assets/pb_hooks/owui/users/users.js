// @ts-check

/** The host's tables `user` and `api_key`. */

const rows = require("../lib/rows.js");
const { arg, given, value, contains, row, one, many, query, insert, update, find } = rows;
const { members, merge, object } = require("../lib/json.js");

const USER = rows.tables.user;
const AUTH = rows.tables.auth;
const API_KEY = rows.tables.api_key;
const ROW = row(USER, "u");
const BY_ID = `FROM owui_users u WHERE u.id = ${arg("id")}`;
const KEYS_OF_USER = `FROM owui_api_keys k WHERE k.user_id = ${arg("id")}`;
const ROLE = value(USER, "u", "role");

/** None and JSON's null are no identity, an empty object is one. */
const HAS_IDENTITY =
  "(coalesce(u.oauth, 'null') NOT IN ('null', '') OR coalesce(u.scim, 'null') NOT IN ('null', ''))";

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

/** Members of the groups and of all groups below them; UNION ends on cycles. CROSS JOIN begins with the groups. */
const MEMBERS = `(WITH RECURSIVE below (id) AS (
    SELECT g.id FROM owui_groups g WHERE g.id IN ${given("group_ids")}
    UNION SELECT g.id FROM below b CROSS JOIN owui_groups g ON g.parent_group_id = b.id)
  SELECT m.user_id FROM below b CROSS JOIN owui_group_members m ON m.group_id = b.id)`;

/** What users can be filtered by: the parameter which asks for it -> SQL. */
const FILTERS = {
  query: `(${contains(USER, "u", "name", "query")} OR ${contains(USER, "u", "email", "query")})`,
  channel_user_ids: `u.id IN ${given("channel_user_ids")}`,
  user_ids: `u.id IN ${given("user_ids")}`,
  group_ids: `u.id IN ${MEMBERS}`,
  group_user_ids: `u.id IN ${given("group_user_ids")}`,
  roles: `${ROLE} IN ${given("roles")}`,
  excluded_roles: `${ROLE} NOT IN ${given("excluded_roles")}`,
};

/** What users can be sorted by. */
const ORDERS = new Map(
  ["name", "email", "created_at", "last_active_at", "updated_at", "role"].map((name) => [
    name,
    [`u.${name}`],
  ]),
);
ORDERS.set("order_group_ids", [
  `EXISTS (SELECT 1 FROM owui_group_members m
    WHERE m.user_id = u.id AND m.group_id IN ${given("order_group_ids")})`,
  "u.name",
]);
ORDERS.set("order_user_ids", [`u.id IN ${given("order_user_ids")}`, "u.name"]);

/**
 * SQL that answers with how many users there are, and with the rows of a page of them.
 *
 * @param {string[]} conditions
 * @param {string[]} keys SQL of what is sorted by
 * @param {boolean} ascending whether the first of these ascends; the others do
 * @param {string} ties SQL of what decides between equal ones
 */
function page(conditions, keys, ascending, ties) {
  const columns = [...keys, ties].map((key, index) => `${key} AS k${index}`);
  const order = columns.map((_, index) =>
    index === 0 && keys.length && !ascending ? "k0 DESC" : `k${index}`,
  );
  // Rows are made for the page only. What is filtered is looked through once; all users are in the indexes.
  return `WITH
    found AS ${conditions.length ? "" : "NOT "}MATERIALIZED (SELECT u.rowid AS r, ${columns.join(", ")}
      FROM owui_users u ${conditions.length ? "WHERE" : ""} ${conditions.join(" AND ")}),
    page AS (SELECT * FROM found ORDER BY ${order.join(", ")}
      LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0))
    SELECT '[' || (SELECT count(*) FROM found) || ',' || json_group_array(${ROW} ORDER BY ${order.join(", ")}) || ']'
      AS json FROM page p CROSS JOIN owui_users u ON u.rowid = p.r`;
}

const reads = {
  get_user_by_id: one(`SELECT ${ROW} ${BY_ID}`),
  get_user_by_api_key: one(
    `SELECT ${ROW} FROM owui_api_keys k JOIN owui_users u ON u.id = k.user_id WHERE k.key = ${arg("api_key")}`,
  ),
  get_user_by_email: (/** @type {any} */ { email }) =>
    one(`SELECT ${ROW} FROM owui_users u WHERE ${hasAddress(email)}`),
  get_user_by_oauth_sub: one(
    `SELECT ${ROW} FROM owui_users u WHERE u.oauth != 'null' AND ${noted("oauth", "sub")} IN (${arg("sub")}, ${arg("number")}) ORDER BY u.rowid`,
  ),
  get_user_by_scim_external_id: one(
    `SELECT ${ROW} FROM owui_users u WHERE ${noted("scim", "external_id")} IS ${arg("external_id")} ORDER BY u.rowid`,
  ),
  get_scim_users: (/** @type {any} */ args) =>
    page(
      [
        HAS_IDENTITY,
        ...(args.id === undefined ? [] : [`u.id = ${arg("id")}`]),
        ...(args.email === undefined ? [] : [hasAddress(args.email)]),
      ],
      args.ascending === undefined ? [] : ["u.created_at"],
      args.ascending,
      "u.rowid",
    ),
  get_scim_user_by_id: one(`SELECT ${ROW} ${BY_ID} AND ${HAS_IDENTITY}`),
  get_users: (/** @type {any} */ args) =>
    page(
      Object.entries(FILTERS).flatMap(([name, condition]) => (args[name] === undefined ? [] : [condition])),
      ORDERS.get(args.order_by) || [],
      args.ascending,
      // Where ids are looked up, the stock query meets the users in their order.
      ["user_ids", "group_ids", "group_user_ids"].some((name) => args[name] !== undefined)
        ? "u.id"
        : "u.rowid",
    ),
  get_users_by_group_id: many(
    ROW,
    `FROM owui_group_members m JOIN owui_users u ON u.id = m.user_id WHERE m.group_id = ${arg("group_id")}`,
    "m.user_id",
  ),
  get_users_by_user_ids: many(ROW, `FROM owui_users u WHERE u.id IN ${given("ids")}`, "u.id"),
  get_valid_user_ids: many("u.id", `FROM owui_users u WHERE u.id IN ${given("ids")}`, "u.id"),
  get_num_users: "SELECT count(*) AS json FROM owui_users",
  has_users: "SELECT EXISTS (SELECT 1 FROM owui_users) AS json",
  get_first_user: one(
    `SELECT ${ROW} FROM owui_users u WHERE u.created_at = (SELECT min(created_at) FROM owui_users)
     ORDER BY u.role != 'admin', u.id`,
  ),
  get_super_admin_user: one(`SELECT ${ROW} FROM owui_users u WHERE u.role = 'admin' ORDER BY u.rowid`),
  count_active_since: `SELECT count(*) AS json FROM owui_users u WHERE u.last_active_at >= ${arg("since")}`,
  get_last_active_at: one(`SELECT u.last_active_at ${BY_ID}`),
  get_user_api_key_by_id: one(`SELECT json_quote(k.key) ${KEYS_OF_USER} ORDER BY k.rowid`),
};

/**
 * Save a new user.
 *
 * @param {CoreApp} tx
 * @param {any} user values of all columns
 */
function insertUser(tx, user) {
  keepAddressUnique(tx, user);
  insert(tx, USER, user);
}

/**
 * Save changes of a user; the answer is the row.
 *
 * @param {CoreApp} tx
 * @param {core.Record} record
 * @param {Record<string, any>} changes
 */
function updateUser(tx, record, changes) {
  keepAddressUnique(tx, { email: changes.email, id: record.id });
  return update(tx, USER, record, changes);
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
    throw { status: 409, code: "conflict", message: "owui_users: another user's address is empty, too" };
  }
}

/**
 * Delete a user, and what is nobody's without.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function deleteUser(tx, id) {
  for (const collection of ["owui_api_keys", "owui_oauth_sessions"]) {
    deleteAll(tx, collection, { user_id: id });
  }
  deleteAll(tx, USER.collection, { id });
}

/**
 * Delete the records that have these values; the answer is their number.
 *
 * @param {CoreApp} tx
 * @param {string} collection
 * @param {Record<string, any>} values
 */
function deleteAll(tx, collection, values) {
  const found = tx.findAllRecords(collection, $dbx.hashExp(values));
  found.forEach((record) => tx.delete(/** @type {core.Record} */ (record)));
  return found.length;
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {any} args
   */
  insert_new_user(tx, args) {
    insertUser(tx, args.user);
    return "true";
  },

  /**
   * Set columns of a user; an e-mail address is noted with the credentials, too.
   *
   * @param {CoreApp} tx
   * @param {any} args `changes` has the columns that are to change
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
   * The most frequent write, to which nobody listens: without reading and validating the record.
   *
   * @param {CoreApp} tx
   * @param {any} args
   */
  update_last_active_by_id(tx, { id, last_active_at }) {
    tx.db()
      .newQuery("UPDATE owui_users SET last_active_at = {:last_active_at} WHERE id = {:id}")
      .bind({ id, last_active_at })
      .execute();
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
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
   * @param {any} args
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
   * @param {any} args JSON texts: `settings` without and `ui`, or null, with those of the interface; `reset` are
   *   the keys of those which are to be gone
   */
  update_user_settings_by_id(tx, { id, settings, ui, reset }) {
    const record = find(tx, USER, id);
    if (!record) {
      return "null";
    }
    let merged = merge(record.getString("settings"), settings);
    if (ui !== null) {
      const current = members(merge(members(merged).get("ui") || "null", "{}"));
      reset.forEach((/** @type {string} */ key) => current.delete(key));
      merged = merge(merged, object([["ui", merge(object(current), ui)]]));
    }
    return update(tx, USER, record, { settings: merged });
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   */
  delete_user_by_id(tx, { id }) {
    deleteUser(tx, id);
    return "true";
  },

  /**
   * Replace all keys of a user by one.
   *
   * @param {CoreApp} tx
   * @param {any} args
   */
  update_user_api_key_by_id(tx, { api_key }) {
    deleteAll(tx, API_KEY.collection, { user_id: api_key.user_id });
    insert(tx, API_KEY, api_key);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   */
  delete_user_api_key_by_id(tx, { id }) {
    deleteAll(tx, API_KEY.collection, { user_id: id });
    return "true";
  },
};

module.exports = { reads, writes, hasAddress, insertUser, updateUser, deleteUser, deleteAll };
