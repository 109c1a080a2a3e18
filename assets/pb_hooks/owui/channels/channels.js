// @ts-check

/** The host's table `channel`: channels with their grants, and who reads which. */

const { INHERITED, replaceGrants } = require("../access.js");
const { inserts, assignments, execute } = require("../lib/bulk.js");
const { arg, given, one, many } = require("../lib/rows.js");
const { CHANNEL, WITH_GRANTS, IS_OPEN, IS_USERS, isReadable, seen, join } = require("./_base.js");

/** @typedef {import("./_base.js").Members} Members */
/** @typedef {import("./_base.js").Reader} Reader */
/** @typedef {import("../lib/records.js").Values} Values */

const BY_ID = `FROM owui_channels c WHERE c.id = ${arg("id")}`;
const WITH_FILE = `FROM owui_channels c
  WHERE c.id IN (SELECT f.channel_id FROM owui_channel_files f WHERE f.file_id = ${arg("file_id")})`;

/** Direct messages in which some of the users are, as many as are asked for. */
const OF_USERS = `FROM (SELECT DISTINCT m.channel_id FROM owui_channel_members m WHERE m.user_id IN ${given("user_ids")}) i
  CROSS JOIN owui_channels c ON c.id = i.channel_id AND c.type = 'dm'`;
const NUMBER = "json_array_length({:body}, '$.user_ids')";

const GET_CHANNEL = one(`SELECT ${WITH_GRANTS} ${BY_ID}`);

const reads = {
  get_channel_by_id: GET_CHANNEL,
  get_channels: many(WITH_GRANTS, "FROM owui_channels c", "c.rowid"),
  get_channels_by_file_id: many(WITH_GRANTS, WITH_FILE, "c.id"),

  get_channel_by_id_and_user_id: (/** @type {Reader} */ reader) =>
    `${INHERITED} ${one(`SELECT ${WITH_GRANTS} ${BY_ID} AND ${IS_OPEN} AND ${isReadable(reader)}`)}`,
  get_channels_by_file_id_and_user_id: (/** @type {Reader} */ reader) =>
    `${INHERITED} ${many(WITH_GRANTS, `${WITH_FILE} AND ${IS_OPEN} AND ${isReadable(reader)}`, "c.id")}`,
  get_channels_by_user_id: (/** @type {Reader} */ reader) => `${INHERITED}, ${seen(reader)}
    ${many(WITH_GRANTS, "FROM seen s CROSS JOIN owui_channels c ON c.rowid = s.channel", "s.part, s.place")}`,

  /** The first direct message whose members, of those who are still there, are these users. */
  get_dm_channel_by_user_ids: one(`SELECT ${WITH_GRANTS} ${OF_USERS} WHERE ${NUMBER} = (
      SELECT iif(sum(m.user_id IN ${given("user_ids")}) = count(*), count(*), NULL)
      FROM owui_channel_members m CROSS JOIN owui_users u ON u.id = m.user_id
      WHERE m.channel_id = c.id AND ${IS_USERS})
    ORDER BY c.id`),

  /** The direct messages which can be that one, each with its members: who is still there is known elsewhere. */
  get_dm_channels: many(
    `json_array(${WITH_GRANTS}, json((SELECT json_group_array(m.user_id) FROM owui_channel_members m
      WHERE m.channel_id = c.id AND ${IS_USERS})))`,
    `${OF_USERS} WHERE ${NUMBER} <= (SELECT count(*) FROM owui_channel_members m
      WHERE m.channel_id = c.id AND m.user_id IN ${given("user_ids")})`,
    "c.id",
  ),
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ members: Members, grants: Values[] | null }} args
   * @param {string} body
   */
  insert_new_channel(tx, { members, grants }, body) {
    execute(tx, inserts(CHANNEL, "$.channels"), body);
    join(tx, members, body);
    if (grants) {
      replaceGrants(tx, body, grants);
    }
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, changes: Values }} args
   * @param {string} body
   */
  update_channel_by_id(tx, { changes }, body) {
    const sql = `UPDATE owui_channels SET ${assignments(CHANNEL, Object.keys(changes))} WHERE id = ${arg("id")}`;
    return execute(tx, sql, body) ? "true" : "null";
  },

  /**
   * Delete a channel, and its grants, if they are in PocketBase; members, messages, files and webhooks stay.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, with_grants: boolean }} args
   * @param {string} body
   */
  delete_channel_by_id(tx, { with_grants }, body) {
    if (with_grants) {
      replaceGrants(tx, body, []);
    }
    execute(tx, `DELETE FROM owui_channels WHERE id = ${arg("id")}`, body);
    return "true";
  },
};

const answers = {
  insert_new_channel: GET_CHANNEL,
  update_channel_by_id: GET_CHANNEL,
};

module.exports = { reads, writes, answers };
