// @ts-check

/** Records that are made, changed or deleted in the dashboard, or over PocketBase's own API. */

const { fold, remove } = require("./lib/records.js");
const { tables, query } = require("./lib/rows.js");

/**
 * Keep what is searched right.
 *
 * @param {core.RecordRequestEvent} e
 */
function refold(e) {
  /** @type {import("./lib/rows.js").Table[]} */
  const declared = Object.values(tables);
  const table = declared.find(({ collection }) => collection === e.collection?.name);
  for (const { field } of table?.columns.filter(({ folded }) => folded) || []) {
    e.record?.set(`${field}_folded`, fold(e.record.getString(field)));
  }
  return e.next();
}

/**
 * Note that a relation which was emptied is None.
 *
 * @param {core.RecordRequestEvent} e
 * @param {string} name of the column
 */
function emptied(e, name) {
  const nulls = JSON.parse(e.record?.getString("nulls") || "null");
  if (nulls && !e.record?.get(name) && e.record?.original().get(name)) {
    e.record.set("nulls", JSON.stringify([...nulls, name]));
  }
  return e.next();
}

/**
 * Delete a folder with all below it, as Open WebUI does.
 *
 * @param {core.RecordRequestEvent} e
 */
function deletedFolder(e) {
  const { reads } = require("./folders.js");
  const id = String(e.record?.id);
  const body = JSON.stringify({ id, user_id: e.record?.getString("user_id") });
  return e.app.runInTransaction((tx) => {
    e.app = tx;
    /** @type {string[]} */
    const ids = JSON.parse(query(tx, reads.get_subtree_ids, body));
    remove(
      tx,
      tables.folder,
      ids.filter((other) => other !== id),
    );
    return e.next();
  });
}

/** Whether collections which are not ours have relations to this one: its id is in their fields' definitions. */
const IS_REFERRED_TO = `SELECT EXISTS (SELECT 1 FROM _collections c
  WHERE c.name NOT GLOB 'owui_*' AND c.type != 'view' AND instr(c.fields, {:body})) AS json`;

/**
 * Delete a record, and nothing else: what becomes of the records that refer to it is known here.
 *
 * PocketBase itself would empty or delete them one by one, and look for them in all chats if the record is a tag. It
 * does so if an administrator's own collection has a relation to this one.
 *
 * @param {core.RecordEvent} e
 */
function deleteAlone(e) {
  const record = /** @type {core.Record} */ (e.record);
  const { id, name } = record.collection();
  if (Number(query(e.app, IS_REFERRED_TO, id))) {
    return e.next();
  }
  e.app
    .nonconcurrentDB()
    .delete(name, $dbx.hashExp({ id: record.id }))
    .execute();
}

module.exports = { refold, emptied, deletedFolder, deleteAlone };
