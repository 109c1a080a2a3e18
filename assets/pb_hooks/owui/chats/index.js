// @ts-check

/** The host's tables `chat` and `chat_file`: one chat, one message, a chat's files; the rest is in the parts. */

const { tables, arg, value, matches, row, one, many } = require("../lib/rows.js");
const { inserts, execute } = require("../lib/bulk.js");
const indexes = require("../search/indexer.js");
const history = require("./history.js");
const imports = require("./imports.js");
const lists = require("./lists.js");
const search = require("./search.js");
const shares = require("./shares.js");
const state = require("./state.js");
const tags = require("./tags.js");
const timers = require("../seams/timers.js");
const workspace = require("../seams/workspace_search.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = tables.chat;
/** @type {import("../lib/rows.js").Table} */
const FILE = tables.chat_file;

const BY_ID = `FROM owui_chats c WHERE c.id = ${arg("id")}`;
const OWN = `${BY_ID} AND ${matches(CHAT, "c", "user_id")}`;

/** One message of a chat. */
const MESSAGE = `FROM owui_chat_messages m WHERE m.key = ${arg("key")} AND +m.chat_id = ${arg("id")}`;

/** Keys of the rows that name the message as their parent. */
const CHILDREN = many(
  "m.key",
  `FROM owui_chat_messages m WHERE m.chat_id = ${arg("id")} AND m.has_row = TRUE
    AND m.parent_id = ${arg("message_id")} AND m.parent_id != ''`,
  "m.rowid",
);

/** What one message says about files and the like, where the row and the body may say something else. */
const DETAILS = new Map(
  ["files", "sources", "embeds"].map((name) => [
    name,
    `iif(m.has_row AND NOT instr(m.same, '"${name}"'), coalesce(nullif(m.${name}, ''), 'null'),
      coalesce(m.entry -> '$.${name}', 'null'))`,
  ]),
);

const INSERT_FILES = inserts(FILE, "$.files");

const reads = {
  ...history.reads,
  ...indexes.reads,
  ...lists.reads,
  ...search.reads,
  ...tags.reads,
  ...timers.reads,
  ...workspace.reads,
  get_chat_by_id: history.wholeUnless(BY_ID),
  get_chat_by_id_and_user_id: history.wholeUnless(OWN),
  is_chat_owner: `SELECT iif(EXISTS (SELECT 1 ${OWN}), 'true', 'false') AS json`,
  get_chat_folder_id: one(`SELECT json_array(${value(CHAT, "c", "folder_id")}) ${OWN}`),
  get_chat_title_by_id: one(`SELECT json_array(${value(CHAT, "c", "title")}) ${BY_ID}`),
  get_chat_tasks_by_id: one(`SELECT nullif(c.tasks, '') ${BY_ID}`),

  /** Whether there is the chat; the message's record, if there is one; and the messages below it. */
  get_message_by_id_and_message_id: `SELECT '[' || (SELECT count(*) ${BY_ID}) || ',' || (${history.records(MESSAGE)})
    || ',' || (${CHILDREN}) || ']' AS json`,

  /** Whether the message has a row, and the detail. */
  get_message_metadata(/** @type {any} */ { name }) {
    const detail = DETAILS.get(name);
    if (!detail) {
      throw { status: 400, code: "invalid", message: `Messages have no ${name}` };
    }
    return one(`SELECT '[' || m.has_row || ',' || ${detail} || ']' ${MESSAGE}`);
  },

  get_file_ids: many("f.file_id", `FROM owui_chat_files f WHERE f.chat_id = ${arg("id")}`, "f.file_id"),
  get_chat_files_by_chat_id_and_message_id: many(
    row(FILE, "f"),
    `FROM owui_chat_files f WHERE f.chat_id = ${arg("chat_id")} AND ${matches(FILE, "f", "message_id")}`,
    "f.created_at, f.rowid",
  ),
  get_shared_chat_ids_by_file_id: many(
    "c.id",
    `FROM owui_chat_files f CROSS JOIN owui_chats c ON c.id = f.chat_id WHERE f.file_id = ${arg("file_id")}
      AND (${value(CHAT, "c", "share_id")} IS NOT NULL OR ${value(CHAT, "c", "folder_id")} IS NOT NULL)`,
    "f.rowid",
  ),
};

const writes = {
  ...history.writes,
  ...imports.writes,
  ...indexes.writes,
  ...shares.writes,
  ...state.writes,
  ...tags.writes,
  ...timers.writes,

  /**
   * @param {CoreApp} tx
   * @param {any} args `files` as the fields of records
   * @param {string} body
   */
  insert_chat_files(tx, args, body) {
    execute(tx, INSERT_FILES, body);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {any} args
   * @param {string} body
   */
  delete_chat_file(tx, args, body) {
    const file = `chat_id = ${arg("chat_id")} AND file_id = ${arg("file_id")}`;
    execute(tx, `DELETE FROM owui_chat_files WHERE ${file}`, body);
    return "true";
  },
};

module.exports = {
  reads,
  writes,
  answers: { ...history.answers, ...shares.answers, ...state.answers },
  unparsed: [...imports.unparsed, ...indexes.unparsed],
};
