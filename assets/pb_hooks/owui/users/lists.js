// @ts-check

/** Several users at once: lists, pages and searches. */

const { PAGE } = require("../lib/paging.js");
const { arg, given, value, contains, many } = require("../lib/rows.js");
const { membersBelow } = require("../lib/trees.js");
const { USER, ROW, HAS_IDENTITY, hasAddress } = require("./_base.js");

/**
 * @typedef {Partial<Record<keyof typeof FILTERS, unknown>> & { order_by?: string, ascending: boolean }} Asked filters and
 *   order of a list
 */

const ROLE = value(USER, "u", "role");

/** Members of the groups and of all groups below them. */
const MEMBERS = membersBelow(`SELECT g.id FROM owui_groups g WHERE g.id IN ${given("group_ids")}`);

/** What users can be filtered by: the parameter which asks for it -> SQL. */
const FILTERS = {
  query: `(${contains(USER, "u", "name", "query")} OR ${contains(USER, "u", "email", "query")})`,
  channel_id: `u.id IN (SELECT m.user_id FROM owui_channel_members m WHERE m.channel_id = ${arg("channel_id")})`,
  channel_user_ids: `u.id IN ${given("channel_user_ids")}`,
  user_ids: `u.id IN ${given("user_ids")}`,
  group_ids: `u.id IN ${MEMBERS}`,
  group_user_ids: `u.id IN ${given("group_user_ids")}`,
  roles: `${ROLE} IN ${given("roles")}`,
  excluded_roles: `${ROLE} NOT IN ${given("excluded_roles")}`,
};

const FILTERED = /** @type {(keyof typeof FILTERS)[]} */ (Object.keys(FILTERS));

/** Where ids are looked up, the stock query meets the users in their order. */
const LOOKED_UP = /** @type {const} */ (["user_ids", "group_ids", "group_user_ids"]);

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
 * SQL that returns how many users there are, and the rows of a page of them.
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
      ${PAGE})
    SELECT '[' || (SELECT count(*) FROM found) || ',' || json_group_array(${ROW} ORDER BY ${order.join(", ")}) || ']'
      AS json FROM page p CROSS JOIN owui_users u ON u.rowid = p.r`;
}

const reads = {
  get_scim_users: (/** @type {{ id?: string, email?: string, ascending?: boolean }} */ args) =>
    page(
      [
        HAS_IDENTITY,
        ...(args.id === undefined ? [] : [`u.id = ${arg("id")}`]),
        ...(args.email === undefined ? [] : [hasAddress(args.email)]),
      ],
      args.ascending === undefined ? [] : ["u.created_at"],
      args.ascending === true,
      "u.rowid",
    ),
  get_users: (/** @type {Asked} */ args) =>
    page(
      FILTERED.flatMap((name) => (args[name] === undefined ? [] : [FILTERS[name]])),
      ORDERS.get(String(args.order_by)) || [],
      args.ascending,
      LOOKED_UP.some((name) => args[name] !== undefined) ? "u.id" : "u.rowid",
    ),
  get_users_by_group_id: many(
    ROW,
    `FROM owui_group_members m JOIN owui_users u ON u.id = m.user_id WHERE m.group_id = ${arg("group_id")}`,
    "m.user_id",
  ),
  get_users_by_user_ids: many(ROW, `FROM owui_users u WHERE u.id IN ${given("ids")}`, "u.id"),
  get_valid_user_ids: many("u.id", `FROM owui_users u WHERE u.id IN ${given("ids")}`, "u.id"),
};

module.exports = { reads };
