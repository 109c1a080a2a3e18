// @ts-check

/** Records that are made, changed or deleted in the dashboard, or over PocketBase's own API. */

const { equal } = require("./lib/json.js");
const { whenFree } = require("./lib/lease.js");
const { find, fold, remove } = require("./lib/records.js");
const { tables, query } = require("./lib/rows.js");

/** @typedef {import("./lib/rows.js").Table} Table */

const collections = Object.values(tables).map(({ collection }) => collection);

/**
 * The declaration of a record's table.
 *
 * @param {core.Record} record
 */
function tableOf(record) {
  const { name } = record.collection();
  return /** @type {Table} */ (Object.values(tables).find(({ collection }) => collection === name));
}

/**
 * @param {string} field
 * @param {string} message
 */
function refuse(field, message) {
  throw new BadRequestError(message, { [field]: new ValidationError("invalid", message) });
}

/**
 * Columns with the time at which a record was made, or changed: in seconds, or nanoseconds. Channels have hooks of their
 * own; what a plugin's large numbers are nobody knows.
 */
const TIMES = ["created_at", "updated_at"];

/**
 * A record that is made.
 *
 * @param {core.RecordRequestEvent} e
 */
function made(e) {
  const record = /** @type {core.Record} */ (e.record);
  const table = tableOf(record);
  for (const { name, type } of table.columns.filter(({ name }) => TIMES.includes(name))) {
    if (type === "int" && !record.getInt(name)) {
      record.set(name, Math.floor(Date.now() / 1000));
    } else if (type === "int64" && table.through && !table.joined && !record.getString(name)) {
      record.set(name, `${Date.now()}000000`);
    }
  }
  complete(table, record);
  return e.next();
}

/**
 * A record that is edited: what the edit leaves alone is what is stored now. PocketBase would save all columns as they
 * were when it read the record, before it had the write lock, and take back what Open WebUI has written meanwhile.
 *
 * Of a record with contents it saves only what was edited, see storage/contents.js: a transaction would have everybody
 * wait for the upload.
 *
 * @param {core.RecordRequestEvent} e
 */
function edited(e) {
  const record = /** @type {core.Record} */ (e.record);
  const table = tableOf(record);
  keepSpelling(record);
  if (table.extras?.some(({ type }) => type === "file")) {
    complete(table, record);
    return e.next();
  }
  const { app } = e;
  whenFree(app, chatOf(table, record), (tx) => {
    e.app = tx;
    const present = find(tx, table, String(record.id));
    if (present) {
      refresh(record, present);
    }
    complete(table, record);
    e.next();
  });
  e.app = app; // what comes after the transaction cannot use it
}

/**
 * The chat that an edit writes, empty if it writes none.
 *
 * @param {import("./lib/rows.js").Table} table
 * @param {core.Record} record
 */
function chatOf(table, record) {
  return table === tables.chat
    ? String(record.id)
    : table === tables.chat_message
      ? record.getString("chat_id")
      : "";
}

/**
 * Have JSON that an edit leaves alone as it was. The dashboard sends all fields of a record, JSON in a spelling of its
 * own: in the order of the keys, and without what JavaScript's numbers cannot tell.
 *
 * @param {core.Record} record
 */
function keepSpelling(record) {
  const before = record.original();
  for (const field of /** @type {core.Field[]} */ (record.collection().fields)) {
    const name = field.getName();
    const [text, former] = [record.getString(name), before.getString(name)];
    if (field.type() === "json" && text !== former && equal(parsed(text), parsed(former))) {
      record.setRaw(name, before.getRaw(name));
    }
  }
}

/** @param {string} text what is no JSON counts as a text */
function parsed(text) {
  try {
    return JSON.parse(text || "null");
  } catch {
    return text;
  }
}

/**
 * Give a record the present values of the fields that it does not change.
 *
 * @param {core.Record} record
 * @param {core.Record} present
 */
function refresh(record, present) {
  const before = record.original();
  for (const field of /** @type {core.Field[]} */ (record.collection().fields)) {
    const name = field.getName();
    const type = field.type();
    const text = (/** @type {core.Record} */ of) =>
      type === "relation" ? JSON.stringify(of.getStringSlice(name)) : of.getString(name);
    if (type === "password" || text(record) !== text(before)) {
      continue;
    }
    if (type === "number") {
      record.set(name, present.get(name)); // JavaScript's numbers may be integers, which the field does not take
    } else {
      record.setRaw(name, present.getRaw(name)); // as it is, also a relation's text that looks like a list
    }
  }
}

/**
 * Have the host's models take a record: JSON of the kind they want, None for what was emptied, and a list of None columns
 * that is one.
 *
 * What the edit leaves alone is not looked at: Open WebUI may have stored anything.
 *
 * @param {Table} table
 * @param {core.Record} record
 */
function complete(table, record) {
  const before = record.original();
  for (const { field, holds, null: nullable, required } of table.columns) {
    const text = record.getString(field);
    if (!holds || (!record.isNew() && text === before.getString(field))) {
      continue;
    }
    const value = JSON.parse(text || "null");
    if (value === null || value === "") {
      record.set(field, nullable && !required ? "null" : holds === "list" ? "[]" : "{}");
    } else if (typeof value !== "object" || Array.isArray(value) !== (holds === "list")) {
      refuse(field, `${field} must be a JSON ${holds}, or null.`);
    }
  }
  const listed = record.getString("nulls");
  if (listed !== before.getString("nulls")) {
    record.set("nulls", nullsOf(table, record, JSON.parse(listed || "null"), before.getString("nulls")));
  }
}

/**
 * The list of None columns that an edit gives, as JSON: of columns that are empty and can be None. Without a list all of
 * these are; those that the host's models need a value of are only if they have been before; an empty number always is.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @param {any} given
 * @param {string} before JSON text of the list before
 */
function nullsOf(table, record, given, before) {
  const names = table.columns
    .filter(({ field, type, null: nullable }) => nullable && type !== "json" && !record.get(field))
    .filter(({ name, type, required }) =>
      required
        ? before.includes(`"${name}"`)
        : type === "int64" || !Array.isArray(given) || given.includes(name),
    )
    .map(({ name }) => name);
  return JSON.stringify(names);
}

/**
 * Keep what is searched right.
 *
 * @param {core.RecordRequestEvent} e
 */
function refold(e) {
  const record = /** @type {core.Record} */ (e.record);
  for (const { field } of tableOf(record).columns.filter(({ folded }) => folded)) {
    record.set(`${field}_folded`, fold(record.getString(field)));
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

module.exports = { collections, refuse, made, edited, refold, emptied, deletedFolder, deleteAlone };
