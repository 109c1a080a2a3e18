// @ts-check

/** What the host's list of channels asks of each of them, for all at once. */

const { INHERITED } = require("../access.js");
const { MEMBER, WITH_GRANTS, IS_USERS, OF_USER_HERE, FIRST, seen } = require("../channels/_base.js");
const { tables, arg, row, many } = require("../lib/rows.js");
const { IS_TOP_LEVEL } = require("../messages/_base.js");

/** @typedef {import("../channels/_base.js").Reader} Reader */

const OF_MEMBERSHIP = OF_USER_HERE.replace(arg("channel_id"), "c.id");

/** Nanoseconds 0, as a sortable text. */
const NEVER = "'0000000000000000000'";

/** By an index with nothing but the messages of a channel, latest first. */
const LAST_MESSAGE = `(SELECT m.created_at FROM owui_messages m WHERE m.channel_id = c.id
  ORDER BY m.created_at DESC LIMIT 1)`;

/** Of a channel `c` since its user's membership `o`: an index has nothing but these. */
const UNREAD = `(SELECT count(*) FROM owui_messages m WHERE m.channel_id = c.id AND ${IS_TOP_LEVEL}
  AND m.created_at > iif(o.last_read_at = '', ${NEVER}, o.last_read_at) AND m.user_id != ${arg("user_id")})`;

const USERS_HERE = `FROM owui_channel_members m WHERE m.channel_id = c.id AND ${IS_USERS}`;

const reads = {
  /**
   * The channels that a user sees, with grants. Of each the time of its last message, the user's membership and the
   * number of messages unread since, or nulls, and the members of a direct message. And the users among these, or null
   * if users are not in PocketBase.
   *
   * @param {Reader & { with_users: boolean }} args
   */
  get_channel_list(args) {
    const channel = `json_array(${WITH_GRANTS}, ${LAST_MESSAGE},
      iif(o.id IS NULL, NULL, ${row(MEMBER, "o")}), iif(o.id IS NULL, NULL, ${UNREAD}),
      json(iif(c.type = 'dm', (SELECT json_group_array(m.user_id) ${USERS_HERE}), NULL)))`;
    const users = many(
      row(tables.user, "u"),
      `FROM owui_users u WHERE u.id IN (SELECT m.user_id FROM listed i CROSS JOIN owui_channels c ON c.rowid = i.channel
        CROSS JOIN owui_channel_members m ON m.channel_id = c.id AND ${IS_USERS} WHERE c.type = 'dm')`,
      "u.id",
    );
    return `${INHERITED}, ${seen(args)},
      listed AS MATERIALIZED (SELECT s.*, (SELECT m.rowid ${OF_MEMBERSHIP} ${FIRST} LIMIT 1) AS own
        FROM seen s CROSS JOIN owui_channels c ON c.rowid = s.channel)
      SELECT json_array(
        json((${many(
          channel,
          `FROM listed i CROSS JOIN owui_channels c ON c.rowid = i.channel
          LEFT JOIN owui_channel_members o ON o.rowid = i.own`,
          "i.part, i.place",
        )})), json(${args.with_users ? `(${users})` : "NULL"})) AS json`;
  },
};

module.exports = { reads };
