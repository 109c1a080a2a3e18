// @ts-check

/**
 * What the adapter copies into Open WebUI's SQL database: the rows of the mirrored tables, because the host's own
 * SQL joins them.
 *
 * A cursor names a change of the feed, `number/op/time/record`, and with it all before it: the feed only grows. When
 * a backup has been restored the numbers are given again, but never with the same time and record.
 */

const { insert } = require("./lib/records.js");
const { tables, arg, given, row, many, query } = require("./lib/rows.js");
const { run } = require("./version.js");

/** @type {import("./lib/rows.js").Table[]} */
const MIRRORED = Object.values(tables).filter((table) => table.mirrored);
const NAMES = MIRRORED.map(({ collection }) => `'${collection}'`).join(", ");
const CURSOR = "seq || '/' || op || '/' || at || '/' || record_id";

/** The row of a changed record as it is now, NULL if it is gone. */
const ROW = MIRRORED.map(
  (table) =>
    `WHEN '${table.collection}' THEN (SELECT ${row(table, "t")} FROM ${table.collection} t WHERE t.id = c.record_id)`,
).join(" ");

/**
 * SQL of the changes behind a change: what the feed holds, and collection, id and row of each record of a mirrored
 * table which has changed since. Before the first change the cursor is `0`.
 *
 * @param {string} cursor SQL of the cursor
 */
function changes(cursor) {
  return `WITH asked AS MATERIALIZED (SELECT ${cursor} AS cursor, CAST(${cursor} AS INTEGER) AS seq),
    feed AS MATERIALIZED (SELECT coalesce(
        (SELECT ${CURSOR} = asked.cursor FROM owui_changes f WHERE f.seq = asked.seq),
        asked.cursor = '0' AND (SELECT coalesce(min(seq), 1) FROM owui_changes) = 1
      ) AS follows FROM asked)
    SELECT json_object(
      'epoch', (SELECT value FROM owui_meta WHERE key = 'epoch'),
      'run', '${run()}',
      'follows', json(iif((SELECT follows FROM feed), 'true', 'false')),
      'last', (SELECT coalesce(max(seq), 0) FROM owui_changes),
      'cursor', coalesce((SELECT ${CURSOR} FROM owui_changes ORDER BY seq DESC LIMIT 1), '0'),
      'rows', json_group_array(json_array(c.collection, c.record_id, json(CASE c.collection ${ROW} END)))
    ) AS json
    FROM (SELECT DISTINCT collection, record_id FROM owui_changes
      WHERE seq > (SELECT seq FROM asked) AND (SELECT follows FROM feed) AND collection IN (${NAMES})) c`;
}

/** @type {Record<string, string | (() => string)>} */
const reads = { get_changes: () => changes(arg("since")) };
for (const table of MIRRORED) {
  // A page of the table in the order of the ids.
  const page = `FROM (SELECT * FROM ${table.collection} WHERE id > ${arg("after")} ORDER BY id LIMIT ${arg("limit")}) t`;
  reads[`get_${table.collection}`] = many(row(table, "t"), page, "t.id");
  reads[`get_ids_of_${table.collection}`] = many("t.id", page.replace("*", "id"), "t.id");
  reads[`get_rows_of_${table.collection}`] = many(
    row(table, "t"),
    `FROM ${table.collection} t WHERE t.id IN ${given("ids")}`,
    "t.id",
  );
}

const writes = {
  /**
   * Take rows which only the SQL database had.
   *
   * @param {CoreApp} tx
   * @param {any} args `rows`: name of the host's table and row of each
   */
  adopt_rows(tx, { rows }) {
    for (const [name, values] of rows) {
      insert(tx, tables[name], values);
    }
    return "true";
  },
};

/**
 * What a write answers with, inside of its transaction.
 *
 * @param {CoreApp} tx
 * @param {string} cursor
 * @returns {string}
 */
function changesSince(tx, cursor) {
  return query(tx, changes("{:body}"), cursor);
}

module.exports = { reads, writes, changesSince };
