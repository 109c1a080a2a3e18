// @ts-check

/** What the modules of groups share. */

const { NOW, execute } = require("../lib/bulk.js");
const { find } = require("../lib/records.js");
const { tables, arg, given, row, one } = require("../lib/rows.js");
const { groupsAbove } = require("../lib/trees.js");

const GROUP = tables.group;
const MEMBER = tables.group_member;

/** The memberships of users, and of a group. */
const OF_USERS = `FROM owui_group_members AS m WHERE m.user_id IN ${given("user_ids")}`;
const OF_GROUP = `FROM owui_group_members AS m WHERE m.group_id = ${arg("id")}`;

/** The groups that users are in, and all above them. */
const INHERITED = `WITH RECURSIVE ${groupsAbove("memberships", `SELECT m.user_id, m.group_id ${OF_USERS}`)}`;

/** SQL of the group with the given id. */
const GROUP_BY_ID = one(`SELECT ${row(GROUP, "g")} FROM owui_groups g WHERE g.id = ${arg("id")}`);

/** What is said of a group that is not there. */
const NOT_FOUND = { status: 404, code: "group_not_found", message: "Group not found." };

/**
 * The group with this id; there has to be one.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function existing(tx, id) {
  const record = find(tx, GROUP, id);
  if (!record) {
    throw NOT_FOUND;
  }
  return record;
}

/**
 * Note when groups changed, in one statement; returns their number.
 *
 * @param {CoreApp} tx
 * @param {string} which SQL of the condition on the groups, `g`
 * @param {string} body JSON text with `updated_at`
 */
function touch(tx, which, body) {
  const changes = `updated_at = ${arg("updated_at")}, updated = ${NOW}`;
  return execute(tx, `UPDATE owui_groups AS g SET ${changes} WHERE ${which}`, body);
}

/**
 * Note when the group with the given id changed; there has to be one.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with `id` and `updated_at`
 */
function touchExisting(tx, body) {
  if (!touch(tx, `g.id = ${arg("id")}`, body)) {
    throw NOT_FOUND;
  }
}

module.exports = {
  GROUP,
  MEMBER,
  OF_USERS,
  OF_GROUP,
  INHERITED,
  GROUP_BY_ID,
  existing,
  touch,
  touchExisting,
};
