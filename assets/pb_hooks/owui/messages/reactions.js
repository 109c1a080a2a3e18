// @ts-check

/** Reactions to messages: the host's table `message_reaction`. */

const { inserts, execute } = require("../lib/bulk.js");
const { given, value, matches, row, one, many, query } = require("../lib/rows.js");
const { REACTION, USER } = require("./_base.js");

/** @typedef {{ message_id: string, user_id: string, name: string }} Reaction */

const OF_MESSAGE = matches(REACTION, "r", "message_id");
const EXACTLY = `FROM owui_message_reactions AS r WHERE ${OF_MESSAGE}
  AND ${matches(REACTION, "r", "user_id")} AND ${matches(REACTION, "r", "name")}`;
/** Without one it is none of those to a message whose id is empty. */
const HAS_MESSAGE = `${value(REACTION, "r", "message_id")} IS NOT NULL`;
/** All reactions to a message. */
const DELETE_REACTIONS = `DELETE FROM owui_message_reactions AS r WHERE ${OF_MESSAGE}`;

const GET_REACTION = one(`SELECT ${row(REACTION, "r")} ${EXACTLY} ORDER BY r.rowid`);

/**
 * SQL of reactions: of each the message, its name, the user's id and, if users are in PocketBase, their name. Those of
 * users that are gone are left out then.
 *
 * @param {string} which condition
 * @param {boolean} withUsers whether users are in PocketBase
 */
function reactions(which, withUsers) {
  const columns = [value(REACTION, "r", "message_id"), value(REACTION, "r", "name"), "r.user_id"];
  const users = withUsers ? "CROSS JOIN owui_users u ON u.id = r.user_id" : "";
  return many(
    `json_array(${[...columns, ...(withUsers ? [value(USER, "u", "name")] : [])].join(", ")})`,
    `FROM owui_message_reactions r ${users} WHERE ${which}`,
    "r.rowid",
  );
}

const reads = {
  /** @param {{ with_users: boolean }} args */
  get_reactions_by_message_ids: ({ with_users }) =>
    reactions(`r.message_id IN ${given("message_ids")} AND ${HAS_MESSAGE}`, with_users),
};

const writes = {
  /**
   * Add a reaction, unless it is there already.
   *
   * @param {CoreApp} tx
   * @param {Reaction} args
   * @param {string} body
   */
  add_reaction_to_message(tx, args, body) {
    if (query(tx, GET_REACTION, body) === "null") {
      execute(tx, inserts(REACTION, "$.reactions"), body);
    }
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {Reaction} args
   * @param {string} body
   */
  remove_reaction(tx, args, body) {
    execute(tx, `DELETE ${EXACTLY}`, body);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ message_id: string }} args
   * @param {string} body
   */
  delete_reactions_by_id(tx, args, body) {
    execute(tx, DELETE_REACTIONS, body);
    return "true";
  },
};

const answers = { add_reaction_to_message: GET_REACTION };

module.exports = { reads, writes, answers, reactions, DELETE_REACTIONS };
