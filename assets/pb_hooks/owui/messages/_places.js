// @ts-check

/**
 * The first messages of channels that contain something.
 *
 * The full-text index tells where parts of words can be. If a part has few such places, these are looked at. Otherwise
 * each of the channels is gone through in the wanted order until it has given as many messages as are needed: an index
 * of its messages has that order. So the work does not grow with the messages of other channels.
 */

const { FEW_PARTS, HOW_MANY_FEW, docsWith } = require("../lib/words.js");
const { tables, arg, given, many } = require("../lib/rows.js");

const MESSAGE = tables.message;

/** Channels that are given twice are searched once. */
const CHANNELS = `(SELECT DISTINCT value AS id FROM ${given("channel_ids")})`;

/** The same, or none, so that none is gone through while a part of a word has few places. */
const CHANNELS_IF_FREQUENT = `(SELECT id FROM ${CHANNELS} WHERE ${HOW_MANY_FEW} = 0)`;

/** The messages in which all parts with few places can be, and those which the index does not have. */
const PLACES = `SELECT m.rowid FROM (SELECT doc FROM raw WHERE n IN few
      GROUP BY doc HAVING count(DISTINCT n) = ${HOW_MANY_FEW}) r
    CROSS JOIN owui_messages m ON m.doc = r.doc AND m.doc != 0
    WHERE m.channel_id IN ${given("channel_ids")}
  UNION ALL SELECT m.rowid FROM ${CHANNELS} c CROSS JOIN owui_messages m INDEXED BY idx_owui_messages_not_indexed
    ON m.channel_id = c.id AND m.doc < 0 WHERE ${HOW_MANY_FEW} > 0`;

/**
 * SQL of tables, for WITH, the last of which is `found`: the numbers of records, the first `limit` that match, or all
 * that do where it is negative; and perhaps some behind these.
 *
 * @param {string[]} pieces parts of words that all of them contain, as in the request's `pieces`
 * @param {{ isMatch: string, order: string, limit: string }} wanted SQL; `isMatch` and `order` of a message `m`, and
 *   there is an index of a channel's messages in this order
 */
function found(pieces, { isMatch, order, limit }) {
  const looked = pieces.map(
    (_, n) => `SELECT ${n} AS n, doc FROM (${docsWith(MESSAGE, arg(`pieces[${n}]`))})`,
  );
  const raw = looked.join(" UNION ALL ") || "SELECT 0, 0 WHERE FALSE";
  // LIMIT -1 keeps the order, so that only as many texts are looked at as are needed.
  return `raw (n, doc) AS MATERIALIZED (${raw}), ${FEW_PARTS},
    places (message) AS MATERIALIZED (SELECT m.rowid FROM (${PLACES}) p CROSS JOIN owui_messages m ON m.rowid = p.rowid
      ORDER BY ${order} LIMIT -1),
    found (message) AS MATERIALIZED (
      SELECT * FROM (SELECT m.rowid FROM places p CROSS JOIN owui_messages m ON m.rowid = p.message
        WHERE ${isMatch} LIMIT ${limit})
      UNION ALL SELECT f.rowid FROM ${CHANNELS_IF_FREQUENT} c CROSS JOIN owui_messages f ON f.rowid IN (
        SELECT m.rowid FROM owui_messages m WHERE m.channel_id = c.id AND ${isMatch}
          ORDER BY ${order} LIMIT ${limit}))`;
}

/**
 * SQL that returns the first of the messages that were found.
 *
 * @param {string} item SQL of what becomes of a message `m`
 * @param {{ order: string, limit: string }} wanted as for `found`
 */
function page(item, { order, limit }) {
  const first = `SELECT f.message FROM found f CROSS JOIN owui_messages m ON m.rowid = f.message
    ORDER BY ${order} LIMIT ${limit}`;
  return many(item, `FROM (${first}) p CROSS JOIN owui_messages m ON m.rowid = p.message`, order);
}

module.exports = { found, page };
