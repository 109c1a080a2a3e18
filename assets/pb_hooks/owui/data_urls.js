// @ts-check

/**
 * Data URLs that chats have within themselves: each is stored once, and texts have a mark in its place,
 * `owui-data-url:` and its name. Callers put them in and take them out: client/data_urls.py.
 *
 * `owui_data_urls` has those that are complete; `owui_data_url_parts` their texts; `owui_data_url_uses` which chat or
 * snapshot has which. Triggers note in `owui_data_url_unsure` whose texts have changed, and `prune` looks at these.
 */

const { arg, given, query } = require("./lib/rows.js");
const { MILLISECONDS, execute } = require("./lib/bulk.js");

/** Milliseconds for which a data URL is kept that nobody has: a write that names it may be on its way. */
const KEPT_FOR = 3600 * 1000;

/** Data URLs, of which each may have megabytes, that are deleted in one transaction. */
const AT_ONCE = 4;

/** Bytes after which an answer ends, unless the caller says when. */
const BYTES = 8 << 20;

const MARKS = /owui-data-url:([0-9a-f]{40})/g;

/** Fields of a message that can have marks. */
const FIELDS = ["entry", "files", "output", "sources", "embeds", "meta", "status_history", "error", "usage"];

/** SQL of the JSON texts of a chat, or a snapshot, that have marks. */
const TEXTS = `SELECT text FROM (
    SELECT '[' || concat_ws(',', ${FIELDS.map((field) => `nullif(m.${field}, '')`).join(", ")}) || ']' AS text
      FROM owui_chat_messages m WHERE m.chat_id = {:body}
    UNION ALL SELECT c.chat FROM owui_chats c WHERE c.id = {:body}
    UNION ALL SELECT s.chat FROM owui_shared_chats s WHERE s.id = {:body})
  WHERE instr(text, 'owui-data-url:')`;

/** Their strings that have marks, as JavaScript is too slow for whole chats; all of what is no JSON, as scripts leave it. */
const STRINGS = `SELECT coalesce(group_concat(s.atom, ' '), '') AS json FROM (${TEXTS}) t
  CROSS JOIN json_tree(iif(json_valid(t.text), t.text, json_array(t.text))) s
  WHERE instr(s.atom, 'owui-data-url:')`;

/**
 * SQL that keeps some for a while, whoever has them.
 *
 * @param {string} names SQL
 */
function keep(names) {
  return `UPDATE owui_data_urls SET seen = ${MILLISECONDS} WHERE name IN ${names}`;
}

/** Those that a write has marks for. */
const HOLD = keep(
  "(SELECT substr(value, length('owui-data-url:') + 1) FROM json_each({:body}, '$.data_urls'))",
);

/** Whose texts have changed, one behind another. */
const UNSURE = `SELECT coalesce((SELECT json_array(owner, version) FROM owui_data_url_unsure WHERE owner > {:body}
  ORDER BY owner LIMIT 1), '[]') AS json`;

/**
 * Those that nobody has had for a while. Who has copied one meanwhile, in PocketBase, from somebody who has it no more, is
 * looked at by then: nobody is unsure for as long.
 */
const UNUSED = `SELECT name FROM owui_data_urls u WHERE seen < ${MILLISECONDS} - ${KEPT_FOR}
  AND NOT EXISTS (SELECT 1 FROM owui_data_url_uses x WHERE x.name = u.name)
  AND NOT EXISTS (SELECT 1 FROM owui_data_url_unsure WHERE since < ${MILLISECONDS} - ${KEPT_FOR}) LIMIT ${AT_ONCE}`;

/** Parts of what was never complete. */
const UNFINISHED = `SELECT name FROM owui_data_url_parts p WHERE p.part = 0 AND p.at < ${MILLISECONDS} - ${KEPT_FOR}
  AND NOT EXISTS (SELECT 1 FROM owui_data_urls u WHERE u.name = p.name) LIMIT ${AT_ONCE}`;

/** Those of some names that are there: anybody can write what looks like a mark. */
const STORED = `SELECT json_group_array(DISTINCT value) AS json FROM ${given("names")}
  WHERE value IN (SELECT name FROM owui_data_urls)`;

const ADD = `INSERT INTO owui_data_url_parts (name, part, parts, at, text)
  VALUES ({:name}, {:part}, {:parts}, ${MILLISECONDS}, {:text})
  ON CONFLICT (name, part) DO UPDATE SET at = excluded.at
    WHERE at < excluded.at - ${KEPT_FOR / 2} OR name NOT IN (SELECT name FROM owui_data_urls)`;

/** Between what parts are and their texts. */
const BEHIND_HEADS = ',\n"text":"';

const reads = {
  get_key: "SELECT json_quote(value) AS json FROM owui_meta WHERE key = 'data_urls'",

  /** Texts in order, as [name, part, number of parts, text]: those behind a part if one is named, until they have so many bytes. */
  get_parts: `SELECT '[' || coalesce(group_concat('["' || p.name || '",' || p.part || ',' || p.parts || ',"' || p.text || '"]', ','), '') || ']' AS json
    FROM (SELECT id FROM (
      SELECT q.rowid AS id, sum(octet_length(q.text)) OVER (ORDER BY q.name, q.part) - octet_length(q.text) AS before
      FROM owui_data_url_parts q JOIN owui_data_urls u ON u.name = q.name
      WHERE q.name IN ${given("names")} AND (q.name, q.part) > (coalesce({:body} ->> '$.after', ''), coalesce({:body} ->> '$.after_part', -1))
      ORDER BY q.name, q.part) WHERE before < coalesce({:body} ->> '$.bytes', ${BYTES})) n
    CROSS JOIN owui_data_url_parts p ON p.rowid = n.id`,
};

const writes = {
  /**
   * Those of the named ones that are not there; the others stay for a while.
   *
   * @param {CoreApp} tx
   * @param {{ names: string[] }} args
   * @param {string} body
   */
  find_missing(tx, args, body) {
    execute(tx, keep(given("names")), body);
    return query(
      tx,
      `SELECT json_group_array(value) AS json FROM ${given("names")}
        WHERE value NOT IN (SELECT name FROM owui_data_urls)`,
      body,
    );
  },

  /**
   * Store parts; with its last part a data URL is complete. One that is there from an attempt of long ago is not deleted
   * while the others come, and if all are there one that comes again completes what somebody has broken.
   *
   * Their texts are behind the first line, one after another: they are long, and nobody has to parse them.
   *
   * @param {CoreApp} tx
   * @param {undefined} _args
   * @param {string} body
   */
  add_parts(tx, _args, body) {
    const end = body.indexOf(BEHIND_HEADS);
    let at = end + BEHIND_HEADS.length;
    const heads = end < 0 ? [] : JSON.parse(body.slice(0, end).concat("}")).parts;
    for (const { name, part, parts, length } of heads) {
      const text = body.substr(at, length);
      tx.db().newQuery(ADD).bind({ name, part, parts, text }).execute();
      at += length;
    }
    if (body.slice(at) !== '"}') {
      throw { status: 400, code: "invalid", message: "The texts are not as long as they should be." };
    }
    return "true";
  },
};

/** Their bodies are long. */
const unparsed = ["add_parts"];

/**
 * Refuse a write that names what is not there, as after a restore: its caller stores that first.
 *
 * @param {CoreApp} tx
 * @param {number} number of those that it names
 * @param {string} body
 */
function hold(tx, number, body) {
  if (number && execute(tx, HOLD, body) !== number) {
    throw {
      status: 409,
      code: "data_urls",
      message: "Some of the data URLs that this names are not stored.",
    };
  }
}

/**
 * Note who has which data URLs now, and delete those that nobody has; in steps, so that writers never wait for long.
 *
 * @param {CoreApp} app
 */
function prune(app) {
  /** @type {string | null} */
  let owner = "";
  while (owner !== null) {
    owner = look(app, owner);
  }
  let isMore = true;
  while (isMore) {
    app.runInTransaction((tx) => {
      isMore = remove(tx);
    });
  }
}

/**
 * Look at what the next chat or snapshot has; returns whose it was, null if there is none. If that changes meanwhile, the
 * next run looks again.
 *
 * @param {CoreApp} app
 * @param {string} after the last one
 * @returns {string | null}
 */
function look(app, after) {
  const [owner, version] = JSON.parse(query(app, UNSURE, after));
  if (owner === undefined) {
    return null;
  }
  // Not in the transaction: a chat can have a hundred megabytes, and others want to write.
  const marks = [...query(app, STRINGS, owner).matchAll(MARKS)].map(([, name]) => name);
  const has = query(app, STORED, JSON.stringify({ names: marks }));
  const body = `{"owner":${JSON.stringify(owner)},"version":${version},"names":${has}}`;
  app.runInTransaction((tx) => {
    const isLooked = execute(
      tx,
      `DELETE FROM owui_data_url_unsure WHERE owner = ${arg("owner")} AND version = ${arg("version")}`,
      body,
    );
    if (isLooked) {
      for (const sql of [
        keep(
          `(SELECT name FROM owui_data_url_uses WHERE owner = ${arg("owner")} AND name NOT IN ${given("names")})`,
        ),
        `DELETE FROM owui_data_url_uses WHERE owner = ${arg("owner")} AND name NOT IN ${given("names")}`,
        `INSERT OR IGNORE INTO owui_data_url_uses (owner, name) SELECT ${arg("owner")}, value FROM ${given("names")}`,
      ]) {
        execute(tx, sql, body);
      }
    }
  });
  return owner;
}

/**
 * Delete some that nobody has; returns whether there is more to do.
 *
 * @param {CoreApp} tx
 */
function remove(tx) {
  const gone = [...new Set([...names(tx, UNUSED), ...names(tx, UNFINISHED)])];
  const body = JSON.stringify({ names: gone });
  for (const table of ["owui_data_urls", "owui_data_url_parts"]) {
    execute(tx, `DELETE FROM ${table} WHERE name IN ${given("names")}`, body);
  }
  return gone.length > 0;
}

/**
 * @param {CoreApp} tx
 * @param {string} sql of one column, `name`
 * @returns {string[]}
 */
function names(tx, sql) {
  return JSON.parse(query(tx, `SELECT json_group_array(name) AS json FROM (${sql}) WHERE {:body} = ''`, ""));
}

module.exports = { reads, writes, unparsed, hold, prune };
