// @ts-check

/** Who is in which group: the host's table `group_member`. Who is in a group is, by inheritance, in all groups above it. */

const { insert, update, remove, removeSelected } = require("../lib/records.js");
const { given, row, many, query, recordIds } = require("../lib/rows.js");
const { groupsBelow } = require("../lib/trees.js");
const { GROUP, MEMBER, OF_USERS, OF_GROUP, INHERITED, existing, touch } = require("./_base.js");

/** @typedef {[user: string, membership: string]} NewMember a user, and the id of the membership */

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

/**
 * The memberships of a group: user id -> record id.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with the group's id
 * @returns {Map<string, string>}
 */
function membersOf(tx, body) {
  return new Map(JSON.parse(query(tx, many("json_array(m.user_id, m.id)", OF_GROUP, "m.rowid"), body)));
}

/**
 * @param {CoreApp} tx
 * @param {string} id
 * @param {string} group_id
 * @param {string} user_id
 * @param {number} now
 */
function addMember(tx, id, group_id, user_id, now) {
  insert(tx, MEMBER, { id, group_id, user_id, created_at: now, updated_at: now });
}

/** A uuid of version 4. */
function uuid4() {
  const hex = $security.randomStringWithAlphabet(31, "0123456789abcdef");
  const variant = $security.randomStringWithAlphabet(1, "89ab");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

const writes = {
  /**
   * Make users, and no others, members of a group; reply with those who came or left.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, members: NewMember[], updated_at: number }} args
   * @param {string} body
   */
  set_group_user_ids_by_id(tx, { id, members: requested, updated_at }, body) {
    const group = existing(tx, id);
    const previous = membersOf(tx, body);
    const added = requested.filter(([user]) => !previous.has(user));
    for (const [user] of requested) {
      previous.delete(user);
    }
    remove(tx, MEMBER, [...previous.values()]);
    for (const [user, membership] of added) {
      addMember(tx, membership, id, user, updated_at);
    }
    update(tx, GROUP, group, { updated_at });
    return JSON.stringify([...previous.keys(), ...added.map(([user]) => user)]);
  },

  /**
   * Make users members of a group; reply with its row and those who are new.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, members: NewMember[], updated_at: number }} args
   * @param {string} body
   */
  add_users_to_group(tx, { id, members: requested, updated_at }, body) {
    const group = existing(tx, id);
    const previous = membersOf(tx, body);
    const added = [];
    for (const [user, membership] of requested) {
      if (!previous.has(user)) {
        addMember(tx, membership, id, user, updated_at);
        added.push(user);
      }
    }
    return `[${update(tx, GROUP, group, { updated_at })},${JSON.stringify(added)}]`;
  },

  /**
   * End the memberships of users in a group; reply with its row and those who were members.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, user_ids: string[], updated_at: number }} args
   * @param {string} body
   */
  remove_users_from_group(tx, { id, user_ids, updated_at }, body) {
    const group = existing(tx, id);
    const previous = membersOf(tx, body);
    const removed = user_ids.filter((user) => previous.has(user));
    remove(
      tx,
      MEMBER,
      removed.map((user) => String(previous.get(user))),
    );
    return `[${update(tx, GROUP, group, { updated_at })},${JSON.stringify(removed)}]`;
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_ids: [string], updated_at: number }} args
   * @param {string} body
   */
  remove_user_from_all_groups(tx, { updated_at }, body) {
    const groups = `FROM owui_groups g WHERE g.id IN (SELECT m.group_id ${OF_USERS})`;
    touch(tx, recordIds(tx, groups, body, "g"), updated_at);
    removeSelected(tx, MEMBER, OF_USERS, body, "m");
    return "true";
  },

  /**
   * Make a user a member of the groups with these names, and of no others; reply whether that changed anything.
   *
   * @param {CoreApp} tx
   * @param {{ user_ids: [string], names: string[], updated_at: number }} args
   * @param {string} body
   */
  sync_groups_by_group_names(tx, { user_ids, updated_at }, body) {
    const named = `FROM owui_groups g WHERE g.name IN ${given("names")}`;
    const target = recordIds(tx, named, body, "g");
    /** @type {Map<string, string>} */
    const previous = new Map(
      JSON.parse(query(tx, many("json_array(m.group_id, m.id)", OF_USERS, "m.rowid"), body)),
    );
    const added = target.filter((id) => !previous.has(id));
    const left = [...previous.keys()].filter((id) => !target.includes(id));
    remove(
      tx,
      MEMBER,
      left.map((id) => String(previous.get(id))),
    );
    for (const id of added) {
      addMember(tx, uuid4(), id, user_ids[0], updated_at);
    }
    touch(tx, [...left, ...added], updated_at);
    return String(added.length + left.length > 0);
  },
};

module.exports = { reads, writes, usersBelow };
