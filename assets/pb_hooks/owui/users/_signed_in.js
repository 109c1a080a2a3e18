// @ts-check

/** What the host reads of whoever sends it a request, behind their credentials: the user and the user's groups. */

const { tables, arg, row } = require("../lib/rows.js");
const { groupsAbove } = require("../lib/trees.js");
const { ROW } = require("./_base.js");

/** So many groups cost less on the way than a request for them; of more the rows are read when they are asked for. */
const FEW = 10;

/**
 * SQL of JSON text: the row of a user, or null; and behind a comma the rows of the groups that the user is in, and of
 * those above them, or null if these are many, or not wanted (the parameter `groups`).
 *
 * Texts are put together as they are: within another array SQLite would parse rows that it has just made.
 *
 * @param {string} id SQL of the user's id
 */
function person(id) {
  const start = `SELECT 0, m.group_id FROM owui_group_members m WHERE m.user_id = ${id}`;
  return `coalesce((SELECT ${ROW} FROM owui_users u WHERE u.id = ${id}), 'null') || ',' ||
    CASE WHEN ${arg("groups")} THEN (
      WITH RECURSIVE ${groupsAbove("memberships", start, ` LIMIT ${FEW + 1}`)}
      SELECT CASE WHEN (SELECT count(*) FROM memberships) <= ${FEW} THEN (
        SELECT json_group_array(${row(tables.group, "g")} ORDER BY g.updated_at DESC, g.id)
        FROM memberships s CROSS JOIN owui_groups g ON g.id = s.group_id) ELSE 'null' END) ELSE 'null' END`;
}

module.exports = { person };
