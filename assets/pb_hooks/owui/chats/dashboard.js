// @ts-check

/**
 * Chats and messages that are made or changed in the dashboard, or over PocketBase's own API: the adapter's own fields
 * follow.
 */

const { fold } = require("../lib/rows.js");
const { refold } = require("../dashboard.js");
const { NEW_VERSION } = require("./_records.js");
const { SEPARATOR, searchedText } = require("./_texts.js");

/**
 * Number a new record for the full-text index; see schema/definitions.py.
 *
 * @param {core.RecordRequestEvent} e
 * @param {number} sign -1 for what is not indexed
 */
function number(e, sign) {
  if (!e.record?.getInt("doc")) {
    const result = new DynamicModel({ last: 0 });
    const sql = `SELECT coalesce(max(abs(doc)), 0) AS last FROM ${e.collection?.name}`;
    e.app.db().newQuery(sql).one(result);
    e.record?.set("doc", sign * /** @type {any} */ (result.last + 1));
  }
}

/**
 * A chat: it gets a new version, so that no process takes what it knows for the chat.
 *
 * @param {core.RecordRequestEvent} e
 */
function chat(e) {
  const body = JSON.parse(e.record?.getString("chat") || "null");
  const legacy = Object.values(body?.messages || []).map((message) => fold(searchedText(message)));
  e.record?.set("legacy_folded", legacy.join(SEPARATOR));
  e.record?.set("tidy", false);
  e.record?.set("version", Math.floor(Math.random() * 2 ** 48));
  number(e, 1);
  return refold(e);
}

/**
 * A message.
 *
 * @param {core.RecordRequestEvent} e
 */
function message(e) {
  const text = searchedText(JSON.parse(e.record?.getString("entry") || "null"));
  const folded = fold(text);
  const ascii = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  e.record?.set("content_folded", folded === ascii ? "" : folded);
  number(e, -1);
  e.record?.set("waits", true);
  e.next();
  touch(e);
}

/**
 * A message that is deleted.
 *
 * @param {core.RecordRequestEvent} e
 */
function deletedMessage(e) {
  e.next();
  touch(e);
}

/** @param {core.RecordRequestEvent} e */
function touch(e) {
  e.app
    .nonconcurrentDB()
    .newQuery(`UPDATE owui_chats SET version = ${NEW_VERSION}, tidy = FALSE WHERE id = {:id}`)
    .bind({ id: e.record?.getString("chat_id") })
    .execute();
}

module.exports = { chat, message, deletedMessage };
