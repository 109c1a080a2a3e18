// @ts-check

/** The host's table `chat_file`: which files a chat has. */

const { tables, arg, matches, row, many } = require("../lib/rows.js");
const { inserts, execute } = require("../lib/bulk.js");

const FILE = tables.chat_file;

const INSERT_FILES = inserts(FILE, "$.files");
const DELETE_FILE = `DELETE FROM owui_chat_files WHERE chat_id = ${arg("chat_id")} AND file_id = ${arg("file_id")}`;

const reads = {
  get_file_ids: many("f.file_id", `FROM owui_chat_files f WHERE f.chat_id = ${arg("id")}`, "f.file_id"),
  get_chat_files_by_chat_id_and_message_id: many(
    row(FILE, "f"),
    `FROM owui_chat_files f WHERE f.chat_id = ${arg("chat_id")} AND ${matches(FILE, "f", "message_id")}`,
    "f.created_at, f.rowid",
  ),
};

const writes = {
  /**
   * @param {CoreApp} tx
   * @param {{ files: object[] }} args `files` as the fields of records
   * @param {string} body
   */
  insert_chat_files(tx, args, body) {
    execute(tx, INSERT_FILES, body);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ chat_id: string, file_id: string }} args
   * @param {string} body
   */
  delete_chat_file(tx, args, body) {
    execute(tx, DELETE_FILE, body);
    return "true";
  },
};

module.exports = { reads, writes };
