// @ts-check

/**
 * Where parts of words can be, as the full-text indexes of words tell; codec/words.py says what these have.
 *
 * A part with few places leads to them. One with many leads nowhere: what is frequent is soon found by going through
 * records in the order in which they are wanted.
 */

/** A part of a word with more places than this is frequent. */
const FEW = 2000;

/**
 * SQL of the numbers of the records that may contain a part of a word, or of just more than `FEW` of them.
 *
 * @param {import("./rows.js").Table} table one with an index of words
 * @param {string} text SQL of the part
 */
function docsWith(table, text) {
  return `SELECT doc FROM ${table.collection}_words
    WHERE term >= ${text} AND term < ${text} || char(1114111) LIMIT ${FEW + 1}`;
}

/** SQL of the table of the parts with few places, where `raw` has the number of a part for each of its places. */
const FEW_PARTS = `few (n) AS MATERIALIZED (SELECT p.key FROM json_each({:body}, '$.pieces') p
  WHERE (SELECT count(*) FROM raw r WHERE r.n = p.key) <= ${FEW})`;

/** How many of the given parts have few places. */
const HOW_MANY_FEW = "(SELECT count(*) FROM few)";

module.exports = { FEW, FEW_PARTS, HOW_MANY_FEW, docsWith };
