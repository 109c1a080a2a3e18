// @ts-check

/**
 * Chats and messages that are made, changed or deleted in the dashboard, or over PocketBase's own API: the adapter's own
 * fields follow.
 */

const { deleting } = require("../changes/broadcast.js");
const { NOW, execute, lastDoc } = require("../lib/bulk.js");
const { members, merge } = require("../lib/json.js");
const { fold } = require("../lib/records.js");
const { arg, query } = require("../lib/rows.js");
const { settleTags } = require("../lib/stale.js");
const { SEPARATOR, tagId } = require("../lib/texts.js");
const { refold, deleteAlone } = require("../dashboard.js");
const { NEW_VERSION } = require("./_records.js");
const { CHAT_IN, deleteMessages, makeRoom } = require("./_remains.js");
const { searchedText } = require("./_texts.js");

/**
 * Number a new record for the full-text index, see schema/definitions.py; in the transaction that saves it, so that no
 * two get the same number. What remains of a deleted chat with the same id goes as well.
 *
 * @param {core.RecordEvent} e
 * @param {number} sign -1 for what is not indexed yet
 */
function number(e, sign) {
  const { app } = e;
  app.runInTransaction((tx) => {
    e.app = tx;
    const name = e.record?.collection().name || "";
    if (e.record && CHAT_IN[name]) {
      const id = e.record.getString(CHAT_IN[name]);
      makeRoom(tx, `SELECT ${arg("id")}`, JSON.stringify({ id }));
    }
    if (e.record && !e.record.getInt("doc")) {
      e.record.set("doc", sign * (Number(query(tx, `SELECT ${lastDoc(name)} AS json`, "")) + 1));
    }
    e.next();
  });
  e.app = app; // what comes after the transaction cannot use it
}

/** How many of these tags the chat cannot have: its user does not, or it is one of the host's own. */
const UNSUITABLE = `SELECT count(*) AS json FROM json_each({:body}, '$.tags') j CROSS JOIN owui_tags t ON t.id = j.value
  WHERE t.user_id != ${arg("user_id")} OR {:body} -> '$.internal' = 'true'`;

/**
 * Refuse tags that are not those of the chat's user.
 *
 * @param {core.Record | undefined} record
 * @param {CoreApp} app
 */
function checkTags(record, app) {
  const before = new Set(record?.original().getStringSlice("tags"));
  const tags = record?.getStringSlice("tags").filter((tag) => !before.has(tag));
  if (record && tags?.length) {
    const internal = JSON.parse(record.getString("meta") || "null")?.internal === true;
    const body = JSON.stringify({ tags, user_id: record.getString("user_id"), internal });
    if (Number(query(app, UNSUITABLE, body))) {
      const message = "Only tags of the chat's own user.";
      throw new BadRequestError(message, { tags: new ValidationError("invalid_tags", message) });
    }
  }
}

/**
 * Give the body of a chat its new title: Open WebUI keeps it there as well, and shows that one above the chat.
 *
 * @param {core.Record | undefined} record
 */
function retitle(record) {
  const title = record?.getString("title");
  const before = record?.original();
  const body = record?.getString("chat") || "";
  const titleIn = (/** @type {string} */ text) => text.startsWith("{") && members(text).get("title");
  const isLeftAlone = body.startsWith("{") && titleIn(body) === titleIn(before?.getString("chat") || "");
  if (isLeftAlone && title !== before?.getString("title")) {
    record?.set("chat", merge(body, JSON.stringify({ title })));
  }
}

/**
 * A chat: it gets a new version, so that no process takes what it knows for the chat. What is known of its body stays,
 * unless this is edited.
 *
 * @param {core.RecordRequestEvent} e
 */
function chat(e) {
  checkTags(e.record, e.app);
  const text = e.record?.getString("chat");
  if (e.record?.isNew() || e.record?.original().getString("chat") !== text) {
    const legacy = Object.values(JSON.parse(text || "null")?.messages || []);
    e.record?.set("legacy_folded", legacy.map((message) => fold(searchedText(message))).join(SEPARATOR));
    e.record?.set("tidy", false);
  }
  retitle(e.record);
  e.record?.set("version", Math.floor(Math.random() * 2 ** 48));
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
  e.record?.set("waits", true);
  e.next();
  touch(e);
}

/**
 * A chat that was written by PocketBase: who made it, or listens to it, gets tags and `meta` as triggers left them.
 *
 * @param {core.RecordEvent} e
 */
function writtenChat(e) {
  e.next();
  settleTags(e.app);
  const sql = "SELECT json_array(tags, meta) AS json FROM owui_chats WHERE id = {:body}";
  const [tags, meta] = JSON.parse(query(e.app, sql, String(e.record?.id)));
  e.record?.set("tags", JSON.parse(tags));
  e.record?.set("meta", meta);
}

const WITHOUT_TAG = `UPDATE owui_chats SET updated = ${NOW},
    tags = (SELECT json_group_array(j.value) FROM json_each(tags) j WHERE j.value != ${arg("id")})
  WHERE id IN (SELECT t.chat_id FROM owui_chat_tags t
    WHERE t.user_id = ${arg("user_id")} AND t.tag = ${arg("key")})`;

/**
 * A tag that is deleted: its chats lose it. (Where Open WebUI deletes one, `meta` goes on naming it.)
 *
 * @param {core.RecordRequestEvent} e
 */
function deletedTag(e) {
  const [user_id, key] = ["user_id", "key"].map((name) => e.record?.getString(name));
  return deleting(e, (tx) => {
    execute(tx, WITHOUT_TAG, JSON.stringify({ id: e.record?.id, user_id, key }));
    e.next();
    settleTags(tx);
  });
}

/**
 * A tag that is made or edited: without an id it gets the one which Open WebUI makes from its name.
 *
 * @param {core.RecordRequestEvent} e
 */
function tag(e) {
  if (!e.record?.getString("key")) {
    e.record?.set("key", tagId(String(e.record?.getString("name"))));
  }
  return e.next();
}

/**
 * A tag that was made.
 *
 * @param {core.RecordEvent} e
 */
function madeTag(e) {
  e.next();
  settleTags(e.app);
}

/**
 * A chat that is deleted, with the links to it and its messages; of many, some are left to a job.
 *
 * @param {core.RecordEvent} e
 */
function deletedChat(e) {
  return deleting(e, (tx) => {
    tx.db()
      .delete("owui_shared_chats", $dbx.hashExp({ chat_id: e.record?.id }))
      .execute();
    deleteMessages(tx, JSON.stringify({ ids: [e.record?.id] }));
    return deleteAlone(e);
  });
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

module.exports = {
  number,
  chat,
  writtenChat,
  deletedChat,
  message,
  deletedMessage,
  tag,
  madeTag,
  deletedTag,
};
