// @ts-check

/**
 * A chat's messages: reading them, and who may write them.
 *
 * The host keeps each message twice: in the chat's body, `chat.history.messages`, and as a row of `chat_message`.
 * Here one record has both: `entry` is the body's copy, with its place in the history (`position`, from 1; 0 if the
 * body has none), and the columns are the row's (`has_row`). Columns that say the same as the entry are named in
 * `same` and are empty. The body is kept without messages, so that writing one costs what that message costs.
 *
 * Each write names the version of the chat that it was made for, and is refused if there is a newer one. A writer that
 * runs code of the host between reading and writing locks the chat instead, for a while.
 */

const { tables, arg, given, row, one, many, query } = require("../lib/rows.js");
const { nullsAfter, plainAssignments, updates, execute } = require("../lib/bulk.js");
const { MILLISECONDS, INSERT_MESSAGES, place, records } = require("./_records.js");
const { kept, makeRoom } = require("./_remains.js");

const CHAT = tables.chat;
const MESSAGE = tables.chat_message;

/** The message is of the chat, not of a deleted one with this id. */
const IN_CHAT = `+m.chat_id = ${arg("id")} AND ${kept("m")}`;

/** All messages of the chat. */
const ALL = `FROM owui_chat_messages m WHERE m.chat_id = ${arg("id")} AND ${kept("m")}`;

/** The messages with the given keys, and those that their entries name as parents. */
const ASKED_FOR = `FROM owui_chat_messages m WHERE ${IN_CHAT} AND m.key IN (
    SELECT value FROM ${given("keys")}
    UNION ALL SELECT o.chat_id || '-' || (o.entry ->> '$.parentId') FROM owui_chat_messages o
      WHERE o.key IN ${given("keys")} AND +o.chat_id = ${arg("id")})`;

/**
 * SQL of what a draft begins with: the chat's row, version and whether it is tidy, if there is a chat; and messages.
 *
 * @param {string} messages from FROM on
 */
function draft(messages) {
  return `SELECT '[' || coalesce(
      (SELECT ${row(CHAT, "c")} || ',' || c.version || ',' || c.tidy FROM owui_chats c WHERE c.id = ${arg("id")}),
      'null,0,0') || ',' || (${records(messages)}) || ']' AS json`;
}

const DRAFT_OF_ALL = draft(ALL);
const DRAFT_OF_SOME = draft(ASKED_FOR);

/**
 * The chat, with the messages whose keys are given, or all.
 *
 * @param {{ id: string, keys: string[] | null }} args
 */
function get_draft(args) {
  return args.keys ? DRAFT_OF_SOME : DRAFT_OF_ALL;
}

/**
 * SQL of "somebody else has locked the chat".
 *
 * @param {string} id SQL
 * @param {string} token SQL
 */
function locked(id, token) {
  return `EXISTS (SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = ${id}
    AND l.expires_at > ${MILLISECONDS} AND l.token != coalesce(${token}, ''))`;
}

const LOCKED = locked(arg("id"), arg("token"));

/** The chat is as the writer knows it, and not locked by another; the writer has locked it, or names no lock. */
const UNCHANGED = `id = {:id} AND version = {:version} AND NOT ${locked("{:id}", "{:token}")}
  AND ({:token} IS NULL OR EXISTS (SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = {:id} AND l.token = {:token}))`;

const LOCK = `INSERT INTO owui_chat_locks (chat_id, token, expires_at)
  SELECT c.id, ${arg("token")}, ${MILLISECONDS} + ${arg("milliseconds")} FROM owui_chats c
    WHERE c.id = ${arg("id")} AND NOT ${LOCKED}
  ON CONFLICT (chat_id) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at`;

const UNLOCK = `DELETE FROM owui_chat_locks WHERE chat_id = ${arg("id")} AND token = ${arg("token")}`;

const ROW = one(`SELECT ${row(CHAT, "c")} FROM owui_chats c WHERE c.id = ${arg("id")}`);

/** Up to so many messages are changed one by one, which is faster for each, but not for all. */
const FEW = 4;

/** Why a chat could not be locked or written. */
const STATE = `SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM owui_chats WHERE id = ${arg("id")}) THEN '"gone"'
  WHEN ${LOCKED} THEN '"locked"' ELSE '"changed"' END AS json`;

/**
 * What `save_chat` writes: `version` that it is made for, or null if there is no chat; the `next` one; changed columns
 * of the chat; new `messages`; `updated` ones, which set the same `names` of fields, as `rows` with their `key`;
 * `removed` keys; `token` of the lock, which ends with this; `with_row`.
 *
 * @typedef {import("./_columns.js").Changes & {
 *   id: string, version: number | null, next: number | null, messages: object[],
 *   updated: { names: string[], rows: ({ key: string } & Record<string, unknown>)[] }[], removed: string[], token: string | null, with_row: boolean,
 * }} Written
 */

/**
 * Insert the body's `messages`, and change the `updated` ones.
 *
 * Only the named fields are set: SQLite writes an index anew for each field that is, even to what it was.
 *
 * @param {CoreApp} tx
 * @param {Written} args
 * @param {string} body
 */
function writeMessages(tx, { messages, updated }, body) {
  if (messages.length) {
    execute(tx, INSERT_MESSAGES, body);
  }
  updated.forEach(({ names, rows }, number) => {
    const path = `$.updated[${number}].rows`;
    if (rows.length > FEW || names.includes("position")) {
      execute(tx, updates(MESSAGE, path, names, { position: place("r.chat_id") }), body);
      return;
    }
    rows.forEach(({ key, ...fields }, at) => {
      const { set, parameters } = plainAssignments(MESSAGE, fields, `${path}[${at}]`);
      const sql = `UPDATE owui_chat_messages SET ${set} WHERE key = {:key}`;
      tx.db()
        .newQuery(sql)
        .bind({ ...parameters, key, body })
        .execute();
    });
  });
}

/**
 * Write the chat's own changes; returns whether it was as the writer knows it.
 *
 * @param {CoreApp} tx
 * @param {Written} args
 * @param {string} body
 */
function writeChat(tx, { id, version, next, token, changes, columns }, body) {
  const { set, parameters } = plainAssignments(CHAT, changes, "$.changes");
  const nulls = columns.length ? `, nulls = ${nullsAfter(CHAT)}` : "";
  const sql = `UPDATE owui_chats SET ${set}${nulls}, version = {:next} WHERE ${UNCHANGED}`;
  const given = { ...parameters, id, version, next, token, body };
  return tx.db().newQuery(sql).bind(given).execute().rowsAffected() > 0;
}

const DELETE_MESSAGES = `DELETE FROM owui_chat_messages WHERE chat_id = ${arg("id")}
  AND key IN ${given("removed")}`;

/** One message of a chat. */
const BY_KEY = `FROM owui_chat_messages m WHERE m.key = ${arg("key")} AND ${IN_CHAT}`;

/** Keys of the rows that name the message as their parent. */
const CHILDREN = many(
  "m.key",
  `${ALL} AND m.has_row = TRUE
    AND m.parent_id = ${arg("message_id")} AND m.parent_id != ''`,
  "m.rowid",
);

/** Details of one message, such as its files, where the row and the body may differ. */
const DETAILS = new Map(
  ["files", "sources", "embeds"].map((name) => [
    name,
    `iif(m.has_row AND NOT instr(m.same, '"${name}"'), coalesce(nullif(m.${name}, ''), 'null'),
      coalesce(m.entry -> '$.${name}', 'null'))`,
  ]),
);

const reads = {
  get_draft,

  /** Whether there is the chat; the message's record, if there is one; and the messages below it. */
  get_message_by_id_and_message_id: `SELECT '[' || (SELECT count(*) FROM owui_chats c WHERE c.id = ${arg("id")})
    || ',' || (${records(BY_KEY)}) || ',' || (${CHILDREN}) || ']' AS json`,

  /** Whether the message has a row, and the detail. */
  get_message_metadata(/** @type {{ id: string, key: string, name: string }} */ { name }) {
    const detail = DETAILS.get(name);
    if (!detail) {
      throw { status: 400, code: "invalid", message: `Messages have no ${name}` };
    }
    return one(`SELECT '[' || m.has_row || ',' || ${detail} || ']' ${BY_KEY}`);
  },
};

const writes = {
  /**
   * Lock a chat for a token and reply with what a draft begins with; `"locked"` if somebody else has locked it,
   * `"gone"` if there is none.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, keys: string[] | null, token: string, milliseconds: number }} args
   * @param {string} body
   */
  lock_chat(tx, args, body) {
    return execute(tx, LOCK, body) ? "true" : query(tx, STATE, body);
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, token: string }} args
   * @param {string} body
   */
  unlock_chat(tx, args, body) {
    execute(tx, UNLOCK, body);
    return "true";
  },

  /**
   * Write a chat's changes, its messages' changes, or both, and reply with true, or the chat's row; with `"gone"`,
   * `"locked"` or `"changed"` if nothing was written.
   *
   * @param {CoreApp} tx
   * @param {Written} args
   * @param {string} body
   */
  save_chat(tx, args, body) {
    if (args.version !== null && !writeChat(tx, args, body)) {
      return query(tx, STATE, body);
    }
    if (args.version === null) {
      makeRoom(tx, `SELECT ${arg("id")}`, body);
    }
    if (args.removed.length) {
      execute(tx, DELETE_MESSAGES, body);
    }
    writeMessages(tx, args, body);
    if (args.token) {
      execute(tx, UNLOCK, body);
    }
    return args.with_row ? query(tx, ROW, body) : "true";
  },
};

/** What a write replies with, unless it returns null or a text. */
const answers = { lock_chat: get_draft };

module.exports = { reads, writes, answers };
