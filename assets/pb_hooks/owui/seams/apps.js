// @ts-check

/**
 * External apps in channels: which are members, where an app is one, and the messages that it may read. The apps
 * themselves are in the host's SQL database.
 */

const { assignments, execute, inserts } = require("../lib/bulk.js");
const { tables, arg, row, one, many } = require("../lib/rows.js");
const { MESSAGE, IS_TOP_LEVEL, inThread } = require("../messages/_base.js");

const CHANNEL = tables.channel;
const MEMBER = tables.channel_member;

/** The indexes have only members that are apps. */
const IS_APP = "m.app_id != ''";
const OF_APP = `${IS_APP} AND m.app_id = ${arg("app_id")}`;
const IN_CHANNEL = `m.channel_id = ${arg("channel_id")}`;

/** The message with an id given as a parameter. */
const message = (/** @type {string} */ name) =>
  `SELECT ${row(MESSAGE, "m")} FROM owui_messages m WHERE m.id = ${arg(name)}`;

const LATEST_FIRST = "m.created_at DESC, m.id DESC";

/**
 * SQL of "the message comes behind the cursor". Of two messages of one time the smaller id comes later; one without a
 * time comes behind none that has one.
 */
const BEHIND = `m.created_at <= c.created_at AND (m.created_at < c.created_at AND m.created_at != ''
  OR m.created_at = c.created_at AND m.id < c.id)`;

const reads = {
  /** Ids of the apps that are active in a channel, of those which joined until `joined_before` if that is given. */
  get_app_ids: many(
    "m.app_id",
    `FROM owui_channel_members m WHERE ${IN_CHANNEL} AND ${IS_APP} AND m.is_active = TRUE
      AND (${arg("joined_before")} IS NULL OR m.joined_at != '' AND m.joined_at <= ${arg("joined_before")})`,
    "m.app_id",
  ),

  get_app_member: one(
    `SELECT ${row(MEMBER, "m")} FROM owui_channel_members m WHERE ${IN_CHANNEL} AND ${OF_APP}`,
  ),

  /** The channels in which an app is active, without those that are archived or deleted. */
  get_app_channels: many(
    row(CHANNEL, "c"),
    `FROM owui_channel_members m CROSS JOIN owui_channels c ON c.id = m.channel_id
      WHERE ${OF_APP} AND m.is_active = TRUE AND c.deleted_at = '' AND c.archived_at = ''`,
    "m.rowid", // as the host's database meets them
  ),

  get_app_message: one(message("id")),

  /**
   * The message of a thread, the one behind which a page begins, and the page; null for what is not asked for.
   *
   * @param {{ parent_id: string | null, before: string | null }} args
   */
  get_app_channel_messages: ({ parent_id, before }) => {
    // Of itself SQLite would take the index of threads, for its order: it has all channels' messages that are in none.
    const [index, place] =
      parent_id === null ? ["top_level", IS_TOP_LEVEL] : ["parent_id_created_at_id", inThread({ parent_id })];
    const cursor = before ? "owui_messages c CROSS JOIN " : "";
    const behind = before ? `AND c.id = ${arg("before")} AND ${BEHIND}` : "";
    return `WITH page AS MATERIALIZED (SELECT m.rowid AS r
        FROM ${cursor}owui_messages m INDEXED BY idx_owui_messages_${index}
        WHERE m.channel_id = ${arg("channel_id")} AND ${place} ${behind}
        ORDER BY ${LATEST_FIRST} LIMIT ${arg("number")})
      SELECT '[' || coalesce((${message("parent_id")}), 'null') || ',' || coalesce((${message("before")}), 'null') || ','
        || (SELECT json_group_array(json(${row(MESSAGE, "m")}) ORDER BY ${LATEST_FIRST})
          FROM page p CROSS JOIN owui_messages m ON m.rowid = p.r) || ']' AS json`;
  },
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {any} _args
   * @param {string} body
   */
  insert_app_member(tx, _args, body) {
    execute(tx, inserts(MEMBER, "$.members"), body);
    return "true";
  },

  /**
   * Change memberships of an app, in one channel or, if that is null, in all.
   *
   * @param {CoreApp} tx
   * @param {{ channel_id: string | null, changes: Record<string, unknown> }} args
   * @param {string} body
   */
  update_app_members(tx, { channel_id, changes }, body) {
    const where = channel_id === null ? OF_APP : `${IN_CHANNEL} AND ${OF_APP}`;
    const set = assignments(MEMBER, Object.keys(changes));
    execute(tx, `UPDATE owui_channel_members AS m SET ${set} WHERE ${where}`, body);
    return "true";
  },
};

module.exports = { reads, writes };
