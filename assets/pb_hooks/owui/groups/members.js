// @ts-check

/** Who is in which group: the host's table `group_member`. Who is in a group is, by inheritance, in all groups above it. */

const { UUID, inserts, execute } = require("../lib/bulk.js");
const { arg, given, row, many, query } = require("../lib/rows.js");
const { groupsBelow } = require("../lib/trees.js");
const {
  GROUP,
  MEMBER,
  OF_USERS,
  OF_GROUP,
  INHERITED,
  GROUP_BY_ID,
  touch,
  touchExisting,
} = require("./_base.js");

const OF_GROUPS = `FROM owui_group_members m WHERE m.group_id IN ${given("group_ids")}`;

const DIRECT = `memberships (origin, group_id) AS (SELECT m.user_id, m.group_id ${OF_USERS})`;

/** Pairs of user and group, with the table `memberships`. */
const GROUPS_OF_MEMBERS = many(
  `json_array(s.origin, ${row(GROUP, "g")})`,
  "FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id",
  "g.updated_at DESC, g.id",
);

/**
 * The members of groups and of all below them, each once, in the order in which SQLite meets them: level by level,
 * as in the stock query.
 */
const BELOW = `WITH RECURSIVE ${groupsBelow("descendants", `SELECT g.id, g.id FROM owui_groups g WHERE g.id IN ${given("group_ids")}`)},
  inherited (group_id, user_id) AS (
    SELECT DISTINCT d.origin, m.user_id FROM descendants d CROSS JOIN owui_group_members m ON m.group_id = d.group_id)`;
const USERS_BELOW = `${BELOW} SELECT json_group_array(i.user_id) AS json FROM inherited i`;

/**
 * SQL of one row of JSON for each group: how many of something it has.
 *
 * @param {string} rest from FROM on
 */
function counts(rest) {
  return many("json_array(c.group_id, c.n)", `FROM (SELECT group_id, count(*) AS n ${rest}) c`, "c.group_id");
}

const reads = {
  get_groups_by_member_ids: `WITH ${DIRECT} ${GROUPS_OF_MEMBERS}`,
  get_inherited_groups_by_member_ids: `${INHERITED} ${GROUPS_OF_MEMBERS}`,
  get_group_user_ids_by_ids: many("json_array(m.group_id, m.user_id)", OF_GROUPS, "m.group_id, m.user_id"),
  get_inherited_group_user_ids_by_ids: `${BELOW}
    SELECT json_group_array(json_array(i.group_id, i.user_id)) AS json FROM inherited i`,
  get_group_member_counts_by_ids: counts(`${OF_GROUPS} GROUP BY m.group_id`),
  get_inherited_group_member_counts_by_ids: `${BELOW} ${counts("FROM inherited i GROUP BY i.group_id")}`,
};

/**
 * The users in a group and in all below it, as JSON text.
 *
 * @param {CoreApp} tx
 * @param {string} id
 */
function usersBelow(tx, id) {
  return query(tx, USERS_BELOW, JSON.stringify({ group_ids: [id] }));
}

const NEW = { id: UUID, created_at: arg("updated_at"), updated_at: arg("updated_at"), nulls: "'[]'" };

/** Memberships that end in one transaction, where it is not the caller who says which. */
const AT_ONCE = 1000;

/** Groups of a user that change in one transaction: of each its membership and its own record. */
const GROUPS_AT_ONCE = 500;

/** The given users, `j`, who are not in the group. */
const IS_NO_MEMBER = `NOT EXISTS (SELECT 1 FROM owui_group_members m
  WHERE m.group_id = ${arg("id")} AND m.user_id = j.value)`;
const NEWCOMERS = `SELECT j.value AS user_id FROM json_each({:body}, '$.user_ids') j WHERE ${IS_NO_MEMBER}`;
const JOIN = `${inserts(MEMBER, "$.user_ids", { ...NEW, group_id: arg("id"), user_id: "j.value" })} WHERE ${IS_NO_MEMBER}`;

/** Members of the group who are among the given users. */
const GIVEN_MEMBERS = `${OF_GROUP} AND m.user_id IN ${given("user_ids")}`;

/**
 * Some members of the group, between two ids, who are not among the given users; in the order of an index. A blob is behind
 * all texts.
 */
const OTHER_MEMBERS = `${OF_GROUP}
  AND m.user_id >= ${arg("from")} AND m.user_id < coalesce(${arg("before")}, x'')
  AND m.user_id NOT IN ${given("user_ids")} ORDER BY m.user_id LIMIT ${AT_ONCE}`;

/** Some members of the group. */
const SOME_MEMBERS = `${OF_GROUP} ORDER BY m.user_id LIMIT ${AT_ONCE}`;

/** Ids of the groups with the given names, and of the user's; some memberships in others, and some groups to join. */
const NAMED = `SELECT n.id FROM owui_groups n WHERE n.name IN ${given("names")}`;
const MINE = `SELECT m.group_id ${OF_USERS}`;
const OTHER_GROUPS = `${OF_USERS} AND m.group_id NOT IN (${NAMED}) ORDER BY m.group_id LIMIT ${GROUPS_AT_ONCE}`;
const NEW_GROUPS = `${NAMED} AND n.id NOT IN (${MINE}) ORDER BY n.id LIMIT ${GROUPS_AT_ONCE}`;
const CHANGED_GROUPS = `SELECT id FROM (${NEW_GROUPS}) UNION ALL SELECT group_id FROM (SELECT m.group_id ${OTHER_GROUPS})`;
const JOIN_NAMED = `${inserts(MEMBER, "$.user_ids", { ...NEW, group_id: "n.id", user_id: "j.value" })}
  CROSS JOIN (${NEW_GROUPS}) n`;

/**
 * The ids of users, as a JSON array.
 *
 * @param {CoreApp} tx
 * @param {string} users SQL of rows with `user_id`
 * @param {string} body
 */
function usersOf(tx, users, body) {
  return query(tx, `SELECT json_group_array(user_id) AS json FROM (${users})`, body);
}

/**
 * End memberships; returns the number.
 *
 * @param {CoreApp} tx
 * @param {string} members SQL from FROM on
 * @param {string} body
 */
function end(tx, members, body) {
  return execute(tx, `DELETE FROM owui_group_members WHERE rowid IN (SELECT m.rowid ${members})`, body);
}

/**
 * The users whose memberships `endSome` ends, as JSON text.
 *
 * @param {CoreApp} tx
 * @param {string} body
 */
function someUsers(tx, body) {
  return usersOf(tx, `SELECT m.user_id ${SOME_MEMBERS}`, body);
}

/**
 * End memberships of a group, so many that nobody waits long; returns whether there are more.
 *
 * @param {CoreApp} tx
 * @param {string} body
 */
function endSome(tx, body) {
  return end(tx, SOME_MEMBERS, body) === AT_ONCE;
}

/** Of many users the caller sends some at a time. */
const writes = {
  /**
   * Make users members of a group, and end the memberships of all others whose ids begin at `from` and come before
   * `before`, if that is not null; reply with those who left and who joined, and whether more have to leave, which takes
   * the same call again.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, user_ids: string[], from: string, before: string | null, updated_at: number } | undefined} args
   *   it is not parsed
   * @param {string} body
   */
  set_group_user_ids_by_id(tx, args, body) {
    touchExisting(tx, body);
    const left = usersOf(tx, `SELECT m.user_id ${OTHER_MEMBERS}`, body);
    const joined = usersOf(tx, NEWCOMERS, body);
    const isMore = end(tx, OTHER_MEMBERS, body) === AT_ONCE;
    execute(tx, JOIN, body);
    return `[${left},${joined},${isMore}]`;
  },

  /**
   * Make users members of a group; reply with its row and those who are new.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, user_ids: string[], updated_at: number } | undefined} args it is not parsed
   * @param {string} body
   */
  add_users_to_group(tx, args, body) {
    touchExisting(tx, body);
    const joined = usersOf(tx, NEWCOMERS, body);
    execute(tx, JOIN, body);
    return `[${query(tx, GROUP_BY_ID, body)},${joined}]`;
  },

  /**
   * End the memberships of users in a group; reply with its row and those who were members.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, user_ids: string[], updated_at: number } | undefined} args it is not parsed
   * @param {string} body
   */
  remove_users_from_group(tx, args, body) {
    touchExisting(tx, body);
    const left = usersOf(tx, `SELECT m.user_id ${GIVEN_MEMBERS}`, body);
    end(tx, GIVEN_MEMBERS, body);
    return `[${query(tx, GROUP_BY_ID, body)},${left}]`;
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_ids: [string], updated_at: number } | undefined} args it is not parsed
   * @param {string} body
   */
  remove_user_from_all_groups(tx, args, body) {
    touch(tx, `g.id IN (${MINE})`, body);
    execute(tx, `DELETE ${OF_USERS}`, body);
    return "true";
  },

  /**
   * Make a user a member of the groups with these names, and of no others; reply whether that changed anything, and
   * whether there may be more to do, which takes the same call again.
   *
   * @param {CoreApp} tx
   * @param {{ user_ids: [string], names: string[], updated_at: number } | undefined} args it is not parsed
   * @param {string} body
   */
  sync_groups_by_group_names(tx, args, body) {
    touch(tx, `g.id IN (${CHANGED_GROUPS})`, body);
    const left = end(tx, OTHER_GROUPS, body);
    const joined = execute(tx, JOIN_NAMED, body);
    return `[${left + joined > 0},${Math.max(left, joined) === GROUPS_AT_ONCE}]`;
  },
};

const unparsed = Object.keys(writes);

module.exports = { reads, writes, unparsed, usersBelow, someUsers, endSome };
