// @ts-check

/** Several models at once: lists, a search, their tags. */

const { INHERITED, INHERITED_IDS, GIVEN_IDS, permits } = require("../access.js");
const { arg, given, value, contains, many } = require("../lib/rows.js");
const { PAGE } = require("../lib/paging.js");
const { MODEL, USER, IS_BASE, HAS_BASE, WITH_GRANTS } = require("./_base.js");

/**
 * What models are searched by; see FILTERS and OWNED.
 *
 * @typedef {Partial<Record<keyof typeof FILTERS, unknown>> & { order_by?: string, ascending: boolean,
 *   with_users: boolean, user_id?: string | null, user_group_ids?: string[] }} Asked
 */

const ALL = "FROM owui_models m";
const USER_ID = value(MODEL, "m", "user_id");

/**
 * SQL of "the model is the user's, or the user is granted this permission".
 *
 * @param {string} groups SQL of the ids of the user's groups, in brackets
 */
function allowed(groups) {
  return `(m.user_id = ${arg("user_id")} OR ${permits("m.key", groups)})`;
}

/** Name, address or user name of a model's owner is like the query. */
const OWNER_IS_LIKE = `EXISTS (SELECT 1 FROM owui_users u WHERE u.id = m.user_id AND (
  ${contains(USER, "u", "name", "query")} OR ${contains(USER, "u", "email", "query")}
  OR ${value(USER, "u", "username")} GLOB ${arg("username_pattern")}))`;

const IS_LIKE = `${contains(MODEL, "m", "name", "query")} OR ${contains(MODEL, "m", "base_model_id", "query")}`;

/** What models can be filtered by: the parameter which asks for it -> SQL. */
const FILTERS = {
  username_pattern: `(${IS_LIKE} OR ${OWNER_IS_LIKE})`,
  owner_ids: `(${IS_LIKE} OR m.user_id IN ${given("owner_ids")})`,
  created_by: `${USER_ID} = ${arg("created_by")}`,
  not_created_by: `${USER_ID} != ${arg("not_created_by")}`,
  user_group_ids: allowed(GIVEN_IDS),
  tag_patterns: `EXISTS (SELECT 1 FROM json_each({:body}, '$.tag_patterns') t WHERE m.meta GLOB t.value)`,
};

const FILTERED = /** @type {(keyof typeof FILTERS)[]} */ (Object.keys(FILTERS));

/** What models can be sorted by. */
const ORDERS = new Map(["name", "created_at", "updated_at"].map((name) => [name, value(MODEL, "m", name)]));

/**
 * SQL that returns models with their grants, and what is asked for of their owners.
 *
 * @param {string} total SQL of how many there are
 * @param {string} page SQL of a table of their rowids `r`, and of a key `k`
 * @param {string} order SQL of their order
 * @param {boolean} withUsers whether users are in PocketBase
 */
function withOwners(total, page, order, withUsers) {
  const owners = many(
    `json_array(u.id, u.name, ${value(USER, "u", "role")}, ${value(USER, "u", "email")})`,
    `FROM owui_users u WHERE u.id IN (SELECT m.user_id FROM page p CROSS JOIN owui_models m ON m.rowid = p.r)`,
    "u.id",
  );
  return `${page} SELECT '{"total":' || ${total} || ',"models":' || json_group_array(${WITH_GRANTS} ORDER BY ${order})
    || ',"owners":' || ${withUsers ? `(${owners})` : "'null'"} || '}' AS json
    FROM page p CROSS JOIN owui_models m ON m.rowid = p.r`;
}

const reads = {
  get_all_models: many(WITH_GRANTS, ALL, "m.rowid"),
  get_base_models: many(WITH_GRANTS, `${ALL} WHERE ${IS_BASE}`, "m.rowid"),
  get_models_by_ids: many(WITH_GRANTS, `${ALL} WHERE m.key IN ${given("ids")}`, "m.key"),

  /** @param {{ ids: string[] | null, user_id: string | null, with_users: boolean }} args */
  get_models({ ids, user_id, with_users }) {
    const conditions = [
      HAS_BASE,
      ...(ids ? [`m.key IN ${given("ids")}`] : []),
      ...(user_id ? [allowed(INHERITED_IDS)] : []),
    ];
    const page = `${INHERITED}, page AS MATERIALIZED (SELECT m.rowid AS r ${ALL} WHERE ${conditions.join(" AND ")})`;
    return withOwners("0", page, ids ? "m.key" : "m.rowid", with_users);
  },

  /** @param {Asked} args */
  search_models(args) {
    const filters = FILTERED.filter((name) => args[name] !== undefined).map((name) => FILTERS[name]);
    const key = ORDERS.get(String(args.order_by)) || "0";
    const order = `k ${args.ascending ? "" : "DESC"}, r`;
    const page = `WITH found AS MATERIALIZED (SELECT m.rowid AS r, ${key} AS k ${ALL}
        WHERE ${[HAS_BASE, ...filters].join(" AND ")}),
      page AS MATERIALIZED (SELECT r, k FROM found ORDER BY ${order} ${PAGE})`;
    return withOwners("(SELECT count(*) FROM found)", page, order, args.with_users);
  },

  /** Users who own models that are based on another one. */
  get_owner_ids: `SELECT json_group_array(DISTINCT m.user_id) AS json ${ALL} WHERE ${HAS_BASE}`,

  /** @param {{ is_base_model: boolean, user_id: string | null }} args */
  get_all_tags({ is_base_model, user_id }) {
    const of = `${ALL} WHERE ${is_base_model ? IS_BASE : HAS_BASE}`;
    const tags = (/** @type {string} */ rest) =>
      `SELECT json_group_array(m.meta -> '$.tags') AS json ${rest} AND m.meta -> '$.tags' IS NOT NULL`;
    return user_id ? `${INHERITED} ${tags(`${of} AND ${allowed(INHERITED_IDS)}`)}` : tags(of);
  },

  /** @param {{ file_id: string, include_background: boolean }} args */
  get_models_by_file_id: ({ include_background }) =>
    many(
      `json_array(m.key, ${USER_ID}, m.meta)`,
      `${ALL} WHERE instr(m.meta, ${arg("file_id")}) AND ${include_background ? "TRUE" : HAS_BASE}`,
      "m.rowid",
    ),
};

module.exports = { reads };
