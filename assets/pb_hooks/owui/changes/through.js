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
const { CURSOR, FOLLOWS, NEWEST, IS_MIRRORED } = require("../changes.js");

/**
 * The collections that the request has rows of, and what has changed since. The body is bound and parsed once: notes are
 * long.
 */
const LOOK = `WITH given AS MATERIALIZED (SELECT jsonb({:body}) AS body),
  asked AS MATERIALIZED (SELECT body ->> '$.cursor' AS cursor, CAST(body ->> '$.cursor' AS INTEGER) AS seq FROM given),
  since AS MATERIALIZED (SELECT seq, collection, record_id FROM owui_changes WHERE seq > (SELECT seq FROM asked)),
  seen AS MATERIALIZED (SELECT s.key AS collection, r.key AS record_id, r.value AS seq
    FROM given, json_each(given.body, '$.seen') s, json_each(s.value) r),
  sent AS MATERIALIZED (SELECT p.key AS collection, r.value ->> '$.id' AS record_id
      FROM given, json_each(given.body, '$.put') p, json_each(p.value) r
    UNION ALL SELECT g.key, r.value FROM given, json_each(given.body, '$.gone') g, json_each(g.value) r)
  SELECT json_object(
    'put', (SELECT json_group_array(DISTINCT p.key) FROM given, json_each(given.body, '$.put') p),
    'gone', (SELECT json_group_array(DISTINCT g.key) FROM given, json_each(given.body, '$.gone') g),
    'follows', ${FOLLOWS},
    'stale', EXISTS (SELECT 1 FROM since s JOIN sent USING (collection, record_id) WHERE s.seq > coalesce(
      (SELECT k.seq FROM seen k WHERE k.collection = s.collection AND k.record_id = s.record_id), 0)),
    'is_next', NOT EXISTS (SELECT 1 FROM since WHERE ${IS_MIRRORED})) AS json FROM asked`;

const REPLY = `SELECT json_object('last', ${NEWEST}, 'cursor',
    coalesce((SELECT ${CURSOR} FROM owui_changes ORDER BY seq DESC LIMIT 1), '0'), 'is_next', json({:body})) AS json`;

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
    const found = JSON.parse(query(tx, LOOK, body));
    if (!found.follows) {
      throw { status: 409, code: "another_feed", message: "This is not the data that the SQL database has." };
    }
    if (found.stale) {
      throw { status: 409, code: "stale", message: "Somebody else has changed a row in the meantime." };
    }
    // What is new may have a unique value of what is gone.
    for (const collection of found.gone) {
      execute(tx, sqlOf(collection).remove, body);
    }
    for (const collection of found.put) {
      execute(tx, sqlOf(collection).put, body);
    }
    return query(tx, REPLY, found.is_next ? "true" : "false");
  },
};

/** @param {string} collection */
function sqlOf(collection) {
  if (!Object.hasOwn(SQL, collection)) {
    throw { status: 400, code: "invalid", message: `${collection} is not written through.` };
  }
  return SQL[collection];
}

module.exports = { reads: {}, writes, unparsed: Object.keys(writes) };
