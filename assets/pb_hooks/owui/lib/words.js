// @ts-check

/** Where parts of words are, as a full-text index of words tells; codec/words.py says what it has. */

const { arg } = require("./rows.js");

/** Of what is indexed, as in codec/words.py: words from a process of another version are not. */
const FORM = 2;

/**
 * A part of a word, and the FTS5 expression `words` that finds it if the index has its sequences of letters; else the
 * index has words that begin with it.
 *
 * @typedef {{ text: string, words: string | null }} Part
 */

/**
 * SQL that selects the numbers `doc` of records which may have a part of a word, the same one perhaps more than once.
 *
 * @param {import("./rows.js").Table} table
 * @param {Part} part
 * @param {string} at where the request has it
 */
function docsWith({ collection }, { words }, at) {
  const index = `${collection}_search`;
  const text = arg(`${at}.text`);
  // For "it begins with this" the index has a range.
  return words
    ? `SELECT rowid AS doc FROM ${index} WHERE ${index} MATCH ${arg(`${at}.words`)}`
    : `SELECT doc FROM ${collection}_words WHERE term >= ${text} AND term < ${text} || char(1114111)`;
}

module.exports = { FORM, docsWith };
