// @ts-check

/** Where parts of words are, as a full-text index of words tells; codec/words.py says what it has. */

/**
 * SQL from FROM on, of the index's entries for what begins with a part of a word: `doc` is the number of a record.
 *
 * @param {import("./rows.js").Table} table one with an index of words
 * @param {string} text SQL of the part
 */
function withPart(table, text) {
  return `FROM ${table.collection}_words WHERE term >= ${text} AND term < ${text} || char(1114111)`;
}

module.exports = { withPart };
