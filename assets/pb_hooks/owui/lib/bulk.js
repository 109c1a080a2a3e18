// @ts-check

/**
 * Records written in SQL: from fields that the repositories have made, as many as the request's body has.
 *
 * The body is bound once and taken apart by SQLite, so that JSON texts and big integers come through as they are.
 * PocketBase's own hooks and realtime do not see these writes; the change feed does, and from it changes/broadcast.js tells
 * those who listen.
 */

const { given } = require("./rows.js");

/** @typedef {import("./rows.js").Table} Table */

const NOW = "strftime('%Y-%m-%d %H:%M:%fZ', 'now')";

/** The present, in milliseconds since 1970. */
const MILLISECONDS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** SQL of a new uuid, version 4, for each row. */
const UUID = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
  || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`;

/**
 * The names of the fields which a write sets: of the host's columns, those in lower case, and the adapter's own.
 *
 * @param {Table} table
 */
function fieldsOf(table) {
  return [
    ...table.columns.map(({ field }) => field),
    ...table.columns.filter(({ folded }) => folded).map(({ field }) => `${field}_folded`),
    ...(table.extras || []).map(({ name }) => name),
    "nulls",
  ];
}

/**
 * SQL of the largest number of a record in the full-text index, whatever its sign.
 *
 * @param {string} collection
 */
function lastDoc(collection) {
  const largest = (/** @type {string} */ order, /** @type {string} */ sign) =>
    `coalesce((SELECT ${sign}doc FROM ${collection} WHERE doc != 0 ORDER BY doc ${order} LIMIT 1), 0)`;
  return `max(${largest("DESC", "")}, ${largest("ASC", "-")})`;
}

/**
 * SQL of the number of a new record, where `j` is the given record; its sign is the given field's.
 *
 * @param {string} collection
 */
function newDoc(collection) {
  return `(j.value ->> '$.doc') * (${lastDoc(collection)} + 1 + j.key)`;
}

/**
 * SQL that inserts the records which the body has at a path.
 *
 * The body is parsed once; as texts the records would each be written, and parsed again: three times as long.
 *
 * @param {Table} table
 * @param {string} path JSON path
 * @param {Record<string, string>} own field -> SQL of its value, where `j` is the given record; else it is as given. PocketBase's
 *   own fields can be among them.
 */
function inserts(table, path, own = {}) {
  const usual = [...(table.hashed_id ? ["id"] : []), ...fieldsOf(table)];
  const names = [...new Set([...usual, ...Object.keys(own)])];
  const values = names.map((name) => own[name] || `j.value ->> '$.${name}'`);
  if (table.search) {
    names.push("doc");
    values.push(newDoc(table.collection));
  }
  return `INSERT INTO ${table.collection} (${[...names, "created", "updated"].join(", ")})
    SELECT ${[...values, NOW, NOW].join(", ")} FROM jsonb_each({:body}, '${path}') j`;
}

/** The fields that may be set, by table: making them takes longer than a statement. @type {Map<Table, Set<string>>} */
const KNOWN = new Map();

/**
 * Refuse fields which a table does not have: their names become SQL.
 *
 * @param {Table} table
 * @param {string[]} names
 */
function check(table, names) {
  const known = KNOWN.get(table) || new Set([...fieldsOf(table), ...(table.search ? ["doc"] : [])]);
  KNOWN.set(table, known);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw { status: 400, code: "invalid", message: `${table.collection} has no field ${unknown}` };
  }
}

/**
 * SQL of the assignments of an UPDATE with the fields that the body has under `changes`.
 *
 * @param {Table} table
 * @param {string[]} names of those fields; others than the table's are an error
 * @param {boolean} canBeNone whether some of them can be None
 */
function assignments(table, names, canBeNone = true) {
  check(table, names);
  return [
    ...names.map((name) => `${name} = {:body} ->> '$.changes.${name}'`),
    ...(canBeNone ? [`nulls = ${nullsAfter(table)}`] : []),
    `updated = ${NOW}`,
  ].join(", ");
}

/**
 * SQL of the assignments of an UPDATE, as far as they can be parameters of their own, and these parameters. The body is bound,
 * and so copied, each time that a statement names it, which takes longer than the statement.
 *
 * @param {Table} table
 * @param {Record<string, any>} values by field, as JavaScript has parsed them; other fields than the table's are an error
 * @param {string} path JSON path of these values in the body, for numbers that JavaScript does not have exactly
 */
function plainAssignments(table, values, path) {
  const names = Object.keys(values);
  check(table, names);
  const isExact = (/** @type {any} */ value) => typeof value !== "number" || Number.isSafeInteger(value);
  const sources = names.map((name) =>
    isExact(values[name]) ? `{:new_${name}}` : `{:body} ->> '${path}.${name}'`,
  );
  return {
    set: [...names.map((name, at) => `${name} = ${sources[at]}`), `updated = ${NOW}`].join(", "),
    parameters: Object.fromEntries(names.map((name) => [`new_${name}`, values[name]])),
  };
}

/**
 * SQL that sets the same fields of several records; the body has these at a path, each with its `key`.
 *
 * @param {Table} table
 * @param {string} path JSON path
 * @param {string[]} names of those fields; others than the table's are an error
 * @param {Record<string, string>} own field -> SQL of its value, where `j` is the given record; else it is as given
 */
function updates(table, path, names, own = {}) {
  check(table, names);
  /** @type {Record<string, string>} */
  const made = { doc: newDoc(table.collection), ...own };
  const values = names.map((name) => `${name} = ${made[name] || `j.value ->> '$.${name}'`}`);
  return `UPDATE ${table.collection} AS r SET ${[...values, `updated = ${NOW}`].join(", ")}
    FROM json_each({:body}, '${path}') j WHERE r.key = j.value ->> '$.key'`;
}

/**
 * SQL of a record's list of None columns after a change: `columns` are those which were changed, `nones` those of
 * them which are None now. It is a text: RETURNING would give a JSON value to `json_array` as such.
 *
 * @param {Table} table
 */
function nullsAfter(table) {
  const usual = table.columns.filter((column) => column.null && !column.required && column.type !== "json");
  const none = JSON.stringify(usual.map(({ name }) => name));
  return `(SELECT json_group_array(value) || '' FROM (
    SELECT value FROM json_each(iif(coalesce(nulls, 'null') IN ('null', ''), '${none}', nulls))
      WHERE value NOT IN ${given("columns")}
    UNION ALL SELECT value FROM ${given("nones")}))`;
}

/**
 * Run a statement; returns the number of rows it changed.
 *
 * @param {CoreApp} tx
 * @param {string} sql
 * @param {string} body JSON text, the parameters
 */
function execute(tx, sql, body) {
  return tx.db().newQuery(sql).bind({ body }).execute().rowsAffected();
}

/** Steps of one transaction at most, and milliseconds after which none is begun: on a slow machine they are fewer. */
const STEPS = 5;
const TIME = 100;

/**
 * Change many records in steps of a transaction, as many as others can wait for; one at least.
 *
 * @param {() => boolean} step returns whether there may be more to do
 */
function inSteps(step) {
  const until = Date.now() + TIME;
  let number = 1;
  while (step() && number < STEPS && Date.now() < until) {
    number++;
  }
}

module.exports = {
  MILLISECONDS,
  NOW,
  UUID,
  lastDoc,
  newDoc,
  inserts,
  assignments,
  plainAssignments,
  nullsAfter,
  updates,
  execute,
  fieldsOf,
  inSteps,
};
