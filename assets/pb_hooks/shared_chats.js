// @ts-check

/** The host's table `shared_chat`: chats as they were when they were shared. */

const { tables, arg, value, contains, row, one, many, query } = require(`${__hooks}/owui_rows.js`);
const { NOW, execute } = require(`${__hooks}/owui_bulk.js`);
const { HISTORY, wholeOne } = require(`${__hooks}/chat_history.js`);

/** @type {import("./owui_rows.js").Table} */
const SHARED = tables.shared_chat;

/** What is looked for in a message `m`, in lower case. */
const OF_MESSAGE = tables.chat_message.search?.text.replaceAll("{row}", "m");

/** Columns that lists can be sorted by. */
const SORTABLE = SHARED.columns.filter(({ name }) => name !== "chat").map(({ name }) => name);

/** The body of chat `c` with its messages. */
const BODY = `iif(json_type(c.chat, '$.history.messages') = 'object',
  json_set(c.chat, '$.history.messages', json(${HISTORY})), c.chat)`;

/**
 * SQL of a snapshot of chat `c`.
 *
 * @param {string} mode SQL of the share mode as JSON
 */
function snapshot(mode) {
  return `json_set(${BODY}, '$.share_mode', json(${mode}))`;
}

/** The title of chat `c` as it is kept with a snapshot, and whether it is None; and what is searched, its texts. */
const TITLE = `c.title, c.title_folded, iif(c.title = '' AND instr(c.nulls, '"title"'), '["title"]', '[]'),
  c.legacy_folded || char(30) || coalesce((SELECT group_concat(${OF_MESSAGE}, char(30)) FROM owui_chat_messages m
    WHERE m.chat_id = c.id AND m.position > 0 AND json_type(m.entry, '$.content') = 'text'), '')`;

const GIVEN_MODE = "coalesce({:body} -> '$.share_mode', 'null')";
const MODE_BEFORE = "coalesce(s.chat -> '$.share_mode', 'null')";
const OF_CHAT = `SELECT coalesce((SELECT c.share_id FROM owui_chats c WHERE c.id = ${arg("chat_id")}), '-') AS json`;

/**
 * SQL that makes a new snapshot.
 *
 * @param {string} owner SQL of who shares
 * @param {string} mode SQL of the share mode as JSON
 */
function insertSnapshot(owner, mode) {
  return `INSERT INTO owui_shared_chats
    (title, title_folded, nulls, text_folded, id, chat_id, user_id, chat, created_at, updated_at, created, updated)
    SELECT ${TITLE}, ${arg("id")}, c.id, ${owner}, ${snapshot(mode)}, ${arg("now")}, ${arg("now")}, ${NOW}, ${NOW}
    FROM owui_chats c WHERE c.id = ${arg("chat_id")}`;
}

/**
 * SQL that brings a snapshot up to date.
 *
 * @param {string} mode SQL of the share mode as JSON
 * @param {string} which SQL of the condition on the snapshot `s`
 * @param {string} more further assignments
 */
function updateSnapshot(mode, which, more = "") {
  return `UPDATE owui_shared_chats AS s SET (title, title_folded, nulls, text_folded, chat) = (SELECT ${TITLE}, ${snapshot(mode)}
      FROM owui_chats c WHERE c.id = s.chat_id), updated = ${NOW}${more}
    WHERE ${which} AND EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = s.chat_id)`;
}

const WITH_ID = `s.id = ${arg("id")}`;
const TIME = `, updated_at = ${arg("now")}`;

const CREATE = insertSnapshot(arg("user_id"), GIVEN_MODE);
const UPDATE = updateSnapshot(MODE_BEFORE, WITH_ID, TIME);
const UPDATE_WITH_MODE = updateSnapshot(GIVEN_MODE, WITH_ID, TIME);
/** Who may only look from now on sees the chat as it is now, not as it was when others could still write to it. */
const END_CONTINUING = updateSnapshot(MODE_BEFORE, `${WITH_ID} AND s.chat ->> '$.share_mode' = 'continue'`);
const SET_MODE = `UPDATE owui_shared_chats AS s
  SET chat = json_set(s.chat, '$.share_mode', json(${GIVEN_MODE})), updated = ${NOW} WHERE ${WITH_ID}`;

const SHARE = insertSnapshot("c.user_id", "'null'");
const SHARE_AGAIN = updateSnapshot(
  MODE_BEFORE,
  `s.id = (SELECT share_id FROM owui_chats WHERE id = ${arg("chat_id")})`,
  TIME,
);
const NAME_SHARE = `UPDATE owui_chats SET share_id = ${arg("id")}, updated = ${NOW} WHERE id = ${arg("chat_id")}`;

/** What a list says of a snapshot. */
const LISTED = ["id", "chat_id", "title", "updated_at", "created_at"]
  .map((name) => value(SHARED, "s", name))
  .join(", ");

const BY_ID = one(`SELECT ${row(SHARED, "s")} FROM owui_shared_chats s WHERE ${WITH_ID}`);

/**
 * SQL of "for this column", for deletions.
 *
 * @param {string} column
 */
function deleteBy(column) {
  return `DELETE FROM owui_shared_chats WHERE ${column} = ${arg(column)}`;
}

/**
 * A page of a user's snapshots without what is in them.
 *
 * @param {any} args `query` in lower case, `order_by` and `ascending` may be left out; `limit` is -1 for all
 */
function get_by_user_id({ query: text, order_by, ascending }) {
  const order = SORTABLE.includes(order_by)
    ? `${value(SHARED, "s", order_by)} ${ascending ? "ASC" : "DESC"}, s.rowid`
    : "s.rowid";
  const matching = text === undefined ? "" : `AND ${contains(SHARED, "s", "title", "query")}`;
  return many(
    "json(p.item)",
    `FROM (SELECT json_array(${LISTED}) AS item, row_number() OVER (ORDER BY ${order}) AS number
      FROM owui_shared_chats s WHERE s.user_id = ${arg("user_id")} ${matching}
      ORDER BY number LIMIT ${arg("limit")} OFFSET ${arg("skip")}) p`,
    "p.number",
  );
}

const reads = {
  get_by_id: BY_ID,
  get_by_chat_id: one(`SELECT ${row(SHARED, "s")} FROM owui_shared_chats s WHERE s.chat_id = ${arg("chat_id")}
    ORDER BY s.updated_at DESC, s.rowid`),
  get_by_user_id,
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {any} args `share_mode` may be left out
   * @param {string} body
   */
  create(tx, args, body) {
    return execute(tx, CREATE, body) ? "true" : "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args `share_mode` is set if it is there, even if it is null
   * @param {string} body
   */
  update(tx, args, body) {
    return execute(tx, "share_mode" in args ? UPDATE_WITH_MODE : UPDATE, body) ? "true" : "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  set_share_mode(tx, args, body) {
    if (args.share_mode === null) {
      execute(tx, END_CONTINUING, body);
    }
    execute(tx, SET_MODE, body);
    return "null";
  },

  /**
   * Share a chat, or bring its snapshot up to date; the answer is the chat as a whole.
   *
   * @param {CoreApp} tx
   * @param {any} args `id` of a new snapshot
   * @param {string} body
   */
  share_chat(tx, args, body) {
    const share = query(tx, OF_CHAT, body);
    if (share === "-") {
      return "null";
    }
    if (share) {
      execute(tx, SHARE_AGAIN, body);
    } else {
      execute(tx, SHARE, body);
      execute(tx, NAME_SHARE, body);
    }
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_by_id(tx, args, body) {
    execute(tx, deleteBy("id"), body);
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_by_chat_id(tx, args, body) {
    execute(tx, deleteBy("chat_id"), body);
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_all_by_user_id(tx, args, body) {
    execute(tx, deleteBy("user_id"), body);
    return "null";
  },
};

const answers = {
  create: BY_ID,
  update: BY_ID,
  share_chat: wholeOne(`FROM owui_chats c WHERE c.id = ${arg("chat_id")}`),
};

module.exports = { reads, writes, answers };
