// @ts-check

/** The host's table `channel_member`: which users and apps are in a channel, and how each of them sees it. */

const { assignments, execute } = require("../lib/bulk.js");
const { tables, arg, given, matches, row, one, truth, many } = require("../lib/rows.js");
const { MEMBER, IS_USERS, OF_USER_HERE, FIRST, join } = require("./_base.js");

/** @typedef {import("./_base.js").Members} Members */

const ROW = row(MEMBER, "m");
const HERE = `FROM owui_channel_members m WHERE m.channel_id = ${arg("channel_id")}`;
const GET_MEMBER = one(`SELECT ${ROW} ${OF_USER_HERE} ${FIRST}`);

const IS_OWNER = `EXISTS (SELECT 1 FROM owui_channels c
  WHERE c.id = ${arg("channel_id")} AND ${matches(tables.channel, "c", "user_id")})`;

const reads = {
  get_member_by_channel_and_user_id: GET_MEMBER,
  get_members_by_channel_id: many(ROW, `${HERE} AND ${IS_USERS}`, "m.rowid"),
  is_user_channel_member: truth(`EXISTS (SELECT 1 ${OF_USER_HERE} AND m.is_active)`),
  is_app_channel_member: truth(
    `EXISTS (SELECT 1 ${HERE} AND ${matches(MEMBER, "m", "app_id")} AND m.is_active)`,
  ),
  is_user_channel_manager: truth(
    `${IS_OWNER} OR EXISTS (SELECT 1 ${OF_USER_HERE} AND m.is_active AND m.role = 'manager')`,
  ),
};

const writes = {
  /**
   * Make a user a member, or leave the membership that there is; replies with it.
   *
   * @param {CoreApp} tx
   * @param {{ members: Members }} args
   * @param {string} body
   */
  join_channel(tx, { members }, body) {
    join(tx, members, body);
    return "true";
  },

  /**
   * Make those users members who are none; replies with these memberships.
   *
   * @param {CoreApp} tx
   * @param {{ members: Members }} args
   * @param {string} body
   */
  add_members_to_channel(tx, { members }, body) {
    join(tx, members, body);
    return "true";
  },

  /**
   * End memberships of users; replies with their number.
   *
   * @param {CoreApp} tx
   * @param {{ user_ids: string[] }} _args
   * @param {string} body
   */
  remove_members_from_channel(tx, _args, body) {
    const which = `m.channel_id = ${arg("channel_id")} AND m.user_id IN ${given("user_ids")} AND ${IS_USERS}`;
    return String(execute(tx, `DELETE FROM owui_channel_members AS m WHERE ${which}`, body));
  },

  /**
   * Change a user's membership; whoever has none gets the one in `members`. Replies whether there is one now.
   *
   * @param {CoreApp} tx
   * @param {{ changes: Record<string, any>, members: Members }} args
   * @param {string} body
   */
  update_member(tx, { changes, members }, body) {
    const sql = `UPDATE owui_channel_members SET ${assignments(MEMBER, Object.keys(changes))}
      WHERE id = (SELECT m.id ${OF_USER_HERE} ${FIRST} LIMIT 1)`;
    if (!execute(tx, sql, body)) {
      join(tx, members, body);
      return String(members.length > 0);
    }
    return "true";
  },
};

const answers = {
  join_channel: GET_MEMBER,
  add_members_to_channel: many(ROW, `FROM owui_channel_members m WHERE m.id IN ${given("ids")}`, "m.rowid"),
};

/** @type {import("../methods.js").Methods} */
module.exports = { reads, writes, answers };
