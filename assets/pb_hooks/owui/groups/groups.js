// @ts-check

/**
 * The host's tables `group` and `group_member`: the tree of user groups. Who is in a group is, by inheritance, in
 * all groups above it.
 */

const rows = require("./lib/rows.js");
const { arg, given, matches, contains, row, one, many, query, recordIds, insert, update, remove, find, get } =
  rows;
const { members, merge, equal } = require("./lib/json.js");

const GROUP = rows.tables.group;
const MEMBER = rows.tables.group_member;
const GRANT = rows.tables.access_grant;

const IN_GROUPS = `m.group_id IN ${given("group_ids")}`;
const OF_USERS = `FROM owui_group_members m WHERE m.user_id IN ${given("user_ids")}`;
const OF_GROUP = `FROM owui_group_members m WHERE m.group_id = ${arg("id")}`;
const LATEST_FIRST = "g.updated_at DESC, g.rowid";

/** The groups that users are in; UNION ends on cycles. CROSS JOIN keeps SQLite from beginning with all groups. */
const DIRECT = `WITH memberships (user_id, group_id) AS (SELECT m.user_id, m.group_id ${OF_USERS})`;
const INHERITED = `WITH RECURSIVE memberships (user_id, group_id) AS (
  SELECT m.user_id, m.group_id ${OF_USERS}
  UNION SELECT s.user_id, g.parent_group_id FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id
  WHERE g.parent_group_id != '')`;

/** A group and all above it, also one that is not there. */
const ANCESTORS = `WITH RECURSIVE ancestors (id) AS (
  SELECT g.id FROM owui_groups g WHERE g.id = ${arg("id")}
  UNION SELECT g.parent_group_id FROM ancestors a CROSS JOIN owui_groups g ON g.id = a.id WHERE g.parent_group_id != '')
  SELECT json_group_array(id) AS json FROM ancestors`;

/**
 * The members of groups and of all below them, each once, in the order in which SQLite meets them: level by level,
 * as in the stock query.
 */
const BELOW = `WITH RECURSIVE descendants (root_id, group_id) AS (
  SELECT g.id, g.id FROM owui_groups g WHERE g.id IN ${given("group_ids")}
  UNION SELECT d.root_id, g.id FROM descendants d CROSS JOIN owui_groups g ON g.parent_group_id = d.group_id),
  inherited (group_id, user_id) AS (
    SELECT DISTINCT d.root_id, m.user_id FROM descendants d CROSS JOIN owui_group_members m ON m.group_id = d.group_id)`;
const USERS_BELOW = `${BELOW} SELECT json_group_array(i.user_id) AS json FROM inherited i`;

const WITH_COUNT = `json_array(${row(GROUP, "g")},
  (SELECT count(*) FROM owui_group_members m WHERE m.group_id = g.id))`;
const OF_MEMBER = "g.id IN (SELECT s.group_id FROM memberships s)";
const SHARE = "lower(json_extract(g.data, '$.config.share'))";
const ANYONE_SHARES = `(${SHARE} IS NULL OR ${SHARE} IN ('true', '1'))`; // '1' is JSON's true
const MEMBERS_SHARE = `(${SHARE} = 'members' AND ${OF_MEMBER})`;

/**
 * SQL of one row of JSON for each group: how many of something it has.
 *
 * @param {string} rest from FROM on
 */
function counts(rest) {
  return many("json_array(c.group_id, c.n)", `FROM (SELECT group_id, count(*) AS n ${rest}) c`, "c.group_id");
}

/**
 * SQL of "the group is shared as asked for".
 *
 * @param {any} args
 */
function shared({ share, user_ids }) {
  if (!share) {
    return `${SHARE} = 'false'`; // the text: JSON's false is '0' here, as in the stock query
  }
  return user_ids ? `(${ANYONE_SHARES} OR ${MEMBERS_SHARE})` : ANYONE_SHARES;
}

const reads = {
  get_group_by_id: one(`SELECT ${row(GROUP, "g")} FROM owui_groups g WHERE g.id = ${arg("id")}`),
  get_group_by_name: one(`SELECT ${row(GROUP, "g")} FROM owui_groups g WHERE ${matches(GROUP, "g", "name")}
    ORDER BY g.rowid`),
  get_all_groups: many(row(GROUP, "g"), "FROM owui_groups g", LATEST_FIRST),

  /** @param {any} args `query`, `share` and `user_ids` (the one member) may be left out */
  get_groups(args) {
    const { query: name, share, user_ids } = args;
    const conditions = ["true"];
    if (name !== undefined) {
      conditions.push(contains(GROUP, "g", "name", "query"));
    }
    if (share !== undefined) {
      conditions.push(shared(args));
    } else if (user_ids) {
      conditions.push(OF_MEMBER);
    }
    // With ids as keys, the stock query meets rows of the same time in their order.
    const order = user_ids && share === undefined ? "g.updated_at DESC, g.id" : LATEST_FIRST;
    return `${INHERITED} ${many(WITH_COUNT, `FROM owui_groups g WHERE ${conditions.join(" AND ")}`, order)}`;
  },

  /** @param {any} args `query`, `share` and `user_ids` (the one member) may be left out */
  search_groups({ query: name, share, user_ids }) {
    const conditions = ["true"];
    if (name !== undefined) {
      conditions.push(contains(GROUP, "g", "name", "query"));
    }
    if (share !== undefined) {
      conditions.push(`g.data ->> '$.share' = ${arg("share")}`);
    }
    if (user_ids) {
      conditions.push(OF_MEMBER);
    }
    const page = `SELECT f.id FROM found f ORDER BY f.updated_at DESC, f.id
      LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0)`;
    const items = many(WITH_COUNT, `FROM owui_groups g WHERE g.id IN (${page})`, "g.updated_at DESC, g.id");
    return `${INHERITED}, found (id, updated_at) AS MATERIALIZED (
        SELECT g.id, g.updated_at FROM owui_groups g WHERE ${conditions.join(" AND ")})
      SELECT json_object('total', (SELECT count(*) FROM found), 'items', json((${items}))) AS json`;
  },

  get_groups_by_member_ids: `${DIRECT} ${many(
    `json_array(s.user_id, ${row(GROUP, "g")})`,
    "FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id",
    "g.updated_at DESC, g.id",
  )}`,
  get_inherited_groups_by_member_ids: `${INHERITED} ${many(
    `json_array(s.user_id, ${row(GROUP, "g")})`,
    "FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id",
    "g.updated_at DESC, g.id",
  )}`,
  get_ancestor_ids: ANCESTORS,
  get_group_user_ids_by_ids: many(
    "json_array(m.group_id, m.user_id)",
    `FROM owui_group_members m WHERE ${IN_GROUPS}`,
    "m.group_id, m.user_id",
  ),
  get_inherited_group_user_ids_by_ids: `${BELOW}
    SELECT json_group_array(json_array(i.group_id, i.user_id)) AS json FROM inherited i`,
  get_group_member_counts_by_ids: counts(`FROM owui_group_members m WHERE ${IN_GROUPS} GROUP BY m.group_id`),
  get_inherited_group_member_counts_by_ids: `${BELOW} ${counts("FROM inherited i GROUP BY i.group_id")}`,
};

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
 * Refuse a parent which is not there, or would make a cycle.
 *
 * @param {CoreApp} tx
 * @param {string | null} groupId null for a new group
 * @param {string | null | undefined} parentId
 */
function validateParent(tx, groupId, parentId) {
  if (parentId === null || parentId === undefined) {
    return;
  }
  if (!parentId) {
    throw { status: 400, code: "parent_empty", message: "Parent group must be a group ID or null." };
  }
  if (!find(tx, GROUP, parentId)) {
    throw { status: 404, code: "parent_not_found", message: "Parent group not found." };
  }
  if (JSON.parse(query(tx, ANCESTORS, JSON.stringify({ id: parentId }))).includes(groupId)) {
    const message = "A group cannot be its own parent or a descendant of itself.";
    throw { status: 400, code: "parent_below", message };
  }
}

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

/**
 * A group's `data` with changes: merged, and so is the `config` in it.
 *
 * @param {string} old JSON text
 * @param {string} changes JSON text of an object
 */
function mergeData(old, changes) {
  const config = merge(
    members(merge(old, "{}")).get("config") || "",
    merge(members(changes).get("config") || "", "{}"),
  );
  return merge(merge(old, changes), `{"config":${config}}`);
}

/**
 * The default models in a group's `data`, null if there are none.
 *
 * @param {string} data JSON text
 */
function defaultModels(data) {
  const models = JSON.parse(data || "null")?.config?.default_models;
  return models && Object.keys(models).length ? models : null;
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {any} args
   */
  insert_new_group(tx, { group }) {
    validateParent(tx, null, group.parent_group_id);
    return insert(tx, GROUP, group);
  },

  /**
   * Change a group; answer with its row, its parent before, and the users whose access that may change.
   *
   * @param {CoreApp} tx
   * @param {any} args `changes` has the columns which are to change
   */
  update_group_by_id(tx, { id, changes, updated_at }) {
    const group = existing(tx, id);
    validateParent(tx, id, changes.parent_group_id);
    const parent = get(GROUP, group, "parent_group_id");
    const before = group.getString("data");
    const data = changes.data === undefined ? undefined : mergeData(before, changes.data);
    const permissions = changes.permissions === undefined ? undefined : JSON.parse(changes.permissions);
    const concerned =
      (changes.parent_group_id !== undefined && changes.parent_group_id !== parent) ||
      (data !== undefined && !equal(defaultModels(data), defaultModels(before))) ||
      (permissions !== undefined &&
        !equal(permissions, JSON.parse(group.getString("permissions") || "null")));
    const affected = concerned ? usersBelow(tx, id) : "[]";
    const changed = update(tx, GROUP, group, { ...changes, data, updated_at });
    return `[${changed},${JSON.stringify(parent)},${affected}]`;
  },

  /**
   * Delete a group with its memberships and grants; its children go to its parent. Answer with that parent, the
   * children, and the users whose access that may change.
   *
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_group_by_id(tx, { id, updated_at }, body) {
    const group = existing(tx, id);
    const affected = usersBelow(tx, id);
    const parent = get(GROUP, group, "parent_group_id");
    const children = recordIds(tx, `FROM owui_groups g WHERE g.parent_group_id = ${arg("id")}`, body, "g");
    for (const child of tx.findRecordsByIds(GROUP.collection, children)) {
      update(tx, GROUP, child, { parent_group_id: parent, updated_at });
    }
    const grants = `FROM owui_access_grants a WHERE a.principal_type = 'group' AND a.principal_id = ${arg("id")}`;
    remove(tx, MEMBER, recordIds(tx, OF_GROUP, body, "m"));
    remove(tx, GRANT, recordIds(tx, grants, body, "a"));
    tx.delete(group);
    return `[${JSON.stringify(parent)},${JSON.stringify(children)},${affected}]`;
  },

  /**
   * Delete all groups with their memberships and grants; answer with the users that were in one.
   *
   * @param {CoreApp} tx
   */
  delete_all_groups(tx) {
    const users = "SELECT json_group_array(DISTINCT m.user_id) AS json FROM owui_group_members m";
    const affected = query(tx, users, "");
    for (const rest of [
      "owui_group_members",
      "owui_access_grants WHERE principal_type = 'group'",
      "owui_groups",
    ]) {
      tx.db().newQuery(`DELETE FROM ${rest}`).execute();
    }
    return affected;
  },

  /**
   * Make users, and no others, members of a group; answer with those who came or left.
   *
   * @param {CoreApp} tx
   * @param {any} args `members`: [user id, id of the new membership] of each
   * @param {string} body
   */
  set_group_user_ids_by_id(tx, { id, members: requested, updated_at }, body) {
    const group = existing(tx, id);
    const previous = membersOf(tx, body);
    const added = requested.filter((/** @type {string[]} */ [user]) => !previous.has(user));
    for (const [user] of requested) {
      previous.delete(user);
    }
    remove(tx, MEMBER, [...previous.values()]);
    for (const [user, membership] of added) {
      addMember(tx, membership, id, user, updated_at);
    }
    update(tx, GROUP, group, { updated_at });
    return JSON.stringify([...previous.keys(), ...added.map((/** @type {string[]} */ [user]) => user)]);
  },

  /**
   * Make users members of a group; answer with its row and those who are new.
   *
   * @param {CoreApp} tx
   * @param {any} args `members`: [user id, id of the new membership] of each
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
   * End the memberships of users in a group; answer with its row and those who were members.
   *
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  remove_users_from_group(tx, { id, user_ids, updated_at }, body) {
    const group = existing(tx, id);
    const previous = membersOf(tx, body);
    const removed = user_ids.filter((/** @type {string} */ user) => previous.has(user));
    remove(
      tx,
      MEMBER,
      removed.map((/** @type {string} */ user) => previous.get(user)),
    );
    return `[${update(tx, GROUP, group, { updated_at })},${JSON.stringify(removed)}]`;
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args `user_ids`: the one user
   * @param {string} body
   */
  remove_user_from_all_groups(tx, { updated_at }, body) {
    const groups = `FROM owui_groups g WHERE g.id IN (SELECT m.group_id ${OF_USERS})`;
    for (const group of tx.findRecordsByIds(GROUP.collection, recordIds(tx, groups, body, "g"))) {
      update(tx, GROUP, group, { updated_at });
    }
    remove(tx, MEMBER, recordIds(tx, OF_USERS, body, "m"));
    return "true";
  },

  /**
   * Create a group for each name which none has; answer with their rows, and a message for each that failed.
   *
   * @param {CoreApp} tx
   * @param {any} args `group` is what the new ones have in common, the n-th of them gets the n-th of `ids`
   * @param {string} body
   */
  create_groups_by_group_names(tx, { names, ids, group }, body) {
    const named = `FROM owui_groups g WHERE g.name IN ${given("names")}`;
    const taken = JSON.parse(query(tx, many("g.name", named, "g.rowid"), body));
    const created = names
      .filter((/** @type {string} */ name) => !taken.includes(name))
      .map((/** @type {string} */ name, /** @type {number} */ index) => {
        try {
          return insert(tx, GROUP, { ...group, id: ids[index], name });
        } catch (error) {
          return JSON.stringify(String(error)); // the others are created nevertheless
        }
      });
    return `[${created.join(",")}]`;
  },

  /**
   * Make a user a member of the groups with these names, and of no others; answer whether that changed anything.
   *
   * @param {CoreApp} tx
   * @param {any} args `user_ids`: the one user
   * @param {string} body
   */
  sync_groups_by_group_names(tx, { user_ids, updated_at }, body) {
    const named = `FROM owui_groups g WHERE g.name IN ${given("names")}`;
    const target = recordIds(tx, named, body, "g");
    /** @type {Map<string, string>} */
    const previous = new Map(
      JSON.parse(query(tx, many("json_array(m.group_id, m.id)", OF_USERS, "m.rowid"), body)),
    );
    const added = target.filter((/** @type {string} */ id) => !previous.has(id));
    const left = [...previous.keys()].filter((id) => !target.includes(id));
    remove(
      tx,
      MEMBER,
      left.map((id) => String(previous.get(id))),
    );
    for (const id of added) {
      addMember(tx, uuid4(), id, user_ids[0], updated_at);
    }
    for (const group of tx.findRecordsByIds(GROUP.collection, [...left, ...added])) {
      update(tx, GROUP, group, { updated_at });
    }
    return String(added.length + left.length > 0);
  },
};

module.exports = { reads, writes };
