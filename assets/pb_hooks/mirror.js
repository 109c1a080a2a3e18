// @ts-check

/**
 * What the adapter copies into Open WebUI's SQL database: the rows of the mirrored tables, because the host's own
 * SQL joins them.
 */

const { tables, arg, row, many, query } = require(`${__hooks}/owui_rows.js`);

/** @type {import("./owui_rows.js").Table[]} */
const MIRRORED = Object.values(tables).filter((table) => table.mirrored);
const NAMES = MIRRORED.map(({ collection }) => `'${collection}'`).join(", ");

/** The row of a changed record as it is now, NULL if it is gone. */
const ROW = MIRRORED.map(
  (table) =>
    `WHEN '${table.collection}' THEN (SELECT ${row(table, "t")} FROM ${table.collection} t WHERE t.id = c.record_id)`,
).join(" ");

/**
 * SQL of the changes behind a number of the change feed: what the feed holds, and collection, id and row of each
 * record of a mirrored table which has changed since.
 *
 * @param {string} since SQL of the number
 */
function changes(since) {
  return `SELECT json_object(
      'epoch', (SELECT value FROM owui_meta WHERE key = 'epoch'),
      'first', (SELECT coalesce(min(seq), 1) FROM owui_changes),
      'last', (SELECT coalesce(max(seq), 0) FROM owui_changes),
      'rows', json_group_array(json_array(c.collection, c.record_id, json(CASE c.collection ${ROW} END)))
    ) AS json
    FROM (SELECT DISTINCT collection, record_id FROM owui_changes
      WHERE seq > ${since} AND collection IN (${NAMES})) c`;
}

/** What a write answers with, inside of its transaction. */
const CHANGES = changes("CAST({:body} AS INTEGER)");

/** @type {Record<string, string>} */
const reads = { get_changes: changes(arg("since")) };
for (const table of MIRRORED) {
  // A page of the table in the order of the ids.
  const page = `FROM (SELECT * FROM ${table.collection} WHERE id > ${arg("after")} ORDER BY id LIMIT ${arg("limit")}) t`;
  reads[`get_${table.collection}`] = many(row(table, "t"), page, "t.id");
}

/**
 * @param {CoreApp} tx
 * @param {number} since
 * @returns {string}
 */
function changesSince(tx, since) {
  return query(tx, CHANGES, String(since));
}

module.exports = { reads, writes: {}, changesSince };
