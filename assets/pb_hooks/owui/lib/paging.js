// @ts-check

/** Pages: by number, for people who turn them, and by id, for who goes through a whole table. */

const { arg, many, row } = require("./rows.js");

/** A page of a sorted query: the parameters `limit`, none or -1 for all, and `skip`. */
const PAGE = `LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0)`;

/**
 * SQL that returns the rows of the `limit` records behind the id `after`, in the order of the ids.
 *
 * @param {import("./rows.js").Table} table
 */
function rowsById(table) {
  const page = `SELECT * FROM ${table.collection} WHERE id > ${arg("after")} ORDER BY id LIMIT ${arg("limit")}`;
  return many(row(table, "t"), `FROM (${page}) t`, "t.id");
}

module.exports = { PAGE, rowsById };
