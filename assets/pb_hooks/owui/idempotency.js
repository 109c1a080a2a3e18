// @ts-check

/** What writes replied, kept for requests that are repeated because their reply was lost: `owui_idempotency`. */

const { query } = require("./lib/rows.js");
const { NEWEST } = require("./changes.js");
const { VERSION } = require("./config/version.js");

/** Seconds for which a reply is kept. */
const REPEATABLE_FOR = 3600;

/**
 * What a write did. `text`: what its method returned. `before` and `last`: the newest change of the feed before the
 * write and after it. `config`: the version of the configuration after it; of a write that was made earlier there is none.
 *
 * @typedef {{ text: string, before: number, last: number, config: string }} Done
 */

/**
 * Begin a write, as the first statement of its transaction: a request that is repeated fails here, and no other
 * process can write from here on.
 *
 * @param {CoreApp} tx
 * @param {string} key
 * @returns {number} the feed's newest change
 */
function begin(tx, key) {
  const sql = "INSERT INTO owui_idempotency (key, answer) VALUES ({:key}, '')";
  return after(tx, sql, { key }).last;
}

/**
 * Note what a write did, as the last statement that changes anything.
 *
 * @param {CoreApp} tx
 * @param {string} key
 * @param {number} before what `begin` returned
 * @param {string} text
 * @returns {Done}
 */
function finish(tx, key, before, text) {
  const sql = `UPDATE owui_idempotency SET answer = {:before} || '/' || ${NEWEST} || '/' || {:text} WHERE key = {:key}`;
  return { text, before, ...after(tx, sql, { key, before: String(before), text }) };
}

/**
 * The feed's newest change, and the version of the configuration, after a statement.
 *
 * @param {CoreApp} tx
 * @param {string} sql a change of one row
 * @param {Record<string, string>} parameters
 * @returns {{ last: number, config: string }}
 */
function after(tx, sql, parameters) {
  const found = new DynamicModel({ last: 0, config: "" });
  tx.db().newQuery(`${sql} RETURNING ${NEWEST} AS last, ${VERSION} AS config`).bind(parameters).one(found);
  const { last, config } = /** @type {any} */ (found);
  return { last, config };
}

/**
 * What an earlier request with this key did; null if there was none.
 *
 * @param {CoreApp} app
 * @param {string} key
 * @returns {Done | null}
 */
function replay(app, key) {
  const sql = "SELECT coalesce(max(answer), '') AS json FROM owui_idempotency WHERE key = {:body}";
  const found = /^(\d+)\/(\d+)\/([^]*)$/.exec(query(app, sql, key));
  return found && { before: Number(found[1]), last: Number(found[2]), text: found[3], config: "" };
}

/**
 * Whose write a key is of: it is part of it, and a trigger on this table notes it in the change feed.
 *
 * @param {string} key
 */
function originOf(key) {
  return /^.{12}-([as].{8})-/.exec(key)?.[1] || "";
}

/** The first key that is still kept: keys begin with the time. */
function oldestKey() {
  return (Date.now() - REPEATABLE_FOR * 1000).toString(16).padStart(12, "0");
}

module.exports = { begin, finish, replay, oldestKey, originOf };
