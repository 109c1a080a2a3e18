// @ts-check

/**
 * Keeping the change feed short: by age, by number, and one change instead of many of the same record. In steps, so that
 * writers never wait for long.
 */

const DAY = 24 * 3600 * 1000;

/** Milliseconds for which changes are kept. */
const KEPT_FOR = 7 * DAY;

/** Number of changes that are kept at most, whoever has not read them yet. */
const MOST = 1_000_000;

/** Milliseconds after which of several updates of a record only the last one is kept; by then every cursor is newer. */
const COALESCED_AFTER = DAY;

/** Changes that are looked at in one step. */
const STEP = 5000;

/** Milliseconds after which a reader that does not ask any more has gone: each asks every minute at least. */
const GONE_AFTER = 120 * 1000;

/** In `$app.store()`: JSON of who reads the feed, `{reader: [number of the change it has read, time]}`. */
const READERS = "owui_readers";

/**
 * Note how far somebody has read.
 *
 * @param {CoreApp} app
 * @param {string} reader
 * @param {number} seq
 */
function noteReader(app, reader, seq) {
  const now = Date.now();
  app.store().setFunc(READERS, (/** @type {string} */ found) => {
    const readers = live(found, now);
    readers[reader] = [seq, now];
    return JSON.stringify(readers);
  });
}

/**
 * @param {string} text
 * @param {number} now
 * @returns {Record<string, [number, number]>} those who have asked lately
 */
function live(text, now) {
  /** @type {[string, [number, number]][]} */
  const readers = Object.entries(JSON.parse(text || "{}"));
  return Object.fromEntries(readers.filter(([, [, at]]) => at > now - GONE_AFTER));
}

/** @param {CoreApp} app */
function prune(app) {
  const now = Date.now();
  const newest = one(app, "SELECT coalesce(max(seq), 0) AS n FROM owui_changes", {});
  const readers = Object.values(live(app.store().get(READERS), now));
  const read = Math.min(newest, ...readers.map(([seq]) => seq));
  // What somebody has yet to read stays, up to the number. So does the newest change: the next number is made from it.
  deleteInSteps(app, "seq < {:read} AND at < {:limit}", { read, limit: now - KEPT_FOR });
  deleteInSteps(app, "seq <= {:limit}", { limit: newest - MOST });
  coalesce(app, read, now);
}

/**
 * Keep only the last of several updates of one record, a step of the feed at a time.
 *
 * @param {CoreApp} app
 * @param {number} read number of the change that everybody has read
 * @param {number} now
 */
function coalesce(app, read, now) {
  const limits = { read, limit: now - COALESCED_AFTER, step: STEP };
  const next = `SELECT coalesce(max(seq), 0) AS n FROM (SELECT seq FROM owui_changes
    WHERE seq > {:after} AND seq < {:read} AND at < {:limit} ORDER BY seq LIMIT {:step})`;
  for (;;) {
    const after = one(
      app,
      "SELECT coalesce(max(CAST(value AS INTEGER)), 0) AS n FROM owui_meta WHERE key = 'coalesced'",
      {},
    );
    const last = one(app, next, { ...limits, after });
    if (!last) {
      return;
    }
    app.runInTransaction((tx) => {
      run(
        tx,
        `DELETE FROM owui_changes WHERE seq IN (SELECT seq FROM (SELECT seq, op,
            row_number() OVER (PARTITION BY collection, record_id, concerned, origin ORDER BY seq DESC) AS place
          FROM owui_changes WHERE seq > {:after} AND seq <= {:last}) WHERE op = 'update' AND place > 1)`,
        { after, last },
      );
      run(tx, "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('coalesced', {:last})", {
        last: String(last),
      });
    });
  }
}

/**
 * @param {CoreApp} app
 * @param {string} condition
 * @param {Record<string, number>} limits
 */
function deleteInSteps(app, condition, limits) {
  const sql = `DELETE FROM owui_changes WHERE seq IN (SELECT seq FROM owui_changes ORDER BY seq LIMIT ${STEP})
    AND ${condition}`;
  while (run(app, sql, limits) === STEP);
}

/**
 * @param {CoreApp} app
 * @param {string} sql
 * @param {Record<string, string | number>} parameters
 * @returns {number} of rows
 */
function run(app, sql, parameters) {
  return app.nonconcurrentDB().newQuery(sql).bind(parameters).execute().rowsAffected();
}

/**
 * @param {CoreApp} app
 * @param {string} sql of one number, `n`
 * @param {Record<string, number>} parameters
 * @returns {number}
 */
function one(app, sql, parameters) {
  const found = new DynamicModel({ n: 0 });
  app.db().newQuery(sql).bind(parameters).one(found);
  return /** @type {any} */ (found).n;
}

module.exports = { noteReader, prune };
