// @ts-check

/** The host's table `channel_file`: which files are shown in a channel, and in which of its messages. */

const { inserts, assignments, execute } = require("../lib/bulk.js");
const { tables, arg } = require("../lib/rows.js");

const FILE = tables.channel_file;

const LINK = `channel_id = ${arg("channel_id")} AND file_id = ${arg("file_id")}`;

/** @type {Record<string, import("../methods.js").Write>} */
const writes = {
  /** A second link of the same two is a conflict. */
  add_file_to_channel_by_id(tx, _args, body) {
    execute(tx, inserts(FILE, "$.links"), body);
    return "true";
  },

  /** Replies whether there is such a link. */
  set_file_message_id_in_channel_by_id(tx, { changes }, body) {
    const sql = `UPDATE owui_channel_files SET ${assignments(FILE, Object.keys(changes))} WHERE ${LINK}`;
    return String(execute(tx, sql, body) > 0);
  },

  remove_file_from_channel_by_id(tx, _args, body) {
    execute(tx, `DELETE FROM owui_channel_files WHERE ${LINK}`, body);
    return "true";
  },
};

module.exports = { writes };
