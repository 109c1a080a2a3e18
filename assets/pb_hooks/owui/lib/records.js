// @ts-check

/**
 * Records written by PocketBase, which validates them and tells those who listen; many at once are written in SQL, see
 * bulk.js.
 *
 * A row comes in as an object by column name, with the same forms of values as one that goes out, see rows.js.
 */

const { inserts, assignments, execute } = require("./bulk.js");
const { arg, query, returned, row, scalar, recordIds } = require("./rows.js");

/** @typedef {import("./rows.js").Table} Table */
/** @typedef {Record<string, any>} Values column -> value */

/** Ids in one query; each is a variable of the statement, of which SQLite takes 32,766. */
const AT_ONCE = 10000;

/** Marks a record that our hooks save. It is no field, so it is neither stored nor shown. */
const OURS = "@owui";

/** In place of a hash: no password fits, and PocketBase takes changes of the record, which must have one. */
const NO_PASSWORD = "$2!"; // PocketBase takes for a hash what begins like this

/**
 * The record id of a row: its own id, or, where ids are free text, a hash of its key.
 *
 * @param {Table} table
 * @param {Record<string, any>} values
 */
function recordId(table, values) {
  return table.hashed_id
    ? $security.sha256(JSON.stringify(table.hashed_id.map((name) => values[name]))).slice(0, 32)
    : values.id;
}

/**
 * Values as they come in, as the fields of a record.
 *
 * @param {Table} table
 * @param {Record<string, any>} values
 * @param {string[]} nulls the columns which were None before
 * @returns {Record<string, any>}
 */
function fields(table, values, nulls = []) {
  /** @type {Record<string, any>} */
  const data = {};
  const after = nulls.filter((name) => values[name] === undefined);
  for (const { name, field, type, null: nullable, folded } of table.columns) {
    const given = values[name];
    if (given === undefined) {
      continue;
    }
    if (given === null && !nullable) {
      throw { status: 400, code: "not_null", message: `${table.collection}: ${name} must not be null` };
    }
    if (given === null && type !== "json") {
      after.push(name);
    }
    data[field] = type === "int64" && given !== null ? sortable(given) : given;
    if (folded) {
      data[`${field}_folded`] = fold(given);
    }
  }
  data.nulls = JSON.stringify(after);
  return data;
}

/**
 * An int64 as text that sorts like the number.
 *
 * @param {string} decimal
 */
function sortable(decimal) {
  const number = BigInt(decimal);
  return number < 0
    ? "-" + (number + 9223372036854775808n).toString().padStart(19, "0")
    : number.toString().padStart(19, "0");
}

/**
 * A text as it is searched; Python's str.lower() gives the same.
 *
 * @param {string | null} text
 */
function fold(text) {
  return (text || "").toLowerCase();
}

/**
 * Whether a record was saved by our hooks.
 *
 * @param {core.Record} record
 */
function isOurs(record) {
  return record.get(OURS) === true;
}

/** @param {core.Record} record */
function markOurs(record) {
  record.set(OURS, true);
}

/**
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {core.Record} record
 */
function save(tx, table, record) {
  markOurs(record);
  if (table.auth) {
    tx.saveNoValidate(record); // the host takes addresses which PocketBase's e-mail fields do not
    return;
  }
  try {
    tx.save(record);
  } catch (error) {
    // PocketBase joins what is wrong with each field by semicolons.
    const faults = String(/** @type {any} */ (error).message || error)
      .split("\n")[0]
      .split("; ");
    if (!faults.every((fault) => fault.includes(": Failed to find all relation records"))) {
      throw error;
    }
    tx.saveNoValidate(record); // the host takes ids of what is not there
  }
}

/**
 * Set the relations of a record: PocketBase takes a text that looks like a list for one, in what it reads as well.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @param {Record<string, any>} texts field -> the text it has to have
 */
function relate(table, record, texts) {
  for (const { field } of table.columns.filter(({ relation }) => relation)) {
    if (texts[field]?.includes("[")) {
      record.setRaw(field, JSON.stringify([texts[field]]));
    }
  }
}

/**
 * The texts of a record's relations, as they are stored.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {string} id
 * @returns {Record<string, string>}
 */
function related(tx, table, id) {
  const pairs = table.columns.filter(({ relation }) => relation).map(({ field }) => `'${field}', ${field}`);
  return pairs.length
    ? JSON.parse(
        query(
          tx,
          `SELECT json_object(${pairs.join(", ")}) AS json FROM ${table.collection} WHERE id = {:body}`,
          id,
        ),
      )
    : {};
}

/** PocketBase's own fields of an auth record; nobody signs in with a password that fits nothing. */
const OF_AUTH_RECORDS = {
  password: `'${NO_PASSWORD}'`,
  tokenKey: "lower(hex(randomblob(25)))",
  emailVisibility: "FALSE",
  verified: "FALSE",
};

const ZERO = { text: "", json: "null", bool: false, int: 0, int64: "", date: "" };

/**
 * Insert new rows by one statement, which takes a fifth of the time; returns them. Not for records whose ids are hashes.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {Values[]} rows values of all columns
 * @param {boolean} isLenient whether rows whose key is taken are left out
 */
function insertPlainly(tx, table, rows, isLenient = false) {
  const records = rows.map((values) => {
    const data = fields(table, values);
    for (const { field, type } of table.columns) {
      data[field] = data[field] ?? ZERO[type];
    }
    return data;
  });
  const sql = inserts(table, "$.records", table.auth ? OF_AUTH_RECORDS : {});
  const all = isLenient ? `${sql} WHERE TRUE ON CONFLICT DO NOTHING` : sql;
  execute(tx, all, JSON.stringify({ records }));
  return records.map((data) =>
    JSON.stringify([...table.columns.map(({ field }) => data[field]), data.nulls]),
  );
}

/**
 * Save a new row; returns that row.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {Record<string, any>} values of all columns
 */
function insert(tx, table, values) {
  if (table.auth) {
    return insertPlainly(tx, table, [values])[0];
  }
  const data = fields(table, values);
  const record = new Record(tx.findCachedCollectionByNameOrId(table.collection));
  record.load({ ...data, id: recordId(table, values) });
  relate(table, record, data);
  try {
    save(tx, table, record);
  } catch (error) {
    if (!table.hashed_id) {
      throw error;
    }
    // A record whose key was changed in the dashboard keeps its id; what gets that key now has another id.
    record.set("id", $security.randomStringWithAlphabet(32, "0123456789abcdef"));
    save(tx, table, record);
  }
  return JSON.stringify([...table.columns.map(({ field }) => data[field]), data.nulls]);
}

/**
 * Save changes of a record; returns its row.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {core.Record} record
 * @param {Record<string, any>} values undefined stays as it is
 */
function update(tx, table, record, values) {
  const changes = fields(table, values, nullsOf(table, record));
  const relations = { ...related(tx, table, String(record.id)), ...changes };
  record.load(changes);
  relate(table, record, relations);
  save(tx, table, record);
  const data = record.fieldsData();
  for (const name of [
    ...table.columns.filter(({ type }) => type === "json").map(({ field }) => field),
    "nulls",
  ]) {
    data[name] = String(data[name]);
  }
  for (const { field } of table.columns.filter(({ relation }) => relation)) {
    data[field] = relations[field];
  }
  return JSON.stringify([...table.columns.map(({ field }) => data[field]), data.nulls]);
}

/**
 * Change a row by one statement, which takes a fifth of the time; returns the row, `null` if there is none. Not for
 * relations, nor for a user's address.
 *
 * With each auth record that is saved PocketBase reads all auth collections, which takes longer than all the rest
 * of a write; it serves the tokens of a changed address or password.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {string} id
 * @param {Values} values undefined stays as it is
 */
function updatePlainly(tx, table, id, values) {
  const { nulls, ...changes } = fields(table, values);
  for (const { field, type } of table.columns) {
    if (changes[field] === null) {
      changes[field] = ZERO[type];
    }
  }
  const columns = table.columns
    .filter(({ name, type, null: nullable }) => nullable && type !== "json" && values[name] !== undefined)
    .map(({ name }) => name);
  const set = assignments(table, Object.keys(changes), columns.length > 0);
  return returned(
    tx,
    `UPDATE ${table.collection} SET ${set} WHERE id = ${arg("id")} RETURNING ${row(table, table.collection)} AS json`,
    JSON.stringify({ id, changes, columns, nones: JSON.parse(nulls) }),
  );
}

/**
 * Delete records by their ids.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {string[]} ids
 */
function remove(tx, table, ids) {
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    for (const record of tx.findRecordsByIds(table.collection, ids.slice(at, at + AT_ONCE))) {
      deleteOurs(tx, record);
    }
  }
}

/**
 * @param {CoreApp} tx
 * @param {core.Record} record
 */
function deleteOurs(tx, record) {
  markOurs(record);
  tx.delete(record);
}

/**
 * Delete the records that a query selects; returns their number.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {string} rest SQL from FROM on
 * @param {string} body JSON text, the parameters
 * @param {string} alias of the table in that SQL
 */
function removeSelected(tx, table, rest, body, alias) {
  const ids = recordIds(tx, rest, body, alias);
  remove(tx, table, ids);
  return ids.length;
}

/**
 * Delete the records that have these values; returns their number.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {Record<string, string | string[]>} values by field; of a list, any
 */
function removeWhere(tx, table, values) {
  const found = tx.findAllRecords(table.collection, $dbx.hashExp(values));
  found.forEach((record) => deleteOurs(tx, /** @type {core.Record} */ (record)));
  return found.length;
}

/**
 * The record with an id, or null.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {string} id
 */
function find(tx, table, id) {
  const [record] = tx.findRecordsByIds(table.collection, [id]);
  return record || null;
}

/**
 * The value of a record's scalar column as the host knows it.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @param {string} name
 */
function get(table, record, name) {
  return nullsOf(table, record).includes(name) ? null : record.get(scalar(table, name).field);
}

/**
 * The scalar columns of a record which are None, also of one that was made without a list of them.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @returns {string[]}
 */
function nullsOf(table, record) {
  /** @type {string[] | null} */
  const listed = JSON.parse(record.getString("nulls") || "null");
  return table.columns
    .filter(({ name, field, type, null: nullable, required }) => {
      const isListed = listed === null ? !required : listed.includes(name);
      return nullable && type !== "json" && !record.get(field) && isListed;
    })
    .map(({ name }) => name);
}

module.exports = {
  isOurs,
  markOurs,
  fold,
  insert,
  insertPlainly,
  update,
  updatePlainly,
  remove,
  removeSelected,
  removeWhere,
  find,
  get,
};
