// @ts-check

/** Where parts of words are, as a full-text index of words tells; codec/words.py says what it has. */

/**
 * SQL of a table of the words of records: each `term` with the number `doc` of a record that has it.
 *
 * @param {import("./rows.js").Table} table
 */
function wordsOf(table) {
  return `${table.collection}_words`;
}

/**
 * SQL of "this term begins with a part of a word", for which the index has a range.
 *
 * @param {string} part SQL
 */
function beginsWith(part) {
  return `term >= ${part} AND term < ${part} || char(1114111)`;
}

module.exports = { wordsOf, beginsWith };
