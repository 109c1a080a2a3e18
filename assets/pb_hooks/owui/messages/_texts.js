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
 * SQL of "a model still writes this message": such a message changes many times, so it does not wait for the index.
 *
 * @param {string} alias
 */
function isBeingWritten(alias) {
  const meta = (/** @type {string} */ name) => `${alias}.meta ->> '$.${name}'`;
  return `iif(json_valid(${alias}.meta), coalesce(${meta("model_id")}, '') != '' AND coalesce(${meta("done")}, 0) IN (0, ''),
    FALSE)`;
}

module.exports = { textOf, isBeingWritten };
