// @ts-check

/**
 * Rows that Open WebUI's own code has written in its SQL database, before they are committed there; the other side is
 * changes/through.py.
 *
 * The request names the change of the feed up to which the SQL database has what is here (`cursor`), and rows that it has
 * from later ones (`seen`, their numbers by collection and id). A row that has changed since is refused, and so is
 * everything with it: who wrote it has not seen that.
 */

const { execute, fieldsOf, inserts } = require("../lib/bulk.js");
const { tables, given, query } = require("../lib/rows.js");
const { CURSOR, FOLLOWS, IS_MIRRORED } = require("../changes.js");

/**
 * What a request begins with, its member `head`: all but the records, which can be long, and which only SQLite takes apart.
 *
 * `ids` are those of the records that are put, and `gone` those of the deleted ones, by collection.
 *
 * @typedef {{ cursor: string, ids: Record<string, string[]>, gone: Record<string, string[]> }} Head
 */

/** What comes before the head, and behind it; nowhere else, as quotation marks within a text of JSON are escaped. */
const HEAD = '{"head":';
const RECORDS = ',"put":{';

/** What has changed since the request's cursor. */
const LOOK = `WITH asked AS MATERIALIZED
    (SELECT {:body} ->> '$.cursor' AS cursor, CAST({:body} ->> '$.cursor' AS INTEGER) AS seq),
  since AS MATERIALIZED (SELECT seq, collection, record_id FROM owui_changes WHERE seq > (SELECT seq FROM asked)),
  seen AS MATERIALIZED (SELECT s.key AS collection, r.key AS record_id, r.value AS seq
    FROM json_each({:body}, '$.seen') s, json_each(s.value) r),
  sent AS MATERIALIZED (SELECT s.key AS collection, r.value AS record_id
      FROM json_each({:body}, '$.ids') s, json_each(s.value) r
    UNION ALL SELECT s.key, r.value FROM json_each({:body}, '$.gone') s, json_each(s.value) r)
  SELECT json_object(
    'follows', ${FOLLOWS},
    'stale', EXISTS (SELECT 1 FROM since s JOIN sent USING (collection, record_id) WHERE s.seq > coalesce(
      (SELECT k.seq FROM seen k WHERE k.collection = s.collection AND k.record_id = s.record_id), 0)),
    'is_next', NOT EXISTS (SELECT 1 FROM since WHERE ${IS_MIRRORED})) AS json FROM asked`;

/** The cursor of the newest change. */
const NEWEST = `SELECT coalesce((SELECT ${CURSOR} FROM owui_changes ORDER BY seq DESC LIMIT 1), '0') AS json`;

/** @type {Record<string, { put: string, remove: string }>} */
const SQL = {};
for (const table of Object.values(tables).filter(({ through }) => through)) {
  const kept = [...fieldsOf(table).filter((field) => field !== "id"), "updated"];
  SQL[table.collection] = {
    put: `${inserts(table, `$.put.${table.collection}`)} WHERE TRUE
      ON CONFLICT (id) DO UPDATE SET ${kept.map((field) => `${field} = excluded.${field}`).join(", ")}`,
    remove: `DELETE FROM ${table.collection} WHERE id IN ${given(`gone.${table.collection}`)}`,
  };
}

/** @type {Record<string, import("../methods.js").Write>} */
const writes = {
  /**
   * Write and delete rows: `put` has the fields of records and `gone` ids, by collection. The reply names the newest
   * change, and tells whether nothing else of copied tables has changed since `cursor`.
   */
  apply(tx, _args, body) {
    const at = body.indexOf(RECORDS);
    if (!body.startsWith(HEAD) || at < 0) {
      throw { status: 400, code: "invalid", message: "The request has no head, or no records behind it." };
    }
    const text = body.slice(HEAD.length, at);
    /** @type {Head} */
    const { cursor: upTo, ids, gone } = JSON.parse(text);
    if (!ids || !gone) {
      throw { status: 400, code: "invalid", message: "The head of the request lacks ids." };
    }
    // Most often nothing has: then there is nothing to look through.
    const isNext = query(tx, NEWEST, "") === upTo || look(tx, text);
    // What is new may have a unique value of what is gone.
    for (const collection of Object.keys(gone)) {
      execute(tx, sqlOf(collection).remove, text);
    }
    for (const [collection, those] of Object.entries(ids)) {
      if (execute(tx, sqlOf(collection).put, body) !== those.length) {
        throw {
          status: 400,
          code: "invalid",
          message: `The records of ${collection} are not those of its ids.`,
        };
      }
    }
    const cursor = query(tx, NEWEST, "");
    return JSON.stringify({ last: parseInt(cursor, 10), cursor, is_next: isNext });
  },
};

/**
 * Look at what has changed; return whether that is nothing in copied tables.
 *
 * @param {CoreApp} tx
 * @param {string} head
 * @returns {boolean}
 */
function look(tx, head) {
  const found = JSON.parse(query(tx, LOOK, head));
  if (!found.follows) {
    throw { status: 409, code: "another_feed", message: "This is not the data that the SQL database has." };
  }
  if (found.stale) {
    throw { status: 409, code: "stale", message: "Somebody else has changed a row in the meantime." };
  }
  return Boolean(found.is_next);
}

/** @param {string} collection */
function sqlOf(collection) {
  if (!Object.hasOwn(SQL, collection)) {
    throw { status: 400, code: "invalid", message: `${collection} is not written through.` };
  }
  return SQL[collection];
}

module.exports = { reads: {}, writes, unparsed: Object.keys(writes) };
