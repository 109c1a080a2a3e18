// @ts-check

/** Where the contents of files are, by their rows: what `files move` and `files gc` go through. */

const { find } = require("../lib/records.js");
const { tables, arg, one, many, value } = require("../lib/rows.js");
const { clear } = require("./contents.js");

const FILE = tables.file;
/** Id, owner, path, size as the host noted it, when the row was made. */
const ROW = `json_array(f.id, ${value(FILE, "f", "user_id")}, ${value(FILE, "f", "path")}, f.meta ->> '$.size',
  ${value(FILE, "f", "created_at")})`;

const reads = {
  get: one(`SELECT ${ROW} FROM owui_files f WHERE f.id = ${arg("id")} AND f.pending = FALSE`),

  // A page, by id.
  list: many(
    ROW,
    `FROM (SELECT * FROM owui_files WHERE id > ${arg("after")} AND pending = FALSE ORDER BY id
      LIMIT ${arg("limit")}) f`,
    "f.id",
  ),
};

const writes = {
  /**
   * Switch the path of a file, if it is still the known one; returns whether. A path of ours needs contents.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, known: string, path: string }} args
   */
  switch_path(tx, { id, known, path }) {
    const record = find(tx, FILE, id);
    if (
      !record ||
      record.getBool("pending") ||
      record.getString("path") !== known ||
      (path.startsWith("pb://") && !record.getString("contents"))
    ) {
      return "false";
    }
    record.set("path", path);
    record.ignoreUnchangedFields(true);
    tx.save(record);
    return "true";
  },

  /**
   * Remove the contents of a record to which no row leads: that of a pending one with the record.
   *
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   */
  drop_contents(tx, { id }) {
    const record = find(tx, FILE, id);
    if (record?.getBool("pending")) {
      tx.delete(record);
    } else if (record && !record.getString("path").startsWith("pb://")) {
      clear(tx, record);
    }
    return "null";
  },
};

module.exports = { reads, writes };
