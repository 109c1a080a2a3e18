// @ts-check

/** What writes replied, kept for requests that are repeated because their reply was lost: `owui_idempotency`. */

const { query } = require("./lib/rows.js");
const { NEWEST } = require("./changes.js");

/** Seconds for which a reply is kept. */
const REPEATABLE_FOR = 3600;

/**
 * What a write did. `text`: what its method returned. `before` and `last`: the newest change of the feed before the
 * write and after it.
 *
 * @typedef {{ text: string, before: number, last: number }} Done
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
  return newestAfter(tx, sql, { key });
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
  return { text, before, last: newestAfter(tx, sql, { key, before: String(before), text }) };
}

/**
 * @param {CoreApp} tx
 * @param {string} sql a change of one row
 * @param {Record<string, string>} parameters
 * @returns {number}
 */
function newestAfter(tx, sql, parameters) {
  const found = new DynamicModel({ last: 0 });
  tx.db().newQuery(`${sql} RETURNING ${NEWEST} AS last`).bind(parameters).one(found);
  return /** @type {any} */ (found).last;
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
  return found && { before: Number(found[1]), last: Number(found[2]), text: found[3] };
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
