// @ts-check

/**
 * The tree of user groups, walked in SQL: common table expressions `name (origin, group_id)`, for WITH RECURSIVE.
 *
 * UNION ends on cycles. CROSS JOIN keeps SQLite from beginning with all groups. `origin` is what a walk began with: a
 * user, or a group; a constant if nobody asks.
 */

/**
 * SQL of groups and all above them, also those that are not there.
 *
 * @param {string} name of the table
 * @param {string} start SQL of the first rows
 * @param {string} [end] SQL behind them
 */
function groupsAbove(name, start, end = "") {
  return `${name} (origin, group_id) AS (${start}
    UNION SELECT w.origin, g.parent_group_id FROM ${name} w CROSS JOIN owui_groups g ON g.id = w.group_id
    WHERE g.parent_group_id != ''${end})`;
}

/**
 * SQL of groups and all below them, level by level.
 *
 * @param {string} name of the table
 * @param {string} start SQL of the first rows
 */
function groupsBelow(name, start) {
  return `${name} (origin, group_id) AS (${start}
    UNION SELECT w.origin, g.id FROM ${name} w CROSS JOIN owui_groups g ON g.parent_group_id = w.group_id)`;
}

/**
 * SQL of the ids of the members of groups and of all groups below them, as a query in brackets.
 *
 * @param {string} groups SQL of a query of the groups' ids
 */
function membersBelow(groups) {
  return `(WITH RECURSIVE ${groupsBelow("below", `SELECT 0, * FROM (${groups})`)}
    SELECT m.user_id FROM below b CROSS JOIN owui_group_members m ON m.group_id = b.group_id)`;
}

module.exports = { groupsAbove, groupsBelow, membersBelow };
