// @ts-check

/** Groups and the tree that they form: the host's table `group`. */

const { members, merge, equal } = require("../lib/json.js");
const { assignments, execute } = require("../lib/bulk.js");
const { insert, insertPlainly, update, find, get } = require("../lib/records.js");
const rows = require("../lib/rows.js");
const { arg, given, matches, contains, row, one, many, query, recordIds } = rows;
const { PAGE } = require("../lib/paging.js");
const { groupsAbove } = require("../lib/trees.js");
const { GROUP, INHERITED, GROUP_BY_ID, existing } = require("./_base.js");
const { usersBelow, someUsers, endSome } = require("./members.js");

/** @typedef {import("../lib/records.js").Values} Values */
/** @typedef {{ query?: string, user_ids?: [string] }} Asked what groups are asked for: part of the name, a member */

const LATEST_FIRST = "g.updated_at DESC, g.rowid";

/** A group and all above it, also one that is not there. */
const ANCESTORS = `WITH RECURSIVE ${groupsAbove("ancestors", `SELECT g.id, g.id FROM owui_groups g WHERE g.id = ${arg("id")}`)}
  SELECT json_group_array(group_id) AS json FROM ancestors`;

const WITH_COUNT = `json_array(${row(GROUP, "g")},
  (SELECT count(*) FROM owui_group_members m WHERE m.group_id = g.id))`;
const OF_MEMBER = "g.id IN (SELECT s.group_id FROM memberships s)";
const SHARE = "lower(json_extract(g.data, '$.config.share'))";
const ANYONE_SHARES = `(${SHARE} IS NULL OR ${SHARE} IN ('true', '1'))`; // '1' is JSON's true
const MEMBERS_SHARE = `(${SHARE} = 'members' AND ${OF_MEMBER})`;

/**
 * SQL of "the group is shared as asked for".
 *
 * @param {Asked & { share?: boolean }} args
 */
function shared({ share, user_ids }) {
  if (!share) {
    return `${SHARE} = 'false'`; // the text: JSON's false is '0' here, as in the stock query
  }
  return user_ids ? `(${ANYONE_SHARES} OR ${MEMBERS_SHARE})` : ANYONE_SHARES;
}

const reads = {
  get_group_by_id: GROUP_BY_ID,
  get_group_by_name: one(`SELECT ${row(GROUP, "g")} FROM owui_groups g WHERE ${matches(GROUP, "g", "name")}
    ORDER BY g.rowid`),
  get_all_groups: many(row(GROUP, "g"), "FROM owui_groups g", LATEST_FIRST),

  /** @param {Asked & { share?: boolean }} args */
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

  /** @param {Asked & { share?: string, limit: number, skip: number }} args */
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
      ${PAGE}`;
    const items = many(WITH_COUNT, `FROM owui_groups g WHERE g.id IN (${page})`, "g.updated_at DESC, g.id");
    return `${INHERITED}, found (id, updated_at) AS MATERIALIZED (
        SELECT g.id, g.updated_at FROM owui_groups g WHERE ${conditions.join(" AND ")})
      SELECT json_object('total', (SELECT count(*) FROM found), 'items', json((${items}))) AS json`;
  },
  get_ancestor_ids: ANCESTORS,
};

/** Grants to a group. */
const GRANTS = `FROM owui_access_grants WHERE principal_type = 'group' AND principal_id = ${arg("id")}`;

/**
 * Give groups another parent.
 *
 * @param {CoreApp} tx
 * @param {string[]} ids
 * @param {string | null} parent
 * @param {number} updated_at
 */
function promote(tx, ids, parent, updated_at) {
  const columns = ["parent_group_id", "updated_at"];
  const changes = { parent_group_id: parent ?? "", updated_at };
  const sql = `UPDATE owui_groups SET ${assignments(GROUP, columns)} WHERE id IN ${given("ids")}`;
  execute(
    tx,
    sql,
    JSON.stringify({ ids, changes, columns, nones: parent === null ? columns.slice(0, 1) : [] }),
  );
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
   * @param {{ group: Values }} args
   */
  insert_new_group(tx, { group }) {
    validateParent(tx, null, group.parent_group_id);
    return insert(tx, GROUP, group);
  },

  /**
   * Change a group; reply with its row, its parent before, and the users whose access that may change.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, changes: Values, updated_at: number }} args `changes` has the columns which are to change
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
   * Delete a group with its memberships and grants; its children go to its parent. Reply with that parent, the
   * children, the users whose access that may change, and whether there is more to do: of many memberships only some
   * end, and nothing else happens before the same call has ended the last ones.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, is_begun: boolean, updated_at: number }} args `is_begun`: this is not the first call
   * @param {string} body
   */
  delete_group_by_id(tx, { id, is_begun, updated_at }, body) {
    const group = existing(tx, id);
    const affected = is_begun ? someUsers(tx, body) : usersBelow(tx, id);
    if (endSome(tx, body)) {
      return `[null,[],${affected},true]`;
    }
    const parent = get(GROUP, group, "parent_group_id");
    const children = recordIds(tx, `FROM owui_groups g WHERE g.parent_group_id = ${arg("id")}`, body, "g");
    promote(tx, children, parent, updated_at);
    execute(tx, `DELETE ${GRANTS}`, body);
    tx.delete(group);
    return `[${JSON.stringify(parent)},${JSON.stringify(children)},${affected},false]`;
  },

  /**
   * Delete all groups with their memberships and grants; reply with the users that were in one.
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
   * Create a group for each name which none has; reply with their rows. One whose id is taken is left out.
   *
   * @param {CoreApp} tx
   * @param {{ names: string[], ids: string[], group: Values }} args `group` is what the new ones have in common, the
   *   n-th of them gets the n-th of `ids`
   * @param {string} body
   */
  create_groups_by_group_names(tx, { names, ids, group }, body) {
    const named = `FROM owui_groups g WHERE g.name IN ${given("names")}`;
    const taken = new Set(JSON.parse(query(tx, many("g.name", named, "g.rowid"), body)));
    const made = names.filter((name) => !taken.has(name)).map((name, index) => ({ id: ids[index], name }));
    insertPlainly(
      tx,
      GROUP,
      made.map((own) => ({ ...group, ...own })),
      true,
    );
    return JSON.stringify({ made });
  },
};

const answers = {
  create_groups_by_group_names: many(
    row(GROUP, "g"),
    `FROM json_each({:body}, '$.made') j JOIN owui_groups g
      ON g.id = j.value ->> '$.id' AND g.name = j.value ->> '$.name'`,
    "j.key",
  ),
};

module.exports = { reads, writes, answers };
