// @ts-check

/**
 * The first messages of channels that contain something.
 *
 * The full-text index tells where parts of words can be. If a part has few such places, these are looked at. Otherwise
 * each of the channels is gone through in the wanted order until it has given as many messages as are needed: an index
 * of its messages has that order. So the work does not grow with the messages of other channels.
 */

const { tables, given, many } = require("../lib/rows.js");
const { docsWith } = require("../lib/words.js");

const MESSAGE = tables.message;

/**
 * A part of a word with more places than this is frequent. An index tells which of the places are in the channels, so
 * that many of them cost less than going through a channel in which the word is rare though others are full of it.
 */
const FEW = 5000;

/** Channels that are given twice are searched once. */
const CHANNELS = `(SELECT DISTINCT value AS id FROM ${given("channel_ids")})`;

/** How many of the given parts have few places. */
const HOW_MANY_FEW = "(SELECT count(*) FROM few)";

/** The channels, or none, so that none is gone through while a part of a word has few places. */
const CHANNELS_IF_FREQUENT = `(SELECT id FROM ${CHANNELS} WHERE ${HOW_MANY_FEW} = 0)`;

/**
 * What is wanted of messages: SQL about a message `m`. `isMatch`, a condition; the latest by `time` come first, and of
 * those the first by `tie`: there is an index of a channel's messages in this order, and that of places has both; at most
 * `limit` are needed, all if it is negative.
 *
 * @typedef {{ isMatch: string, time: string, tie: string, limit: string }} Wanted
 */

/**
 * SQL of the messages in which all parts with few places can be, and of those which the index does not have.
 *
 * @param {Wanted} wanted
 */
function places({ time, tie }) {
  // With + the index is asked once for each place, and not for each channel.
  const selected = `SELECT m.rowid AS message, ${time} AS time, ${tie} AS tie`;
  return `${selected}
      FROM (SELECT doc FROM raw GROUP BY doc HAVING count(DISTINCT n) = ${HOW_MANY_FEW}) r
      CROSS JOIN owui_messages m INDEXED BY idx_owui_messages_places ON m.doc = r.doc AND m.doc > 0
      WHERE +m.channel_id IN ${given("channel_ids")}
    UNION ALL ${selected}
      FROM ${CHANNELS} channel CROSS JOIN owui_messages m INDEXED BY idx_owui_messages_not_indexed
      ON m.channel_id = channel.id AND m.doc < 0 WHERE ${HOW_MANY_FEW} > 0`;
}

/** @param {Wanted} wanted */
function orderOf({ time, tie }) {
  return `${time} DESC, ${tie}`;
}

/**
 * SQL of tables, for WITH, the last of which is `found`: the numbers of the wanted records, and perhaps of some behind.
 *
 * @param {import("../lib/words.js").Part[]} pieces parts of words that all of them contain, as in the request's `pieces`
 * @param {Wanted} wanted
 */
function found(pieces, wanted) {
  const { isMatch, limit } = wanted;
  const docs = pieces.map((piece, n) => docsWith(MESSAGE, piece, `pieces[${n}]`));
  const few = docs.map((doc, n) => `SELECT ${n} WHERE NOT EXISTS (${doc} LIMIT 1 OFFSET ${FEW})`);
  // A join, as a condition would be asked for each word.
  const raw = docs.map((doc, n) => `SELECT few.n, w.doc FROM few CROSS JOIN (${doc}) w WHERE few.n = ${n}`);
  // LIMIT -1 keeps the order, so that only as many texts are looked at as are needed.
  return `few (n) AS MATERIALIZED (${few.join(" UNION ALL ") || "SELECT 0 WHERE FALSE"}),
    raw (n, doc) AS (${raw.join(" UNION ALL ") || "SELECT 0, 0 WHERE FALSE"}),
    places AS MATERIALIZED (SELECT message FROM (${places(wanted)}) ORDER BY time DESC, tie LIMIT -1),
    found (message) AS MATERIALIZED (
      SELECT * FROM (SELECT m.rowid FROM places p CROSS JOIN owui_messages m ON m.rowid = p.message
        WHERE ${isMatch} LIMIT ${limit})
      UNION ALL SELECT f.rowid FROM ${CHANNELS_IF_FREQUENT} channel CROSS JOIN owui_messages f ON f.rowid IN (
        SELECT m.rowid FROM owui_messages m WHERE m.channel_id = channel.id AND ${isMatch}
          ORDER BY ${orderOf(wanted)} LIMIT ${limit}))`;
}

/**
 * SQL that returns the first of the messages that were found.
 *
 * @param {string} item SQL of what becomes of a message `m`
 * @param {Wanted} wanted as for `found`
 */
function page(item, wanted) {
  const order = orderOf(wanted);
  const first = `SELECT f.message FROM found f CROSS JOIN owui_messages m ON m.rowid = f.message
    ORDER BY ${order} LIMIT ${wanted.limit}`;
  return many(item, `FROM (${first}) p CROSS JOIN owui_messages m ON m.rowid = p.message`, order);
}

module.exports = { found, page };
