// @ts-check

/** The contents of files: the field `contents` of their records, and records that no row completes yet. */

const { find, removeSelected } = require("../lib/records.js");
const { tables, arg, one, many } = require("../lib/rows.js");

const FILE = tables.file;
const COLLECTION = "(SELECT c.id FROM _collections c WHERE c.name = 'owui_files')";
/** What is known of contents; `name` is PocketBase's for the file, empty if there is none. */
const DESCRIPTION = `json_object('id', f.id, 'collection', ${COLLECTION}, 'name', f.contents, 'sha256', f.sha256,
  'pending', json(iif(f.pending, 'true', 'false')), 'path', f.path,
  'created', CAST(unixepoch(f.created) AS INTEGER))`;

const reads = {
  describe: one(`SELECT ${DESCRIPTION} FROM owui_files f WHERE f.id = ${arg("id")}`),

  // A page, by id.
  list: many(
    DESCRIPTION,
    `FROM (SELECT * FROM owui_files WHERE id > ${arg("after")} ORDER BY id LIMIT ${arg("limit")}) f`,
    "f.id",
  ),
};

/**
 * Remove the contents of a record, if it has any.
 *
 * @param {CoreApp} tx
 * @param {core.Record} record
 */
function clear(tx, record) {
  if (record.getString("contents")) {
    record.set("contents", null);
    record.set("sha256", "");
    record.ignoreUnchangedFields(true);
    tx.save(record);
  }
}

const writes = {
  /**
   * Make a record, which no row completes yet, for contents whose file is put where PocketBase looks for it; null if it
   * looks in an S3 storage.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, name: string, sha256: string }} args
   */
  adopt(tx, { id, name, sha256 }) {
    if (tx.settings().s3.enabled) {
      return "null";
    }
    const record = new Record(tx.findCachedCollectionByNameOrId(FILE.collection));
    record.load({ id, sha256, pending: true });
    record.setRaw("contents", name);
    tx.saveNoValidate(record); // the field takes only names of files that come with the request
    return "true";
  },

  /**
   * Remove the contents of a file, and with them the record if no row has completed it.
   *
   * @param {CoreApp} tx
   * @param {{ id: string }} args
   */
  remove(tx, { id }) {
    const record = find(tx, FILE, id);
    if (record?.getBool("pending")) {
      tx.delete(record);
    } else if (record) {
      clear(tx, record);
    }
    return "null";
  },

  /**
   * Delete records that no row has completed in time; returns how many.
   *
   * @param {CoreApp} tx
   * @param {{ before: number }} _args epoch seconds
   * @param {string} body
   */
  collect(tx, _args, body) {
    const rest = `FROM owui_files f WHERE f.pending = TRUE AND unixepoch(f.created) < ${arg("before")}`;
    return String(removeSelected(tx, FILE, rest, body, "f"));
  },
};

const answers = { adopt: reads.describe };

/**
 * Note that contents which were replaced in the dashboard have another checksum than those before.
 *
 * @param {core.RecordRequestEvent} e
 */
function replaced(e) {
  const record = /** @type {core.Record} */ (e.record);
  // PocketBase writes all fields, with what they were when it read the record; others may have changed meanwhile.
  record.ignoreUnchangedFields(true);
  const isNew = record.getUnsavedFiles("contents").length > 0;
  if (isNew && record.getString("sha256") === record.original().getString("sha256")) {
    record.set("sha256", "");
  }
  return e.next();
}

module.exports = { reads, writes, answers, clear, replaced };
