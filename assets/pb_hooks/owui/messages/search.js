// @ts-check

/** Searching the messages of channels for a text. */

const { tables, arg, value, row } = require("../lib/rows.js");
const { found, page } = require("./_places.js");
const { textOf } = require("./_texts.js");

const MESSAGE = tables.message;
const TEXT = textOf("m");
const QUERY = arg("query");

/**
 * `channel_ids`; `query` in lower case, in which `%` and `_` are wildcards; its `pieces`, parts of words; `start` and
 * `end`, the first and the last time in the stored form; `limit`, null for all.
 *
 * @typedef {{ query: string, pieces: import("../lib/words.js").Part[], start: string | null, end: string | null }} Asked
 */

/**
 * Messages that contain a text, latest first.
 *
 * @param {Asked} args
 */
function search_messages_by_channel_ids({ query, pieces, start, end }) {
  const conditions = [
    // instr finds texts without wildcards sooner, and has no limits.
    /[%_]/.test(query) ? `${TEXT} LIKE '%' || ${QUERY} || '%'` : `instr(${TEXT}, ${QUERY})`,
    `(${TEXT} != '' OR ${value(MESSAGE, "m", "content")} IS NOT NULL)`,
  ];
  if (start !== null) {
    conditions.push(`m.created_at >= ${arg("start")}`);
  }
  if (end !== null) {
    conditions.push(`m.created_at <= ${arg("end")} AND m.created_at != ''`);
  }
  const limit = `coalesce(${arg("limit")}, -1)`;
  const wanted = { isMatch: conditions.join(" AND "), time: "m.created_at", tie: "m.rowid", limit };
  return `WITH ${found(pieces, wanted)} ${page(row(MESSAGE, "m"), wanted)}`;
}

const reads = { search_messages_by_channel_ids };

module.exports = { reads };
