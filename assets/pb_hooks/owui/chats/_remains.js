// @ts-check

/**
 * Messages of chats that are not there: of imports that were given up, and of chats that were deleted, which goes first.
 *
 * Each such chat has a row in `owui_chat_locks` whose token begins with `old-`. Nobody waits until its messages are
 * deleted: a job of PocketBase does that in parts, and others write in between. Until then reads leave them out (`kept`),
 * and whoever makes a chat with such an id deletes them first (`makeRoom`).
 */

const { broadcasting } = require("../changes/broadcast.js");
const { tables, given, truth, query } = require("../lib/rows.js");
const { execute, inSteps } = require("../lib/bulk.js");
const { mergeLater } = require("../lib/merges.js");

/** Messages that are deleted in one step, about 20 ms; and bytes, of which a message may have megabytes. */
const ROWS = 200;
const BYTES = 16 << 20;

/** Milliseconds between two parts at least; else as long as the part took: half of the time is for others. */
const PAUSE = 5;

/** In `$app.store()`, which all JavaScript runtimes share, while the job runs. */
const CLEARING = "owui_clearing";

const SIZE = ["entry", "content", "content_folded", "output", "files", "sources"]
  .map((name) => `octet_length(m.${name})`)
  .join(" + ");

const IS_OLD = "token GLOB 'old-*'";
const ARE_THERE = `EXISTS (SELECT 1 FROM owui_chat_locks WHERE ${IS_OLD})`;

/**
 * SQL of "this message is not what remains of a chat". Nearly always nothing remains, which is looked up once.
 *
 * @param {string} alias of the message
 */
function kept(alias) {
  return `(NOT ${ARE_THERE} OR NOT EXISTS (
    SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = ${alias}.chat_id AND l.${IS_OLD}))`;
}

/**
 * SQL that deletes a part of some messages.
 *
 * @param {string} rest SQL from FROM on, of messages `m`
 */
function deletePart(rest) {
  return `DELETE FROM owui_chat_messages WHERE rowid IN (SELECT place FROM (
    SELECT place, sum(size) OVER (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM (SELECT m.rowid AS place, ${SIZE} AS size ${rest} LIMIT ${ROWS}))
    WHERE coalesce(before, 0) < ${BYTES})`;
}

const DELETE_SOME =
  deletePart(`FROM owui_chat_locks l CROSS JOIN owui_chat_messages m ON m.chat_id = l.chat_id
  WHERE l.${IS_OLD} AND NOT EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = l.chat_id)`);

/** As those come first whose messages are deleted first, it need not look at all of them. */
const FORGET_EMPTY = `DELETE FROM owui_chat_locks AS o WHERE chat_id IN (
    SELECT chat_id FROM owui_chat_locks WHERE ${IS_OLD} ORDER BY chat_id LIMIT ${ROWS + 1})
  AND (NOT EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = o.chat_id)
    OR EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = o.chat_id))`;

/** The deleted chats that have messages; whoever wrote them alone does so no more. */
const LEAVE = `INSERT INTO owui_chat_locks (chat_id, token, expires_at)
  SELECT value, 'old-', 0 FROM ${given("ids")}
    WHERE EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = value)
  ON CONFLICT (chat_id) DO UPDATE SET token = excluded.token`;

const FIRST_PART = deletePart(`FROM owui_chat_messages m WHERE m.chat_id IN ${given("ids")}`);

const NEWEST = "SELECT coalesce(max(seq), 0) AS json FROM owui_changes";

/** That a deleted chat is gone was told when it went. */
const CONCERNS_NOBODY = `UPDATE owui_changes SET concerned = '' WHERE seq > {:body}
  AND EXISTS (SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = concerned ->> 0 AND l.token = 'old-')`;

/**
 * Leave the messages of chats that are deleted; returns whether there are any.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with the chats' `ids`
 */
function leaveMessages(tx, body) {
  return execute(tx, LEAVE, body) > 0;
}

/**
 * Delete messages of a chat that is deleted, as many as one transaction may, and leave the others; returns whether there
 * are any.
 *
 * @param {CoreApp} tx
 * @param {string} body JSON text with the chat's id as `ids`
 */
function deleteMessages(tx, body) {
  mergeLater(tx, tables.chat_message);
  inSteps(() => execute(tx, FIRST_PART, body) === ROWS);
  return leaveMessages(tx, body);
}

/**
 * The field of a record that has the id of a chat with messages, by collection.
 *
 * @type {Record<string, string>}
 */
const CHAT_IN = { owui_chats: "id", owui_chat_messages: "chat_id" };

/**
 * Delete all that remains of some chats, as others are made with their ids; hardly ever there is anything.
 *
 * @param {CoreApp} tx
 * @param {string} ids SQL that selects them
 * @param {string} body JSON text, the parameters of that
 */
function makeRoom(tx, ids, body) {
  if (!areThere(tx)) {
    return;
  }
  const again = `SELECT json_group_array(chat_id) AS json FROM owui_chat_locks WHERE ${IS_OLD} AND chat_id IN (${ids})`;
  const found = `{"ids":${query(tx, again, body)}}`;
  for (const table of ["owui_chat_messages", "owui_chat_locks"]) {
    execute(tx, `DELETE FROM ${table} WHERE chat_id IN ${given("ids")}`, found);
  }
}

/**
 * Delete some of what remains; returns whether there is more.
 *
 * @param {CoreApp} tx
 */
function deleteRemains(tx) {
  mergeLater(tx, tables.chat_message);
  inSteps(() => {
    const before = query(tx, NEWEST, "");
    const deleted = tx.db().newQuery(DELETE_SOME).execute().rowsAffected();
    execute(tx, CONCERNS_NOBODY, before);
    tx.db().newQuery(FORGET_EMPTY).execute();
    return deleted === ROWS;
  });
  return areThere(tx);
}

/**
 * Whether messages of deleted chats remain.
 *
 * @param {CoreApp} app
 */
function areThere(app) {
  return query(app, truth(ARE_THERE), "") === "true";
}

/**
 * Delete some of what remains, in a transaction of its own; returns whether there is more.
 *
 * @param {CoreApp} app
 */
function clearSome(app) {
  let isMore = false;
  app.runInTransaction((tx) => {
    const before = Number(query(tx, NEWEST, ""));
    const committed = (/** @type {string} */ name, /** @type {string} */ id) =>
      app.findRecordsByIds(name, [id])[0];
    isMore = broadcasting(tx, committed, before, () => deleteRemains(tx));
  });
  return isMore;
}

/**
 * Delete all that remains. Whoever calls while somebody else is at it leaves it to that one.
 *
 * @param {CoreApp} app
 */
function clear(app) {
  while (areThere(app)) {
    let isAlone = false;
    app.store().setFunc(CLEARING, (/** @type {any} */ found) => {
      isAlone = !found;
      return true;
    });
    if (!isAlone) {
      return;
    }
    try {
      let isMore = true;
      while (isMore) {
        const begun = Date.now();
        isMore = clearSome(app);
        sleep(Math.max(PAUSE, Date.now() - begun));
      }
    } finally {
      app.store().remove(CLEARING);
    }
  }
}

module.exports = {
  BYTES,
  CHAT_IN,
  kept,
  leaveMessages,
  deleteMessages,
  makeRoom,
  areThere,
  deleteRemains,
  clear,
};
