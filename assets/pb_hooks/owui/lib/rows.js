// @ts-check

/**
 * Rows of the host's tables as PocketBase records, derived from owui_tables.json.
 *
 * A row goes out as an array: the columns in their declared order, then `nulls`. It comes in as an object by
 * column name. In both JSON columns are JSON text, so that key order and number spelling survive, int64 columns
 * are decimal strings and dates are ISO texts.
 *
 * PocketBase columns cannot be NULL: `nulls` lists the columns which are None. A value other than the zero
 * value always wins over that list, so that edits made in the dashboard work; a record made outside the
 * adapter has no list, and all its empty columns that may be None are, unless the host's models need a value.
 */

/**
 * @typedef {"text" | "json" | "bool" | "int" | "int64" | "date"} Type
 * @typedef {{ name: string, field: string, type: Type, null?: boolean, required?: boolean,
 *   folded?: boolean, relation?: string }} Column
 * @typedef {{ group: string, collection: string, auth?: boolean, mirrored?: boolean,
 *   hashed_id?: string[], columns: Column[], extras?: { name: string, type: Type | "relation" }[],
 *   search?: { text: string, fields: string[] } }} Table
 */

const ZERO = { text: "''", bool: "0", int: "0", int64: "''", date: "''" };

/** Ids in one query; each is a variable of the statement, of which SQLite takes 32,766. */
const AT_ONCE = 10000;

/** In place of a hash: no password fits, and PocketBase takes changes of the record, which must have one. */
const NO_PASSWORD = "$2!"; // PocketBase takes for a hash what begins like this

/** @type {Record<string, Table>} */
const tables = /** @type {any} */ (require("../tables.json").tables);
for (const table of Object.values(tables)) {
  for (const column of table.columns) {
    column.field = column.field || column.name;
  }
}

/**
 * SQL of a parameter of the call: the request's body is bound once, as it came, and read by SQLite.
 *
 * @param {string} name
 */
function arg(name) {
  return `({:body} ->> '$.${name}')`;
}

/**
 * SQL of a list that is given as a parameter.
 *
 * @param {string} name
 */
function given(name) {
  return `(SELECT value FROM json_each({:body}, '$.${name}'))`;
}

/**
 * @param {Table} table
 * @param {string} name
 */
function scalar(table, name) {
  const found = table.columns.find((column) => column.name === name);
  if (!found || found.type === "json") {
    throw new Error(`${table.collection} has no scalar column ${name}`);
  }
  return /** @type {Column & { type: keyof typeof ZERO }} */ (found);
}

/**
 * SQL of a column's value as the host knows it, NULL for None.
 *
 * @param {Table} table
 * @param {string} alias
 * @param {string} name
 */
function value(table, alias, name) {
  const { field, type, null: nullable, required } = scalar(table, name);
  const sql = `${alias}.${field}`;
  if (!nullable) {
    return sql;
  }
  const named = `instr(${alias}.nulls, '"${name}"')`;
  const listed = required ? named : `(coalesce(${alias}.nulls, 'null') = 'null' OR ${named})`;
  return `CASE WHEN ${sql} = ${ZERO[type]} AND ${listed} THEN NULL ELSE ${sql} END`;
}

/**
 * SQL of "the column has the value of this parameter", where None equals None; can use an index of the column.
 *
 * @param {Table} table
 * @param {string} alias
 * @param {string} name
 */
function matches(table, alias, name) {
  const { field, type, null: nullable } = scalar(table, name);
  const wanted = arg(name);
  if (!nullable) {
    return `${alias}.${field} = ${wanted}`;
  }
  return `(${alias}.${field} = coalesce(${wanted}, ${ZERO[type]}) AND ${value(table, alias, name)} IS ${wanted})`;
}

/**
 * SQL of "the column, without case, is like %this parameter%", as the host's ILIKE on SQLite: `%` and `_` in the
 * parameter are wildcards. It comes in lower case.
 *
 * @param {Table} table
 * @param {string} alias
 * @param {string} name
 * @param {string} parameter
 */
function contains(table, alias, name, parameter) {
  const column = `${alias}.${scalar(table, name).field}_folded`;
  const wanted = arg(parameter);
  // Nearly always there are no wildcards, and instr is faster than LIKE and has no limits.
  return `CASE WHEN instr(${wanted}, '%') OR instr(${wanted}, '_') THEN ${column} LIKE '%' || ${wanted} || '%'
    ELSE instr(${column}, ${wanted}) END`;
}

/**
 * SQL of a row.
 *
 * @param {Table} table
 * @param {string} alias
 */
function row(table, alias) {
  return `json_array(${[...table.columns.map((c) => `${alias}.${c.field}`), `${alias}.nulls`].join(", ")})`;
}

/**
 * SQL that answers with the first row of a query as JSON, or `null`.
 *
 * @param {string} select
 */
function one(select) {
  return `SELECT coalesce((${select} LIMIT 1), 'null') AS json`;
}

/**
 * SQL that answers with a JSON array.
 *
 * @param {string} item what each row becomes
 * @param {string} rest from FROM on, without ORDER BY
 * @param {string} order
 */
function many(item, rest, order) {
  return `SELECT json_group_array(${item} ORDER BY ${order}) AS json ${rest}`;
}

/**
 * Run a query of one row with one column `json`; return that text.
 *
 * @param {CoreApp} app
 * @param {string} sql
 * @param {string} body JSON text, the parameters
 */
function query(app, sql, body) {
  const result = new DynamicModel({ json: "" });
  app.db().newQuery(sql).bind({ body }).one(result);
  return /** @type {any} */ (result).json;
}

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
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {core.Record} record
 */
function save(tx, table, record) {
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

/**
 * Save a new row; the answer is that row.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {Record<string, any>} values of all columns
 */
function insert(tx, table, values) {
  const data = fields(table, values);
  const record = new Record(tx.findCachedCollectionByNameOrId(table.collection));
  record.load({ ...data, id: recordId(table, values) });
  relate(table, record, data);
  if (table.auth) {
    record.setRaw("password", NO_PASSWORD);
  }
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
 * Save changes of a record; the answer is its row.
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
  const isHeard = values.email !== undefined || tx.subscriptionsBroker().totalClients() > 0;
  if (!table.auth || isHeard) {
    save(tx, table, record);
  }
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
  if (table.auth && !isHeard) {
    updateColumns(tx, table, data, Object.keys(changes));
  }
  return JSON.stringify([...table.columns.map(({ field }) => data[field]), data.nulls]);
}

/**
 * Write fields of an auth record of which nobody is told, and whose address stays.
 *
 * With each such record that is saved PocketBase reads all auth collections, which takes longer than all the rest
 * of a write; it serves the tokens of a changed address or password.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {Record<string, any>} data the record's fields
 * @param {string[]} names of those that changed
 */
function updateColumns(tx, table, data, names) {
  const set = names.map((name) => `[[${name}]] = {:${name}}`).join(", ");
  const now = "strftime('%Y-%m-%d %H:%M:%fZ', 'now')";
  tx.db()
    .newQuery(`UPDATE {{${table.collection}}} SET ${set}, updated = ${now} WHERE id = {:id}`)
    .bind(Object.fromEntries([...names, "id"].map((name) => [name, data[name]])))
    .execute();
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
      tx.delete(record);
    }
  }
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

/**
 * The ids of the records which a query selects, oldest first.
 *
 * @param {CoreApp} app
 * @param {string} rest SQL from FROM on
 * @param {string} body JSON text, the parameters
 * @param {string} alias of the table in that SQL
 * @returns {string[]}
 */
function recordIds(app, rest, body, alias) {
  return JSON.parse(query(app, many(`${alias}.id`, rest, `${alias}.rowid`), body));
}

module.exports = {
  tables,
  arg,
  given,
  value,
  matches,
  contains,
  row,
  one,
  many,
  query,
  recordIds,
  fold,
  insert,
  update,
  remove,
  find,
  get,
};
