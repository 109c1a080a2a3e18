// @ts-check

/**
 * Clearing the full-text indexes of what was deleted.
 *
 * A deleted record leaves its words in the index, marked. By default SQLite rewrites parts of the index as soon as a tenth
 * of a part is marked, in the transaction that deletes: of what deleting a chat takes, that is five sixths. So deletions
 * switch it off (`mergeLater`), and PocketBase does it afterwards, in steps of a few milliseconds (`merge`).
 */

const { tables, query } = require("./rows.js");

/** @typedef {import("./rows.js").Table} Table */

/** From so many percent of marked records on a part of an index is rewritten. */
const MARKED = 10;

/** Pages that are written in one step. */
const PAGES = 16;

/** Milliseconds between two steps. */
const PAUSE = 5;

const SEARCHED = Object.values(tables).filter((table) => table.search);

/**
 * Set the option, which is stored in the index.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 * @param {number} percent 0 for never
 */
function setMarked(tx, table, percent) {
  const index = `${table.collection}_search`;
  const stored = `SELECT coalesce((SELECT v FROM ${index}_config WHERE k = 'deletemerge'), '') AS json`;
  if (query(tx, stored, "") !== String(percent)) {
    const set = `INSERT INTO ${index} (${index}, rank) VALUES ('deletemerge', {:percent})`;
    tx.db().newQuery(set).bind({ percent }).execute();
  }
}

/**
 * Have what is deleted from now on cleared later.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 */
function mergeLater(tx, table) {
  setMarked(tx, table, 0);
}

/**
 * Clear an index of some of what was deleted; returns whether there may be more.
 *
 * A step writes so many pages at most. It reads more if most of what it reads was deleted, 50 ms for each megabyte; an index
 * of which nothing is left is emptied at once.
 *
 * @param {CoreApp} tx
 * @param {Table} table
 */
function mergeSome(tx, table) {
  const index = `${table.collection}_search`;
  // Pages with marks have the highest numbers: 1 << 16 more than those of the segment they belong to, which is shifted by 37.
  const state = `SELECT json_array(EXISTS (SELECT 1 FROM ${index}_data WHERE id >= 1 << 53),
    EXISTS (SELECT 1 FROM ${table.collection} WHERE doc > 0)) AS json`;
  const [hasMarks, hasRecords] = JSON.parse(query(tx, state, ""));
  if (!hasMarks) {
    return false;
  }
  if (!hasRecords) {
    tx.db().newQuery(`INSERT INTO ${index} (${index}) VALUES ('delete-all')`).execute();
    return false;
  }
  const changes = () => Number(query(tx, "SELECT total_changes() AS json", ""));
  setMarked(tx, table, MARKED);
  const before = changes();
  tx.db().newQuery(`INSERT INTO ${index} (${index}, rank) VALUES ('merge', ${PAGES})`).execute();
  const isMore = changes() - before >= 2; // the statement itself counts for one
  mergeLater(tx, table);
  return isMore;
}

/**
 * Clear the indexes of what was deleted.
 *
 * @param {CoreApp} app
 */
function merge(app) {
  for (const table of SEARCHED) {
    let isMore = true;
    while (isMore) {
      app.runInTransaction((tx) => {
        isMore = mergeSome(tx, table);
      });
      sleep(PAUSE);
    }
  }
}

module.exports = { mergeLater, merge };
