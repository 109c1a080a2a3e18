// @ts-check

/**
 * The change feed, `owui_changes`: pages of changes of any collection, and the rows that the adapter copies into Open
 * WebUI's SQL database, because the host's own SQL joins them (the mirrored tables).
 *
 * A cursor names a change of the feed, `number/op/time/record`, and with it all before it: the feed only grows. When
 * a backup has been restored the numbers are given again, but never with the same time and record. Before the first
 * change the cursor is `0`.
 *
 * A page: `epoch` and `run` name the feed and PocketBase's process; `follows`: whether the feed still has the very
 * change behind which it was asked, else the page is empty; `last` and `cursor`: the change up to which the page is
 * complete; `more`: whether the feed goes on behind it.
 *
 * A change: number, collection, record, operation, time, `concerned` and `origin`. `concerned` is a JSON array of what
 * the table's `concerns` are in the record, twice if an update changed that, first as they are now; `origin` names the
 * process whose write it was, and is empty for what others did.
 */

const { queryPrepared } = require("./lib/prepared.js");
const { insert } = require("./lib/records.js");
const { tables, arg, given, row, isRow, truth, many, query } = require("./lib/rows.js");
const { settleTags } = require("./lib/stale.js");
const { noteReader } = require("./changes/prune.js");
const { arm } = require("./changes/announce.js");
const { run } = require("./version.js");

/** @type {import("./lib/rows.js").Table[]} */
const MIRRORED = Object.values(tables).filter((table) => table.mirrored);
const IS_MIRRORED = `collection IN (${MIRRORED.map(({ collection }) => `'${collection}'`).join(", ")})`;
const CURSOR = "seq || '/' || op || '/' || at || '/' || record_id";

/** SQL of "the feed has the very change that `asked` names". */
const FOLLOWS = `coalesce(
  (SELECT ${CURSOR} = asked.cursor FROM owui_changes f WHERE f.seq = asked.seq),
  asked.cursor = '0' AND (SELECT coalesce(min(seq), 1) FROM owui_changes) = 1)`;
const NEWEST = "(SELECT coalesce(max(seq), 0) FROM owui_changes)";

/** Changes of mirrored tables in the reply of a write; who is further behind asks for the rest. */
const WITH_A_WRITE = 1000;

/** Most seconds that a request waits for a change. */
const LONGEST_WAIT = 60;

/** Milliseconds between two looks at the feed while a request waits for a change: each is one look-up by key. */
const STEP = 250;

/** The row of a changed record as it is now, NULL if there is none. */
const ROW = MIRRORED.map(
  (table) =>
    `WHEN '${table.collection}' THEN (SELECT ${row(table, "t")} FROM ${table.collection} t
      WHERE t.id = c.record_id AND ${isRow(table, "t")})`,
).join(" ");

/**
 * SQL of a page of the feed.
 *
 * @param {string} cursor SQL of the cursor behind which the page begins
 * @param {string} limit SQL of the number of changes
 * @param {string} which condition on the changes
 * @param {string} content SQL of one more member of the page, and where it comes from, given `found`: the changes
 */
function page(cursor, limit, which, content) {
  const behind = `FROM owui_changes
    WHERE seq > (SELECT seq FROM asked) AND (SELECT follows FROM feed) AND ${which}`;
  return `WITH asked AS MATERIALIZED (SELECT ${cursor} AS cursor, CAST(${cursor} AS INTEGER) AS seq),
    feed AS MATERIALIZED (SELECT ${FOLLOWS} AS follows FROM asked),
    page AS MATERIALIZED (SELECT
      coalesce((SELECT seq ${behind} ORDER BY seq LIMIT 1 OFFSET ${limit} - 1), ${NEWEST}) AS last),
    found AS (SELECT seq, collection, record_id, op, at, concerned, origin ${behind} AND seq <= (SELECT last FROM page) ORDER BY seq)
    SELECT json_object(
      'epoch', (SELECT value FROM owui_meta WHERE key = 'epoch'),
      'run', '${run()}',
      'follows', json(iif((SELECT follows FROM feed), 'true', 'false')),
      'last', (SELECT last FROM page),
      'more', json(iif((SELECT last FROM page) < ${NEWEST}, 'true', 'false')),
      'cursor', coalesce((SELECT ${CURSOR} FROM owui_changes WHERE seq = (SELECT last FROM page)), '0'),
      ${content}`;
}

/**
 * SQL of a page with collection, id and present row of each record of a mirrored table that changed.
 *
 * @param {string} cursor SQL
 * @param {string} limit SQL
 */
function mirrored(cursor, limit) {
  return page(
    cursor,
    limit,
    IS_MIRRORED,
    `'rows', json_group_array(json_array(c.collection, c.record_id, json(CASE c.collection ${ROW} END)))
    ) AS json FROM (SELECT DISTINCT collection, record_id FROM found) c`,
  );
}

/** Made with the first write that asks: it names the process, which is known only then. */
let sinceCursor = "";

/** @type {Record<string, import("./methods.js").Read>} */
const reads = {
  /** A page of changes, of some `collections` or all. */
  get_changes: () =>
    page(
      arg("since"),
      arg("limit"),
      `(${arg("collections")} IS NULL OR collection IN ${given("collections")})`,
      `'changes', json_group_array(
        json_array(seq, collection, record_id, op, at, json(iif(json_valid(concerned), concerned, '[]')), origin))) AS json FROM found`,
    ),
  get_mirrored: () => mirrored(arg("since"), arg("limit")),

  /**
   * Those of the `keys` of a host's table of which there is no record; a key is an array of what makes the record id.
   *
   * @param {{ table: string }} args
   */
  get_missing: ({ table }) => {
    const { collection, columns, hashed_id: names } = tables[table];
    const fields = columns.filter(({ name }) => (names || ["id"]).includes(name));
    const same = fields.map(
      ({ name, field }) => `r.${field} = k.value ->> '$[${(names || ["id"]).indexOf(name)}]'`,
    );
    const known = `SELECT 1 FROM ${collection} r WHERE ${same.join(" AND ")}`;
    return many("json(k.value)", `FROM json_each({:body}, '$.keys') k WHERE NOT EXISTS (${known})`, "k.key");
  },
};
for (const table of MIRRORED) {
  // A page of the table in the order of the ids.
  const some = `FROM (SELECT * FROM ${table.collection} r WHERE r.id > ${arg("after")} AND ${isRow(table, "r")}
    ORDER BY r.id LIMIT ${arg("limit")}) t`;
  reads[`get_${table.collection}`] = many(row(table, "t"), some, "t.id");
  reads[`get_ids_of_${table.collection}`] = many("t.id", some.replace("*", "r.id"), "t.id");
  reads[`get_rows_of_${table.collection}`] = many(
    row(table, "t"),
    `FROM ${table.collection} t WHERE t.id IN ${given("ids")} AND ${isRow(table, "t")}`,
    "t.id",
  );
}

const writes = {
  /**
   * Take rows which only the SQL database had.
   *
   * @param {CoreApp} tx
   * @param {{ rows: [string, Record<string, any>][] }} args `rows`: name of the host's table and row of each
   */
  adopt_rows(tx, { rows }) {
    for (const [name, values] of rows) {
      insert(tx, tables[name], values);
    }
    return "true";
  },
};

const waits = {
  /**
   * Wait until the feed has another newest change than `since`, or `wait` seconds are over, or nobody listens.
   *
   * SQL of any program can change the feed and nothing tells of it, so this looks again and again. A handler that
   * waits keeps its JavaScript runtime; PocketBase makes more when all are busy.
   *
   * @param {CoreApp} app
   * @param {{ since: string, wait?: number, reader?: string, client?: string }} args `reader`: the origin
   *   of whoever has read up to `since`; `client`: the realtime client that is to be told of the first change of
   *   others behind this page
   * @param {() => boolean} isGone
   */
  get_changes(app, { since, wait, reader, client }, isGone) {
    if (reader) {
      noteReader(app, reader, parseInt(since, 10));
    }
    const until = Date.now() + 1000 * Math.min(wait || 0, LONGEST_WAIT);
    const isNewest = truth(
      `{:body} = coalesce((SELECT ${CURSOR} FROM owui_changes ORDER BY seq DESC LIMIT 1), '0')`,
    );
    settleTags(app);
    while (Date.now() < until && !isGone() && query(app, isNewest, since) === "true") {
      sleep(STEP);
      settleTags(app);
    }
    if (client) {
      arm(app, client, reader || ""); // before the page is read: what comes behind it is announced
    }
  },
};

/**
 * Rows of mirrored tables that changed behind a cursor, as `get_mirrored` gives them.
 *
 * @param {CoreApp} app
 * @param {string} cursor
 * @returns {string}
 */
function mirroredSince(app, cursor) {
  sinceCursor ||= mirrored("{:body}", String(WITH_A_WRITE));
  return queryPrepared(app, sinceCursor, cursor);
}

module.exports = { reads, writes, waits, CURSOR, FOLLOWS, IS_MIRRORED, NEWEST, mirroredSince };
