// @ts-check

/** What the modules of groups share. */

const { update, find } = require("../lib/records.js");
const { tables, arg, given } = require("../lib/rows.js");
const { groupsAbove } = require("../lib/trees.js");

const GROUP = tables.group;
const MEMBER = tables.group_member;

/** The memberships of users, and of a group. */
const OF_USERS = `FROM owui_group_members m WHERE m.user_id IN ${given("user_ids")}`;
const OF_GROUP = `FROM owui_group_members m WHERE m.group_id = ${arg("id")}`;

/** The groups that users are in, and all above them. */
const INHERITED = `WITH RECURSIVE ${groupsAbove("memberships", `SELECT m.user_id, m.group_id ${OF_USERS}`)}`;

/**
 * The group with this id; there has to be one.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function existing(tx, id) {
  const record = find(tx, GROUP, id);
  if (!record) {
    throw { status: 404, code: "group_not_found", message: "Group not found." };
  }
  return record;
}

/**
 * Note when groups changed.
 *
 * @param {CoreApp} tx
 * @param {string[]} ids
 * @param {number} updated_at
 */
function touch(tx, ids, updated_at) {
  for (const group of tx.findRecordsByIds(GROUP.collection, ids)) {
    update(tx, GROUP, /** @type {core.Record} */ (group), { updated_at });
  }
}

module.exports = { GROUP, MEMBER, OF_USERS, OF_GROUP, INHERITED, existing, touch };
