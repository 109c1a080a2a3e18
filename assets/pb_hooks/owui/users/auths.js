// @ts-check

/**
 * The host's table `auth`: how people sign in.
 *
 * Replies of writes are kept for repeated requests: none has anything of a row.
 */

const { UUID } = require("../lib/bulk.js");
const { merge } = require("../lib/json.js");
const { rowsById } = require("../lib/paging.js");
const { insertPlainly, update, removeWhere, find, get } = require("../lib/records.js");
const { arg, matches, row, one, many, query } = require("../lib/rows.js");
const {
  USER,
  AUTH,
  API_KEY,
  OAUTH_SESSION,
  hasAddress,
  insertUser,
  updateUser,
  deleteUser,
} = require("./_base.js");
const { person } = require("./_signed_in.js");

/** @typedef {import("../lib/records.js").Values} Values */
/** @typedef {{ password: string, session_stamp: string | null, revision: string | null }} Known credentials as the caller knows them */
/** @typedef {{ fresh: string, revision: string }} Fresh JSON text of new MFA data, with this revision */

const HAS_MFA = "coalesce(a.mfa, 'null') NOT IN ('null', '')";
const NO_CHALLENGES = '{"login_challenge":null,"manage_challenge":null,"reset_ticket":null}';

const OF_USER = `SELECT ${row(AUTH, "a")} FROM owui_auths a WHERE a.id = ${arg("id")}`;

const reads = {
  // For who takes all credentials back to SQL.
  get_auths: rowsById(AUTH),
  get_api_keys: rowsById(API_KEY),
  get_oauth_sessions: rowsById(OAUTH_SESSION),
  get_auth_by_id: one(OF_USER),
  get_auth_and_person_by_id: `SELECT '[' || coalesce((${OF_USER}), 'null') || ',' || ${person(arg("id"))} || ']' AS json`,
  authenticate_user: (/** @type {{ email: string }} */ { email }) =>
    one(
      `SELECT json_array(${row(USER, "u")}, ${row(AUTH, "a")})
       FROM owui_users u LEFT JOIN owui_auths a ON a.id = u.id WHERE ${hasAddress(email)}`,
    ),
  authenticate_user_by_email: one(
    `SELECT ${row(USER, "u")} FROM owui_auths a JOIN owui_users u ON u.id = a.id
     WHERE ${matches(AUTH, "a", "email")} AND a.active ORDER BY a.rowid`,
  ),
  get_mfa_values: many("a.mfa", `FROM owui_auths a WHERE ${HAS_MFA}`, "a.rowid"),
};

/**
 * Whether credentials are as the caller knows them, and in use.
 *
 * @param {core.Record} record
 * @param {Known} known
 */
function isUnchanged(record, { password, session_stamp, revision }) {
  const mfa = JSON.parse(record.getString("mfa") || "null") || {};
  return (
    record.getBool("active") &&
    get(AUTH, record, "password") === password &&
    get(AUTH, record, "session_stamp") === session_stamp &&
    (mfa.revision ?? null) === revision
  );
}

/**
 * A record's MFA data without pending challenges, with the revision of new data.
 *
 * @param {core.Record} record
 * @param {string} fresh JSON text of new data
 * @param {string} revision
 */
function withoutChallenges(record, fresh, revision) {
  const data = merge(fresh, merge(record.getString("mfa"), NO_CHALLENGES));
  return merge(data, JSON.stringify({ revision }));
}

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ auth: Values, user: Values & { id: string } }} args
   */
  insert_new_auth(tx, { auth, user }) {
    insertPlainly(tx, AUTH, [auth]);
    insertUser(tx, user);
    return "true";
  },

  /**
   * Replace MFA data and session stamp unless the credentials are not as expected any more.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, expected: Known, mfa: string | null, session_stamp: string }} args
   */
  update_mfa_by_id(tx, { id, expected, mfa, session_stamp }) {
    const record = find(tx, AUTH, id);
    if (!record || !isUnchanged(record, expected)) {
      return "false";
    }
    update(tx, AUTH, record, { mfa, session_stamp });
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, session_stamp: string } & Fresh} args
   */
  revoke_sessions_by_user_id(tx, { id, session_stamp, fresh, revision }) {
    const record = find(tx, AUTH, id);
    if (!record) {
      return "false";
    }
    const hasMfa = !["null", ""].includes(record.getString("mfa"));
    const mfa = hasMfa ? withoutChallenges(record, fresh, revision) : undefined;
    update(tx, AUTH, record, { mfa, session_stamp });
    return "true";
  },

  /**
   * End all sessions in one statement, however many there are; reply with the ids of all users.
   *
   * @param {CoreApp} tx
   */
  revoke_all_sessions(tx) {
    tx.db()
      .newQuery(
        `UPDATE owui_auths AS a SET session_stamp = ${UUID},
           mfa = CASE WHEN ${HAS_MFA} THEN json_set(a.mfa, '$.login_challenge', NULL, '$.manage_challenge', NULL,
             '$.reset_ticket', NULL, '$.revision', ${UUID}) ELSE a.mfa END`,
      )
      .execute();
    return query(tx, many("a.id", "FROM owui_auths a", "a.id"), "{}");
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, email: string }} args
   */
  update_email_by_id(tx, { id, email }) {
    const record = find(tx, AUTH, id);
    if (!record) {
      return "false";
    }
    update(tx, AUTH, record, { email });
    const user = find(tx, USER, id);
    if (user) {
      updateUser(tx, user, { email });
    }
    return "true";
  },

  /**
   * Set a new password and end all sessions. Returns null if the user has no credentials, false if these are
   * not as expected any more, or not in use.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, password: string, session_stamp: string, expected: Known | null, mfa: string | null } & Fresh}
   *   args `expected` and `mfa` are null: whatever is there
   */
  update_user_password_by_id(tx, { id, password, session_stamp, expected, mfa, fresh, revision }) {
    const record = find(tx, AUTH, id);
    if (!record || !(expected ? isUnchanged(record, expected) : record.getBool("active"))) {
      return record || expected ? "false" : "null";
    }
    update(tx, AUTH, record, {
      password,
      session_stamp,
      mfa: mfa === null ? withoutChallenges(record, fresh, revision) : mfa,
    });
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   */
  delete_auth_by_id(tx, { id }) {
    deleteUser(tx, id);
    removeWhere(tx, AUTH, { id });
    return "true";
  },
};

module.exports = { reads, writes };
