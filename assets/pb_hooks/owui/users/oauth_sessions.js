// @ts-check

/**
 * The host's table `oauth_session`: tokens of the services where people signed in, encrypted by the host.
 *
 * Replies of writes are kept for repeated requests: none has a token.
 */

const { insert, update, removeWhere, find } = require("../lib/records.js");
const { arg, row, one, many, query } = require("../lib/rows.js");
const { OAUTH_SESSION: SESSION } = require("./_base.js");

/** @typedef {import("../lib/records.js").Values} Values */

const ROW = row(SESSION, "s");
const OF_USER = `FROM owui_oauth_sessions s WHERE s.user_id = ${arg("user_id")}`;
const BY_ID = `FROM owui_oauth_sessions s WHERE s.id = ${arg("id")}`;

const reads = {
  get_session_by_id: one(`SELECT ${ROW} ${BY_ID}`),
  get_session_by_id_and_user_id: one(`SELECT ${ROW} ${BY_ID} AND s.user_id = ${arg("user_id")}`),
  get_session_by_provider_and_user_id: one(
    `SELECT ${ROW} ${OF_USER} AND s.provider = ${arg("provider")} ORDER BY s.created_at DESC, s.rowid`,
  ),
  get_sessions_by_user_id: many(ROW, OF_USER, "s.provider, s.rowid"), // as the stock query's index gives them
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ session: Values }} args
   */
  create_session(tx, { session }) {
    insert(tx, SESSION, session);
    return "true";
  },

  /**
   * Set what changes with a new token; reply with user, provider and the time when the session began, or null.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, changes: Values }} args
   * @param {string} body
   */
  update_session_by_id(tx, { id, changes }, body) {
    const record = find(tx, SESSION, id);
    if (!record) {
      return "null";
    }
    update(tx, SESSION, record, changes);
    return query(tx, one(`SELECT json_array(s.user_id, s.provider, s.created_at) ${BY_ID}`), body);
  },

  /**
   * Delete the sessions which have the values that are given; reply with their number.
   *
   * @param {CoreApp} tx
   * @param {{ id?: string, user_id?: string, provider?: string }} args
   */
  delete_sessions(tx, { id, user_id, provider }) {
    const values = Object.entries({ id, user_id, provider }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    return String(removeWhere(tx, SESSION, Object.fromEntries(values)));
  },
};

module.exports = { reads, writes };
