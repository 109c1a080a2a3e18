// @ts-check

/**
 * A chat's messages, and who may write them.
 *
 * The host keeps each message twice: in the chat's body, `chat.history.messages`, and as a row of `chat_message`.
 * Here one record has both: `entry` is the body's copy, with its place in the history (`position`, from 1; 0 if the
 * body has none), and the columns are the row's (`has_row`). Columns that say the same as the entry are named in
 * `same` and are empty. The body is kept without messages, so that writing one costs what that message costs.
 *
 * Each write names the version of the chat which it was made for, and is refused if there is a newer one. Who has to
 * run code of the host's between reading and writing locks the chat instead, for a while.
 */

const { tables, arg, given, row, one, query } = require("../lib/rows.js");
const { inserts, assignments, updates, execute } = require("../lib/bulk.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = tables.chat;
/** @type {import("../lib/rows.js").Table} */
const MESSAGE = tables.chat_message;

/** Milliseconds since 1970. */
const MILLISECONDS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** Names a state of a chat; see `new_version` in records.py. */
const NEW_VERSION = "abs(random() >> 16)";

/**
 * The members of the JSON object that the body has for messages. Texts are put together: parsing them takes longer.
 * They come in the order of the index: sorting them takes ten times as long as all the rest.
 */
const MEMBERS = `(SELECT group_concat(json_quote(substr(key, length(chat_id) + 2)) || ':' || entry, ',')
  FROM (SELECT m.key, m.chat_id, m.entry FROM owui_chat_messages m
    WHERE m.chat_id = c.id AND m.position > 0 ORDER BY m.position))`;

/** The chat's messages as the body has them, as a JSON object. */
const HISTORY = `format('{%s}', ${MEMBERS})`;

/** A chat as a whole: its row, and its messages. With `||` the long text would be copied each time. */
const WHOLE = `format('[%s,{%s}]', ${row(CHAT, "c")}, ${MEMBERS})`;

/**
 * SQL that answers with the chat of a query, its version, whether it is tidy, and its messages unless the given version
 * is that; or with `null`.
 *
 * @param {string} rest from FROM on; the chat is `c`
 */
function wholeUnless(rest) {
  const isKnown = `c.version = ${arg("version")}`;
  const messages = `iif(${isKnown}, 'null', '{'), iif(${isKnown}, '', coalesce(${MEMBERS}, '')), iif(${isKnown}, '', '}')`;
  return one(`SELECT format('[%s,%d,%d,%s%s%s]', ${row(CHAT, "c")}, c.version, c.tidy, ${messages}) ${rest}`);
}

/**
 * SQL that answers with the first of the chats of a query, as a whole, or `null`.
 *
 * @param {string} rest from FROM on; the chats are `c`
 */
function wholeOne(rest) {
  return one(`SELECT ${WHOLE} ${rest}`);
}

/**
 * SQL that answers with the chats of a query, as a whole.
 *
 * @param {string} rest from FROM on, without ORDER BY; the chats are `c`
 * @param {string} order
 */
function wholeMany(rest, order) {
  // The chats are sorted before they are put together. Without LIMIT, SQLite could leave the order out.
  return `SELECT '[' || coalesce(group_concat(${WHOLE}, ','), '') || ']' AS json
    FROM (SELECT c.rowid AS r ${rest} ORDER BY ${order} LIMIT -1) p CROSS JOIN owui_chats c ON c.rowid = p.r`;
}

/** A message's record: key, position, whether there is a row, its columns with JSON as JSON, `same`, `nulls`; entry. */
const RECORD = `'[' || json_array(m.key, m.position, m.has_row, ${MESSAGE.columns
  .filter(({ name }) => name !== "id" && name !== "chat_id")
  .map(({ field, type }) => (type === "json" ? `json(nullif(m.${field}, ''))` : `m.${field}`))
  .join(", ")}, json(m.same), json(m.nulls)) || ',' || iif(m.position > 0, m.entry, 'null') || ']'`;

/**
 * SQL that answers with message records.
 *
 * @param {string} rest from FROM on, without ORDER BY; the messages are `m`
 * @param {string} order
 */
function records(rest, order = "m.position") {
  return `SELECT '[' || coalesce(group_concat(record, ','), '') || ']' AS json
    FROM (SELECT ${RECORD} AS record ${rest} ORDER BY ${order} LIMIT -1)`;
}

/** All messages of the chat. */
const ALL = `FROM owui_chat_messages m WHERE m.chat_id = ${arg("id")}`;

/** The messages with the given keys, and those which their entries name as parents. */
const ASKED_FOR = `FROM owui_chat_messages m WHERE +m.chat_id = ${arg("id")} AND m.key IN (
    SELECT value FROM json_each({:body}, '$.keys')
    UNION ALL SELECT o.chat_id || '-' || (o.entry ->> '$.parentId') FROM owui_chat_messages o
      WHERE o.key IN ${given("keys")} AND +o.chat_id = ${arg("id")})`;

/**
 * SQL of a view: the chat's row, version and whether it is tidy, if there is a chat; and messages.
 *
 * @param {string} messages from FROM on
 */
function view(messages) {
  return `SELECT '[' || coalesce(
      (SELECT ${row(CHAT, "c")} || ',' || c.version || ',' || c.tidy FROM owui_chats c WHERE c.id = ${arg("id")}),
      'null,0,0') || ',' || (${records(messages)}) || ']' AS json`;
}

const VIEW_OF_ALL = view(ALL);
const VIEW_OF_SOME = view(ASKED_FOR);

/**
 * A view of the messages whose `keys` are given, or of all.
 *
 * @param {any} args
 */
function get_view(args) {
  return args.keys ? VIEW_OF_SOME : VIEW_OF_ALL;
}

/** Somebody else has the chat for himself. */
const LOCKED = `EXISTS (SELECT 1 FROM owui_chat_locks l WHERE l.chat_id = ${arg("id")}
  AND l.expires_at > ${MILLISECONDS} AND l.token != coalesce(${arg("token")}, ''))`;

/** The writer has the chat for himself, or does not say so. */
const HOLDS = `(${arg("token")} IS NULL OR EXISTS (SELECT 1 FROM owui_chat_locks l
  WHERE l.chat_id = ${arg("id")} AND l.token = ${arg("token")}))`;

const LOCK = `INSERT INTO owui_chat_locks (chat_id, token, expires_at)
  SELECT c.id, ${arg("token")}, ${MILLISECONDS} + ${arg("milliseconds")} FROM owui_chats c
    WHERE c.id = ${arg("id")} AND NOT ${LOCKED}
  ON CONFLICT (chat_id) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at`;

const UNLOCK = `DELETE FROM owui_chat_locks WHERE chat_id = ${arg("id")} AND token = ${arg("token")}`;

const ROW = one(`SELECT ${row(CHAT, "c")} FROM owui_chats c WHERE c.id = ${arg("id")}`);

/** Why a chat could not be locked or written. */
const STATE = `SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM owui_chats WHERE id = ${arg("id")}) THEN '"gone"'
  WHEN ${LOCKED} THEN '"locked"' ELSE '"changed"' END AS json`;

/**
 * SQL of a message's place among those of a chat; the given -1 is behind all others.
 *
 * @param {string} chatId SQL
 */
function place(chatId) {
  return `CASE j.value ->> '$.position' WHEN -1 THEN (SELECT coalesce(max(m.position), 0) FROM owui_chat_messages m
    WHERE m.chat_id = ${chatId}) + 1 + j.key ELSE j.value ->> '$.position' END`;
}

const INSERT_MESSAGES = inserts(MESSAGE, "$.messages", { position: place("j.value ->> '$.chat_id'") });

/**
 * Insert the body's `messages`, and change the `updated` ones.
 *
 * Only the named fields are set: SQLite writes an index anew for each field that is, even to what it was.
 *
 * @param {CoreApp} tx
 * @param {any} args
 * @param {string} body
 */
function writeMessages(tx, { messages, updated }, body) {
  if (messages.length) {
    execute(tx, INSERT_MESSAGES, body);
  }
  updated.forEach((/** @type {{ names: string[] }} */ { names }, /** @type {number} */ number) => {
    const path = `$.updated[${number}].rows`;
    execute(tx, updates(MESSAGE, path, names, { position: place("r.chat_id") }), body);
  });
}

const DELETE_MESSAGES = `DELETE FROM owui_chat_messages WHERE chat_id = ${arg("id")}
  AND key IN ${given("removed")}`;

const reads = { get_view };

const writes = {
  /**
   * Lock a chat for a token and answer with a view of it; `"locked"` if somebody else has, `"gone"` if there is none.
   *
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  lock_chat(tx, args, body) {
    return execute(tx, LOCK, body) ? "true" : query(tx, STATE, body);
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  unlock_chat(tx, args, body) {
    execute(tx, UNLOCK, body);
    return "true";
  },

  /**
   * Write a chat's changes, its messages' changes, or both, and answer with true, or the chat's row; with `"gone"`,
   * `"locked"` or `"changed"` if nothing was written.
   *
   * @param {CoreApp} tx
   * @param {any} args `version` which this is made for, or null if there is no chat; the `next` one; `changes`,
   *   `columns` and `nones` of the chat; new `messages`; `updated` ones, which set the same `names` of fields, as
   *   `rows` with their `key`; `removed` keys; `token` of the lock, which ends with this; `with_row`
   * @param {string} body
   */
  save_chat(tx, args, body) {
    if (args.version !== null) {
      const set = assignments(CHAT, Object.keys(args.changes), args.columns.length > 0);
      const done = execute(
        tx,
        `UPDATE owui_chats SET ${set}, version = ${arg("next")} WHERE id = ${arg("id")}
         AND version = ${arg("version")} AND NOT ${LOCKED} AND ${HOLDS}`,
        body,
      );
      if (!done) {
        return query(tx, STATE, body);
      }
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

/** What a write answers with, unless it answers with null or a text. */
const answers = { lock_chat: get_view };

module.exports = {
  reads,
  writes,
  answers,
  HISTORY,
  WHOLE,
  wholeOne,
  wholeUnless,
  wholeMany,
  records,
  NEW_VERSION,
  MILLISECONDS,
  place,
};
