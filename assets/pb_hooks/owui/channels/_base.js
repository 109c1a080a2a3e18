// @ts-check

/** What the modules of channels share: a channel with its grants, who may read it, and one membership. */

const { INHERITED_IDS, permits, grantsOn } = require("../access.js");
const { inserts, execute } = require("../lib/bulk.js");
const { tables, arg, given, value, matches, row, truth, query } = require("../lib/rows.js");

/**
 * Who reads channels that are open to those to whom they are granted. `granted`: ids of the channels which this user
 * is granted, if grants are not in PocketBase.
 *
 * @typedef {{ user_id: string | null, resource_type: "channel", permission: "read", granted: string[] | null }} Reader
 */

/**
 * New memberships as records; their ids and users are in the text of these.
 *
 * @typedef {{ nulls: string }[]} Members
 */

const CHANNEL = tables.channel;
const MEMBER = tables.channel_member;

/** A channel's row, and the rows of its grants. */
const WITH_GRANTS = `json_array(${row(CHANNEL, "c")}, ${grantsOn("'channel'", "c.id")})`;

const IS_OPEN = "c.archived_at = '' AND c.deleted_at = ''";

/** A channel that is read by its members; others are read by those to whom they are granted. */
const IS_FOR_MEMBERS = "c.type IN ('group', 'dm')";

/** The memberships of a user, or of all apps if there is none, as for the host. */
const OF_USER = matches(MEMBER, "m", "user_id");
const IS_USERS = `${value(MEMBER, "m", "user_id")} IS NOT NULL`;

/** One user can have several memberships in a channel; the host takes the one that its database meets first. */
const OF_USER_HERE = `FROM owui_channel_members m WHERE m.channel_id = ${arg("channel_id")} AND ${OF_USER}`;
const FIRST = "ORDER BY m.app_id, m.rowid";

/**
 * SQL of "the user may read this channel, which is not only for members".
 *
 * @param {Reader} reader
 */
function isGranted({ user_id, granted }) {
  if (!user_id) {
    return "TRUE"; // the host does not ask who it is if there is nobody
  }
  const ids = granted ? `c.id IN ${given("granted")}` : permits("c.id", INHERITED_IDS);
  return `(c.user_id = ${arg("user_id")} OR ${ids})`;
}

/**
 * SQL of "the user may read this channel".
 *
 * @param {Reader} reader
 */
function isReadable(reader) {
  const isMember = `EXISTS (SELECT 1 FROM owui_channel_members m WHERE m.channel_id = c.id AND ${OF_USER} AND m.is_active)`;
  return `CASE WHEN ${IS_FOR_MEMBERS} THEN ${isMember} ELSE ${isGranted(reader)} END`;
}

/**
 * SQL of a table of the channels that a user sees, for WITH after the walk through groups: rowid of the channel, and
 * its place; first those of the user's memberships, once for each.
 *
 * @param {Reader} reader
 */
function seen(reader) {
  return `seen (channel, part, place) AS MATERIALIZED (
    SELECT c.rowid, 0, m.rowid FROM owui_channel_members m CROSS JOIN owui_channels c ON c.id = m.channel_id
      WHERE ${OF_USER} AND m.is_active AND ${IS_FOR_MEMBERS} AND ${IS_OPEN}
    UNION ALL SELECT c.rowid, 1, c.rowid FROM owui_channels c
      WHERE c.type != 'group' AND c.type != 'dm' AND ${IS_OPEN} AND ${isGranted(reader)})`;
}

/** Inserts the memberships which the body has in `members`, but no second one of anybody in a channel. */
const JOINING = `${inserts(MEMBER, "$.members")} WHERE NOT EXISTS (SELECT 1 FROM owui_channel_members m
  WHERE m.channel_id = j.value ->> '$.channel_id' AND m.user_id = j.value ->> '$.user_id'
    AND ${value(MEMBER, "m", "user_id")} IS iif(instr(j.value ->> '$.nulls', '"user_id"'), NULL, m.user_id))`;

const HAS_NOBODY = truth(`EXISTS (SELECT 1 FROM owui_channel_members m
  WHERE m.channel_id = ${arg("channel_id")} AND m.user_id = '' AND m.app_id = ''
    AND ${value(MEMBER, "m", "user_id")} IS NULL AND ${value(MEMBER, "m", "app_id")} IS NULL)`);

/**
 * Make users members of a channel; those who are already stay as they are.
 *
 * @param {CoreApp} tx
 * @param {Members} members
 * @param {string} body JSON text with `channel_id` and these `members`
 */
function join(tx, members, body) {
  execute(tx, JOINING, body);
  if (members.some(({ nulls }) => nulls.includes('"user_id"')) && query(tx, HAS_NOBODY, body) === "true") {
    throw { status: 400, code: "not_null", message: "owui_channel_members: neither a user nor an app" };
  }
}

module.exports = {
  CHANNEL,
  MEMBER,
  WITH_GRANTS,
  IS_OPEN,
  IS_USERS,
  OF_USER_HERE,
  FIRST,
  isReadable,
  seen,
  join,
};
