// @ts-check

/** The host's table `config`: a value for each key. Values are JSON texts, as the host's own encoder writes them. */

const { insert, update, removeSelected, removeWhere } = require("../lib/records.js");
const { tables, arg, many } = require("../lib/rows.js");
const { VERSION } = require("./version.js");

const CONFIG = tables.config;

/** @typedef {[key: string, text: string, updated_at?: number]} Entry */

/** SQL of a value. Raw SQL can leave what JSON cannot hold: then only who reads this key is told, as with stock. */
const VALUE = `iif(typeof(c.value) = 'blob' OR c.value IN (9e999, -9e999), CAST(c.value AS TEXT), c.value)`;

const reads = {
  // For who takes the configuration back to SQL.
  get_rows: many(`json_array(c.key, ${VALUE}, c.updated_at, c.nulls)`, "FROM owui_config c", "c.rowid"),
  // All keys with their values, oldest first; null if the caller has these.
  get_entries: `SELECT iif(${VERSION} = ${arg("version")}, 'null',
    json_object('version', ${VERSION}, 'entries',
      (SELECT json_group_array(json_array(c.key, ${VALUE}))
        FROM (SELECT key, value FROM owui_config ORDER BY rowid) c))) AS json`,
};

/**
 * Refuse a change that was made from other values than the present ones.
 *
 * @param {CoreApp} tx
 * @param {string | null} version
 */
function expect(tx, version) {
  const found = new DynamicModel({ version: "" });
  tx.db().newQuery(`SELECT ${VERSION} AS version`).one(found);
  if (version !== null && /** @type {any} */ (found).version !== version) {
    throw { status: 409, code: "config_changed", message: "owui_config has changed meanwhile" };
  }
}

/**
 * The records with some keys.
 *
 * @param {CoreApp} tx
 * @param {string[]} keys
 * @returns {Map<string, core.Record>}
 */
function recordsOf(tx, keys) {
  const found = keys.length ? tx.findAllRecords(CONFIG.collection, $dbx.hashExp({ key: keys })) : [];
  return new Map(
    found.map((record) => [record?.getString("key") || "", /** @type {core.Record} */ (record)]),
  );
}

const writes = {
  /**
   * Set, add and remove keys; what is added is only if it is not there. Reply with the numbers of those which were added
   * and removed.
   *
   * @param {CoreApp} tx
   * @param {{ version: string | null, set: Entry[], added: Entry[], removed: string[], now: number }} args
   *   `version`: the one that the caller has read; null for any
   */
  change(tx, { version, set, added, removed, now }) {
    expect(tx, version);
    const there = recordsOf(
      tx,
      [...set, ...added].map(([key]) => key),
    );
    for (const [key, value] of set) {
      const record = there.get(key);
      if (record) {
        update(tx, CONFIG, record, { value, updated_at: now });
      } else {
        insert(tx, CONFIG, { key, value, updated_at: now });
      }
    }
    const missing = added.filter(([key]) => !there.has(key));
    for (const [key, value, updated_at = now] of missing) {
      insert(tx, CONFIG, { key, value, updated_at });
    }
    const gone = removed.length ? removeWhere(tx, CONFIG, { key: removed }) : 0;
    return JSON.stringify([missing.length, gone]);
  },

  /**
   * Change keys, and end all sessions; reply with the ids of all users.
   *
   * @param {CoreApp} tx
   * @param {{ version: string | null, set: Entry[], added: Entry[], removed: string[], now: number }} args
   */
  change_and_revoke(tx, args) {
    writes.change(tx, args);
    return require("../users/auths.js").writes.revoke_all_sessions(tx);
  },

  /** @param {CoreApp} tx */
  clear(tx) {
    removeSelected(tx, CONFIG, "FROM owui_config c", "{}", "c");
    return "null";
  },
};

module.exports = { reads, writes };
