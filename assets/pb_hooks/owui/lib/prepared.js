// @ts-check

/**
 * Reads whose statements SQLite compiles once: for most of them that takes longer than running them.
 *
 * Each JavaScript runtime has its own, for a statement has its parameters in it. When all runtimes are busy PocketBase
 * makes others for one request each, whose statements nobody would ever close: so only what a runtime has run several times
 * is prepared.
 */

/** Runs of a statement before it is prepared; more than one request makes of it. */
const RUNS = 4;

/** Statements that a runtime knows; beyond that those which it used last longest ago are closed. */
const KNOWN = 32;

/** @typedef {{ runs: number, prepared: any }} Statement */

/** SQL -> its statement, those used last at the end. @type {Map<string, Statement>} */
const statements = new Map();

/**
 * Run a query of one row with one column `json` outside of any transaction; return that text.
 *
 * @param {CoreApp} app
 * @param {string} sql
 * @param {string} body JSON text, the parameters
 * @param {DynamicModel} result gets the row; with other columns as well, if the query has any
 * @returns {string}
 */
function queryPrepared(app, sql, body, result = new DynamicModel({ json: "" })) {
  const statement = known(sql);
  statement.runs++;
  if (!statement.prepared && statement.runs > RUNS) {
    statement.prepared = app.concurrentDB().newQuery(sql).prepare();
  }
  try {
    (statement.prepared || app.concurrentDB().newQuery(sql)).bind({ body }).one(result);
  } catch (error) {
    forget(sql);
    throw error;
  }
  return /** @type {any} */ (result).json;
}

/**
 * @param {string} sql
 * @returns {Statement}
 */
function known(sql) {
  const statement = statements.get(sql) || { runs: 0, prepared: null };
  statements.delete(sql);
  statements.set(sql, statement);
  if (statements.size > KNOWN) {
    forget(/** @type {string} */ (statements.keys().next().value));
  }
  return statement;
}

/** @param {string} sql */
function forget(sql) {
  statements.get(sql)?.prepared?.close();
  statements.delete(sql);
}

module.exports = { queryPrepared };
