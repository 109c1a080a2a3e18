// @ts-check

/**
 * Telling PocketBase's realtime clients of records that our hooks wrote in SQL.
 *
 * PocketBase tells of each record that it saves or deletes. So these are handed to it once more, as if they were to be
 * saved, and when its turn comes to write into the database nothing is left to do. All the rest is its own, and so are
 * the events: rules, filters, expanded relations and fields, no event before the commit and none without, and nobody
 * who waits for a client that does not read.
 *
 * Which records those are is in the change feed, where triggers have put each of them by the end of the transaction.
 */

const { heard } = require("../lib/listeners.js");
const { markOurs } = require("../lib/records.js");
const { arg, given, many, query } = require("../lib/rows.js");

/** Marks a record that is in the database as it is to be. It is no field, so it is neither stored nor shown. */
const WRITTEN = "@owui_written";

/**
 * In `$app.store()`, which all JavaScript runtimes share, while our hooks write and somebody listens: what
 * PocketBase itself last did to a record meanwhile, also by its cascades, and so tells of.
 */
const SAVED = "owui_saved";

/** @typedef {(collection: string, id: string) => core.Record | undefined} Find a record as it was before the transaction */

/** What became of each record behind a change of the feed, in the order in which they were first touched. */
const TOUCHED = many(
  "json_array(t.collection, t.record_id, b.op = 'create', e.op = 'delete')",
  `FROM (SELECT collection, record_id, min(seq) AS first, max(seq) AS last FROM owui_changes
      WHERE seq > ${arg("before")} AND collection IN ${given("collections")} GROUP BY collection, record_id) t
    JOIN owui_changes b ON b.seq = t.first JOIN owui_changes e ON e.seq = t.last`,
  "t.first",
);

/**
 * Write, and have PocketBase tell of it after the commit: once of each record.
 *
 * @template Result
 * @param {CoreApp} tx
 * @param {Find} committed
 * @param {number} before number of the feed's newest change
 * @param {() => Result} write
 * @param {core.Record} [deleted] what PocketBase deletes, and tells of, in any case
 * @returns {Result} what `write` returns
 */
function broadcasting(tx, committed, before, write, deleted) {
  const collections = heard(tx);
  if (!collections.length) {
    return write();
  }
  const saved = new Record(tx.findCachedCollectionByNameOrId(collections[0])); // a map that runtimes can share
  if (deleted) {
    saved.set(keyOf(deleted.collection().name, String(deleted.id)), "delete");
  }
  tx.store().set(SAVED, saved);
  try {
    const result = write();
    /** @type {[string, string, number, number][]} */
    const touched = JSON.parse(query(tx, TOUCHED, JSON.stringify({ before, collections })));
    for (const [collection, id, isNew, isGone] of touched) {
      const known = saved.get(keyOf(collection, id));
      if (known ? (known === "delete") === Boolean(isGone) : isNew && isGone) {
        continue; // PocketBase has told of it, or there is nothing to tell
      }
      const action = isGone ? "delete" : isNew || known ? "create" : "update";
      tell(tx, action, isGone ? committed(collection, id) : tx.findRecordsByIds(collection, [id])[0]);
    }
    return result;
  } finally {
    tx.store().remove(SAVED);
  }
}

/**
 * Delete a record over PocketBase's API, or in the dashboard, together with others that go with it in SQL, in one
 * transaction.
 *
 * @template Result
 * @param {core.RecordEvent | core.RecordRequestEvent} e its app is the transaction from here on
 * @param {(tx: CoreApp) => Result} write
 */
function deleting(e, write) {
  const { app } = e;
  return app.runInTransaction((tx) => {
    e.app = tx;
    if (app.isTransactional() && tx.store().has(SAVED)) {
      return write(tx); // a write of ours is going on, and tells of this as well
    }
    const before = Number(query(tx, "SELECT coalesce(max(seq), 0) AS json FROM owui_changes", ""));
    return broadcasting(
      tx,
      (collection, id) => app.findRecordsByIds(collection, [id])[0],
      before,
      () => write(tx),
      e.record,
    );
  });
}

/**
 * @param {CoreApp} tx
 * @param {"create" | "update" | "delete"} action
 * @param {core.Record | undefined} record
 */
function tell(tx, action, record) {
  if (!record) {
    return;
  }
  markOurs(record);
  record.set(WRITTEN, true);
  try {
    if (action === "delete") {
      tx.delete(record);
    } else {
      if (action === "create") {
        record.markAsNew();
      }
      tx.saveNoValidate(record);
    }
  } catch (error) {
    // Hooks of others may refuse what has long been decided.
    console.error("owui: nobody is told of", action, record.collection().name, record.id, String(error));
  }
}

/**
 * When PocketBase is about to write a record into the database; the first of all hooks of that kind.
 *
 * @param {core.RecordEvent} e
 * @param {"create" | "update" | "delete"} action
 */
function execute(e, action) {
  const record = /** @type {core.Record} */ (e.record);
  if (record.get(WRITTEN) === true) {
    return;
  }
  // What is in no transaction is of another request, which waits for the end of ours.
  const saved = e.app.isTransactional() ? e.app.store().get(SAVED) : null;
  e.next();
  saved?.set(keyOf(record.collection().name, String(record.id)), action);
}

/**
 * @param {string} collection
 * @param {string} id
 */
function keyOf(collection, id) {
  return `${collection} ${id}`;
}

module.exports = { broadcasting, deleting, execute };
