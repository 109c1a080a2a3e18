// @ts-check

/** The host's table `access_grant`: who may read or write what. */

const { execute } = require("./lib/bulk.js");
const { insertPlainly } = require("./lib/records.js");
const { tables, arg, given, row, one, truth, many, query } = require("./lib/rows.js");
const { groupsAbove } = require("./lib/trees.js");

/** @typedef {import("./lib/records.js").Values} Values */

const GRANT = tables.access_grant;

const ON_RESOURCE = `FROM owui_access_grants AS a
  WHERE a.resource_type = ${arg("resource_type")} AND a.resource_id = ${arg("resource_id")}`;
const ON_RESOURCES = `FROM owui_access_grants AS a WHERE a.resource_type = ${arg("resource_type")}
  AND a.resource_id IN ${given("resource_ids")}`;
const EXACTLY = `${ON_RESOURCE} AND a.principal_type = ${arg("principal_type")}
  AND a.principal_id = ${arg("principal_id")} AND a.permission = ${arg("permission")}`;

/** The user's groups and all above them. A group deleted in the dashboard leaves its memberships behind. */
const MEMBERSHIPS = groupsAbove(
  "memberships",
  `SELECT 0, m.group_id FROM owui_group_members m WHERE m.user_id = ${arg("user_id")}`,
);
const INHERITED = `WITH RECURSIVE ${MEMBERSHIPS}`;
/** Of those groups, the ones that exist. CROSS JOIN keeps SQLite from beginning with all groups. */
const INHERITED_IDS = "(SELECT g.id FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id)";
const GIVEN_IDS = given("user_group_ids");

/**
 * SQL of "the user may do this with a resource". The groups are only looked up for a resource which grants a group
 * this permission: the plus sign keeps SQLite from beginning with them.
 *
 * @param {string} resource SQL of its id
 * @param {string} groups SQL of the ids of the user's groups, in brackets
 */
function permits(resource, groups) {
  const grant = `SELECT 1 FROM owui_access_grants a WHERE a.resource_type = ${arg("resource_type")}
    AND a.resource_id = ${resource} AND a.permission = ${arg("permission")}`;
  return `(EXISTS (${grant} AND a.principal_type = 'user' AND a.principal_id IN ('*', ${arg("user_id")}))
    OR EXISTS (${grant} AND a.principal_type = 'group' AND +a.principal_id IN ${groups}))`;
}

/**
 * SQL of the rows of the grants on a resource, oldest first, as JSON.
 *
 * @param {string} type SQL of what kind of thing it is
 * @param {string} resource SQL of its id
 */
function grantsOn(type, resource) {
  return `json((SELECT json_group_array(${row(GRANT, "a")} ORDER BY a.rowid)
    FROM owui_access_grants a WHERE a.resource_type = ${type} AND a.resource_id = ${resource}))`;
}

/**
 * SQL of the ids of those resources with which the user may do this.
 *
 * @param {string} groups SQL of the ids of the user's groups, in brackets
 */
function accessible(groups) {
  return `SELECT json_group_array(r.value) AS json FROM json_each({:body}, '$.resource_ids') r
    WHERE ${permits("r.value", groups)}`;
}

const reads = {
  get_grants_by_resource: many(row(GRANT, "a"), ON_RESOURCE, "a.rowid"),
  get_grants_by_resources: many(row(GRANT, "a"), ON_RESOURCES, "a.rowid"),
  has_anyone_access:
    truth(`EXISTS (SELECT 1 ${ON_RESOURCE} AND a.principal_type = 'anyone' AND a.principal_id = '*'
    AND a.permission = ${arg("permission")})`),
  has_access: `${INHERITED} ${truth(permits(arg("resource_id"), INHERITED_IDS))}`,
  has_access_by_groups: truth(permits(arg("resource_id"), GIVEN_IDS)),
  get_accessible_resource_ids: `${INHERITED} ${accessible(INHERITED_IDS)}`,
  get_accessible_resource_ids_by_groups: accessible(GIVEN_IDS),
};

/**
 * Delete the grants that a query selects; returns their number.
 *
 * @param {string} rest SQL from FROM on
 * @returns {import("./methods.js").Write}
 */
function revoking(rest) {
  return (tx, args, body) => String(execute(tx, `DELETE ${rest}`, body));
}

/**
 * Put grants in the place of all that a resource has; returns their rows.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with `resource_type` and `resource_id`
 * @param {Values[]} grants
 */
function replaceGrants(tx, body, grants) {
  execute(tx, `DELETE ${ON_RESOURCE}`, body);
  return `[${grants.length ? insertPlainly(tx, GRANT, grants).join(",") : ""}]`;
}

const writes = {
  /**
   * Add a grant; returns its row, or that of the same grant which was there already.
   *
   * @param {CoreApp} tx
   * @param {{ grant: Values }} args
   */
  grant_access(tx, { grant }) {
    const found = query(tx, one(`SELECT ${row(GRANT, "a")} ${EXACTLY}`), JSON.stringify(grant));
    return found === "null" ? insertPlainly(tx, GRANT, [grant])[0] : found;
  },

  revoke_access: revoking(EXACTLY),
  revoke_all_access: revoking(ON_RESOURCE),
  revoke_all_access_to_each: revoking(ON_RESOURCES),

  /**
   * Put grants in the place of all that a resource has; returns their rows.
   *
   * @param {CoreApp} tx
   * @param {{ resource_type: string, resource_id: string, grants: Values[] }} args
   * @param {string} body
   */
  replace_access_grants(tx, { grants }, body) {
    return replaceGrants(tx, body, grants);
  },
};

module.exports = { reads, writes, INHERITED, INHERITED_IDS, GIVEN_IDS, permits, grantsOn, replaceGrants };
