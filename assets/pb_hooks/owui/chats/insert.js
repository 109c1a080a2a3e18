// @ts-check

/**
 * New chats: as they are sent at once, or in parts if they are long.
 *
 * A chat is there as soon as its record is. So the messages come first, in transactions of their own, and the chats
 * with the last ones. Until then each chat has a row in `owui_chat_locks` that names the import. What nobody finishes
 * is deleted: when the import says that it has failed, or, if its process has died, once that row has expired.
 */

const { tables, arg, given, truth, query } = require("../lib/rows.js");
const { inserts, execute } = require("../lib/bulk.js");
const { MILLISECONDS, INSERT_MESSAGES } = require("./_records.js");
const { deleteRemains, makeRoom } = require("./_remains.js");
const { relation } = require("./tags.js");

const INSERT_CHATS = inserts(tables.chat, "$.chats", {
  tags: relation("j.value ->> '$.meta'", "j.value ->> '$.user_id'"),
});

/**
 * Chats and messages as the fields of records.
 *
 * @typedef {{ chats: object[], messages: object[] }} Records
 */

/** The import owns this id, or may own it: there is neither chat nor message with it. */
const IS_FREE = `(EXISTS (SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = j.value AND l.token = ${arg("token")})
  OR NOT EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = j.value)
    AND NOT EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = j.value))`;

const BEGIN = `INSERT INTO owui_chat_locks (chat_id, token, expires_at)
  SELECT j.value, ${arg("token")}, ${MILLISECONDS} + ${arg("milliseconds")} FROM json_each({:body}, '$.ids') j
    WHERE ${IS_FREE}
  ON CONFLICT (chat_id) DO UPDATE SET expires_at = excluded.expires_at WHERE token = excluded.token`;

const FINISH = `DELETE FROM owui_chat_locks WHERE token = ${arg("token")}
  AND (SELECT count(*) FROM owui_chat_locks WHERE token = ${arg("token")}) = ${arg("count")}`;

const DELETE_CHATS = `DELETE FROM owui_chats WHERE (id, version) IN (
  SELECT value ->> 0, value ->> 1 FROM json_each({:body}, '$.inserted'))`;

/** No import can finish with a token that was given up. Chats whose row had expired are given up as well. */
const GIVE_UP = `INSERT INTO owui_chat_locks (chat_id, token, expires_at)
  SELECT j.value, 'old-' || ${arg("token")}, 0 FROM json_each({:body}, '$.ids') j
    WHERE NOT EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = j.value)
  ON CONFLICT (chat_id) DO UPDATE SET token = excluded.token WHERE token = ${arg("token")}`;

const IS_EXPIRED = `token GLOB 'new-*' AND expires_at < ${MILLISECONDS}`;

/**
 * Give up the imports that nobody will finish.
 *
 * @param {CoreApp} app
 */
function giveUpExpired(app) {
  if (query(app, truth(`EXISTS (SELECT 1 FROM owui_chat_locks WHERE ${IS_EXPIRED})`), "") === "true") {
    app
      .nonconcurrentDB()
      .newQuery(`UPDATE owui_chat_locks SET token = 'old-' || token WHERE ${IS_EXPIRED}`)
      .execute();
  }
}

const INSERTED = "SELECT j.value ->> '$.id' FROM jsonb_each({:body}, '$.chats') j";

const writes = {
  /**
   * Insert `chats` and `messages`, of these chats or of an import that has begun.
   *
   * @param {CoreApp} tx
   * @param {Records | undefined} args it is not parsed
   * @param {string} body
   */
  insert_chats(tx, args, body) {
    makeRoom(tx, INSERTED, body);
    execute(tx, INSERT_CHATS, body);
    execute(tx, INSERT_MESSAGES, body);
    return "true";
  },

  /**
   * Begin to import chats, or note that the import goes on.
   *
   * @param {CoreApp} tx
   * @param {{ token: string, ids: string[], milliseconds: number }} args `token` begins with `new-`; `ids` of the chats;
   *   `milliseconds` until the import is given up
   * @param {string} body
   */
  begin_import(tx, args, body) {
    makeRoom(tx, given("ids"), body);
    if (execute(tx, BEGIN, body) < args.ids.length) {
      throw { status: 409, code: "conflict", message: "There is a chat with one of these ids." };
    }
    return "true";
  },

  /**
   * Insert the last of an import's chats and messages; then all are there.
   *
   * @param {CoreApp} tx
   * @param {(Records & { token: string, count: number }) | undefined} args it is not parsed; `count` of the chats that
   *   the import has
   * @param {string} body
   */
  finish_import(tx, args, body) {
    if (!execute(tx, FINISH, body)) {
      throw {
        status: 400,
        code: "expired",
        message: "The import took too long and was given up: import again.",
      };
    }
    return writes.insert_chats(tx, args, body);
  },

  /**
   * Undo an import that has failed; reply whether there is more to do.
   *
   * @param {CoreApp} tx
   * @param {{ token: string, ids: string[], inserted: [string, number][] }} args `ids` of the chats; ids and versions of
   *   those `inserted`
   * @param {string} body
   */
  abandon_import(tx, args, body) {
    execute(tx, DELETE_CHATS, body);
    execute(tx, GIVE_UP, body);
    return String(deleteRemains(tx));
  },
};

/** Their bodies are long, and only SQLite reads them. */
const unparsed = ["insert_chats", "finish_import"];

module.exports = { writes, unparsed, giveUpExpired };
