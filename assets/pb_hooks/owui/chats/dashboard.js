// @ts-check

/**
 * Chats and messages that are made or changed in the dashboard, or over PocketBase's own API: what the adapter keeps
 * beside them is kept right.
 */

const { fold } = require("../lib/records.js");
const { SEPARATOR } = require("../lib/texts.js");
const { refold } = require("../dashboard.js");
const { NEW_VERSION } = require("./history.js");

/**
 * A message's content as SQLite's `->>` gives it.
 *
 * @param {any} message
 */
function searchable(message) {
  const content = message?.content;
  return typeof content === "string"
    ? content
    : content && typeof content === "object"
      ? JSON.stringify(content)
      : "";
}

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
 * A chat: others must not think that they know it.
 *
 * @param {core.RecordRequestEvent} e
 */
function chat(e) {
  const body = JSON.parse(e.record?.getString("chat") || "null");
  const legacy = Object.values(body?.messages || []).map((message) => fold(searchable(message)));
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
  const text = searchable(JSON.parse(e.record?.getString("entry") || "null"));
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
