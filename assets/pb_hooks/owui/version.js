// @ts-check

/**
 * GET /api/owui/version: what this server has, so that the adapter can tell whether it fits.
 *
 * What the code is, is noted when the process starts: a file that is replaced later is not what runs.
 */

const NOTED = "owui_version";
const RUN = "owui_run";
const POCKETBASE = "owui_pocketbase";

/** Note PocketBase's version. To be called at the top level of a hook file: elsewhere `$app` has no rootCmd. */
function notePocketBase() {
  $app.store().set(POCKETBASE, $app.rootCmd?.version || "");
}

/** Note what runs; once in the life of the process. */
function note() {
  $app.store().set(RUN, $security.randomString(32));
  const what = {
    run: run(),
    pocketbase: $app.store().get(POCKETBASE),
    hooks: hooks(),
  };
  // A text: the store is of the whole process, an object is of this runtime only.
  $app.store().set(NOTED, JSON.stringify(what));
}

/** Names this process of PocketBase, of which a restored backup ends the life. */
function run() {
  return $app.store().get(RUN);
}

/** @param {core.RequestEvent} e */
function answer(e) {
  return e.json(200, {
    schema: Number(meta("schema")),
    epoch: meta("epoch"),
    fingerprint: fingerprint(),
    ...JSON.parse($app.store().get(NOTED)),
  });
}

/** What the schema is: the digests recorded with it, and the objects that SQL made, as `schema/objects.py` has them. */
const SCHEMA = `SELECT coalesce(group_concat(line, char(10) ORDER BY line), '') AS value FROM (
    SELECT key || ' ' || value AS line FROM owui_meta WHERE key GLOB 'digest/*'
    UNION ALL SELECT name || ' ' || sql FROM sqlite_master
    WHERE sql GLOB 'CREATE TRIGGER owui_*' AND tbl_name GLOB 'owui_*'
      OR sql GLOB 'CREATE VIRTUAL TABLE owui_*'
      OR sql GLOB 'CREATE INDEX idx_owui_*' AND tbl_name GLOB 'owui_*'
        AND tbl_name NOT IN (SELECT name FROM _collections))`;

/** One digest of all that: an object that somebody has altered since is noticed, whatever version is recorded. */
function fingerprint() {
  if (!isInstalled()) {
    return "";
  }
  const found = new DynamicModel({ value: "" });
  $app.db().newQuery(SCHEMA).one(found);
  return $security.sha256(/** @type {any} */ (found).value);
}

function isInstalled() {
  const installed = new DynamicModel({ n: 0 });
  $app.db().newQuery("SELECT count(*) AS n FROM sqlite_master WHERE name = 'owui_meta'").one(installed);
  return /** @type {any} */ (installed).n > 0;
}

/** @param {string} key */
function meta(key) {
  if (!isInstalled()) {
    return "";
  }
  const found = new DynamicModel({ value: "" });
  $app
    .db()
    .newQuery("SELECT coalesce(max(value), '') AS value FROM owui_meta WHERE key = {:key}")
    .bind({ key })
    .one(found);
  return /** @type {any} */ (found).value;
}

/**
 * SHA-256 of each hook file beside owui.pb.js and in our folder, by its path below `pb_hooks`.
 *
 * @param {string} folder below `pb_hooks`, empty or with a slash at its end
 * @returns {Record<string, string>}
 */
function hooks(folder = "") {
  /** @type {Record<string, string>} */
  const digests = {};
  for (const entry of $os.readDir(`${__hooks}/${folder}`)) {
    const path = folder + entry.name();
    const isOurs = folder || path === "owui";
    if (isOurs && $os.stat(`${__hooks}/${path}`).isDir()) {
      Object.assign(digests, hooks(`${path}/`)); // also if it is a link
    } else if (/\.js(on)?$/.test(path) && !entry.isDir()) {
      try {
        digests[path] = $security.sha256(toString($os.readFile(`${__hooks}/${path}`)));
      } catch {
        continue; // a link of somebody's to nothing, or to a directory
      }
    }
  }
  return digests;
}

module.exports = { answer, note, notePocketBase, run };
