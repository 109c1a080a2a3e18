// @ts-check

/**
 * SQL of the host's tables as they are in PocketBase, derived from tables.json, and of those of plugins; how records are
 * written is in records.js.
 *
 * A row goes out as an array: the columns in their declared order, then `nulls`. JSON columns are JSON text, so that
 * key order and number spelling survive, int64 columns are decimal strings and dates are ISO texts.
 *
 * PocketBase columns cannot be NULL: `nulls` lists the columns which are None. A value other than the zero
 * value always wins over that list, so that edits made in the dashboard work; a record made outside the
 * adapter has no list, and all its empty columns that may be None are, unless the host's models need a value.
 */

/**
 * @typedef {"text" | "json" | "bool" | "int" | "int64" | "date"} Type
 * @typedef {{ name: string, field: string, type: Type, holds?: "object" | "list", null?: boolean,
 *   required?: boolean, folded?: boolean, relation?: string }} Column
 * @typedef {{ group: string, collection: string, auth?: boolean, mirrored?: boolean, through?: boolean,
 *   joined?: boolean, incomplete?: string, hashed_id?: string[], columns: Column[], extras?: { name: string, type: Type | "relation" | "file" }[],
 *   search?: { text: string, fields: string[] } }} Table
 */

const ZERO = { text: "''", bool: "0", int: "0", int64: "''", date: "''" };

/** @type {Record<string, Table>} */
const tables = /** @type {any} */ ({ ...ofPlugins(), ...require("../tables.json").tables });
for (const table of Object.values(tables)) {
  for (const column of table.columns) {
    column.field = column.field || column.name;
  }
}

/**
 * The tables that other plugins have joined, a file for each group of theirs.
 *
 * @returns {Record<string, Table>}
 */
function ofPlugins() {
  /** @type {string[]} */
  let names;
  try {
    names = $os.readDir(`${__hooks}/owui/plugins`).map((entry) => entry.name());
  } catch {
    return {}; // there is no such directory where no plugin has any
  }
  const files = names
    .filter((name) => name.endsWith(".json"))
    .map((name) => `${__hooks}/owui/plugins/${name}`);
  return Object.assign({}, ...files.map((path) => JSON.parse(toString($os.readFile(path))).tables));
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
 * The declaration of a column that has no JSON.
 *
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
 * @param {string[]} further SQL of what comes behind its columns
 */
function row(table, alias, further = []) {
  const columns = table.columns.map(({ field }) => `${alias}.${field}`);
  return `json_array(${[...columns, ...further, `${alias}.nulls`].join(", ")})`;
}

/**
 * SQL of "this record is a row", which some are not yet.
 *
 * @param {Table} table
 * @param {string} alias
 */
function isRow(table, alias) {
  return table.incomplete ? `${alias}.${table.incomplete} = FALSE` : "TRUE";
}

/**
 * SQL that returns the first row of a query as JSON, or `null`.
 *
 * @param {string} select
 */
function one(select) {
  return `SELECT coalesce((${select} LIMIT 1), 'null') AS json`;
}

/**
 * SQL that returns `true` or `false`.
 *
 * @param {string} condition
 */
function truth(condition) {
  return `SELECT iif(${condition}, 'true', 'false') AS json`;
}

/**
 * SQL that returns a JSON array.
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
 * Run a statement that returns a column `json` of the row it writes; return that text, or `null` if it writes none.
 *
 * @param {CoreApp} tx
 * @param {string} sql
 * @param {string} body JSON text, the parameters
 * @returns {string}
 */
function returned(tx, sql, body) {
  const found = arrayOf(new DynamicModel({ json: "" }));
  tx.db().newQuery(sql).bind({ body }).all(found);
  return found.length ? /** @type {any} */ (found[0]).json : "null";
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
  scalar,
  value,
  matches,
  contains,
  row,
  isRow,
  one,
  truth,
  many,
  query,
  returned,
  recordIds,
};
