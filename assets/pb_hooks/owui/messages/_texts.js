// @ts-check

/** What is searched of messages. */

const { tables } = require("../lib/rows.js");
const { searched } = require("../lib/texts.js");

/**
 * SQL of a message's text in lower case.
 *
 * @param {string} alias
 */
function textOf(alias) {
  return searched(tables.message, alias);
}

/**
 * SQL of whether a message waits for the index of words, given its `meta`: not while a model is writing it, which changes
 * it several times a second.
 *
 * @param {string} meta SQL
 */
function waits(meta) {
  return `iif(json_valid(${meta}),
    coalesce(${meta} ->> '$.model_id', '') IN ('', 0) OR coalesce(${meta} ->> '$.done', 0), TRUE)`;
}

module.exports = { textOf, waits };
