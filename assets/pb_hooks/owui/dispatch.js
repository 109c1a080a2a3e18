// @ts-check

/** POST /api/owui/{group}/{method}: one repository method, one statement or one transaction; see methods.js. */

const BODY_LIMIT = 1 << 29; // bytes; the route's limit

/** Seconds for which a write's answer is kept for a repeated request. */
const REPEATABLE_FOR = 3600;

/** Seconds for which the change feed is kept. */
const CHANGES_KEPT_FOR = 7 * 24 * 3600;

/** @typedef {import("./methods.js").Read} Read */

const { query } = require("./lib/rows.js");
const { changesSince } = require("./changes.js");
const RUN = require("./version.js").run();

/** @type {Record<string, Read>} */
const reads = {};
/** @type {Record<string, import("./methods.js").Write>} */
const writes = {};
/** @type {Record<string, Read>} */
const answers = {};
/** @type {Set<string>} */
const unparsed = new Set();

for (const [group, methods] of Object.entries(require("./methods.js"))) {
  for (const [name, sql] of Object.entries(methods.reads)) {
    reads[`${group}/${name}`] = sql;
  }
  for (const [name, method] of Object.entries(methods.writes)) {
    writes[`${group}/${name}`] = method;
  }
  for (const [name, sql] of Object.entries(methods.answers || {})) {
    answers[`${group}/${name}`] = sql;
  }
  for (const name of methods.unparsed || []) {
    unparsed.add(`${group}/${name}`);
  }
}

/** @param {core.RequestEvent} e */
function answer(e) {
  const request = e.request;
  // Who reads an answer has to know at once that it is of a PocketBase that was restored.
  e.response.header().set("X-Owui-Run", RUN);
  const path = request.pathValue("method");
  const body = readerToString(request.body, BODY_LIMIT);
  if (Object.hasOwn(reads, path)) {
    return read(e, reads[path], body);
  }
  if (Object.hasOwn(writes, path)) {
    return write(e, path, body);
  }
  return e.json(404, { status: 404, code: "unknown_method", message: `There is no ${path}.` });
}

/**
 * @param {core.RequestEvent} e
 * @param {Read} method
 * @param {string} body
 */
function read(e, method, body) {
  let sql = method;
  if (typeof sql === "function") {
    try {
      sql = sql(JSON.parse(body));
    } catch (error) {
      return refuse(e, error);
    }
  }
  return e.blob(200, "application/json", query($app, sql, body));
}

/**
 * What a write answers with.
 *
 * @param {CoreApp} app
 * @param {string} path
 * @param {string} text which the write returned
 * @param {any} args
 * @param {string} body
 */
function answerOf(app, path, text, args, body) {
  const sql = answers[path];
  if (!sql || text === "null" || text.startsWith('"')) {
    return text;
  }
  return query(app, typeof sql === "function" ? sql(args) : sql, body);
}

/**
 * @param {core.RequestEvent} e
 * @param {string} path
 * @param {string} body
 */
function write(e, path, body) {
  const key = e.request.header.get("Idempotency-Key");
  if (!key) {
    return e.json(400, { status: 400, code: "no_idempotency_key", message: "Idempotency-Key is missing." });
  }
  const mirroredUpTo = e.request.header.get("X-Owui-Mirrored-Up-To");
  let text = "";
  let answered = "";
  /** @type {any} */
  let failure = null;
  /** @type {any} */
  let args;
  try {
    // Not in the transaction: nobody else can write meanwhile.
    args = unparsed.has(path) ? undefined : JSON.parse(body);
    $app.runInTransaction((tx) => {
      try {
        text = writes[path](tx, args, body);
        answered = answerOf(tx, path, text, args, body);
        if (mirroredUpTo) {
          text = answered = `{"answer":${answered},"changes":${changesSince(tx, mirroredUpTo)}}`;
        }
        remember(tx, key, text);
      } catch (error) {
        failure = error; // what the transaction rethrows is no longer this object
        throw error;
      }
    });
  } catch (error) {
    // A repeated request fails, at the latest where it is remembered: what it had done is undone, and the
    // first answer is given. So only repetitions pay for the look-up.
    const before = replay(key);
    if (!before) {
      return refuse(e, failure || error);
    }
    // With changes for the mirror the whole answer is remembered.
    const again = mirroredUpTo ? before : answerOf($app, path, before, args, body);
    return e.blob(200, "application/json", again);
  }
  return e.blob(200, "application/json", answered);
}

/**
 * Tell a caller's fault from one of ours.
 *
 * @param {core.RequestEvent} e
 * @param {any} error
 */
function refuse(e, error) {
  if (error.status) {
    return e.json(error.status, { status: error.status, code: error.code, message: error.message });
  }
  const message = String(error.message || error).split("\n")[0];
  const invalid = Boolean(error.value?.marshalJSON); // PocketBase's validation errors, by field
  if (invalid ? /must be unique|already exists/.test(message) : /UNIQUE constraint failed/.test(message)) {
    return e.json(409, { status: 409, code: "conflict", message });
  }
  if (invalid || error instanceof SyntaxError) {
    return e.json(400, { status: 400, code: "invalid", message });
  }
  console.error("owui:", error.stack || message);
  return e.json(500, { status: 500, code: "hook_failed", message });
}

/**
 * The answer of an earlier request with this key, or "".
 *
 * @param {string} key
 */
function replay(key) {
  const sql = "SELECT coalesce(max(answer), '') AS json FROM owui_idempotency WHERE key = {:body}";
  return query($app, sql, key);
}

/**
 * @param {CoreApp} tx
 * @param {string} key
 * @param {string} answer
 */
function remember(tx, key, answer) {
  tx.db()
    .newQuery("INSERT INTO owui_idempotency (key, answer) VALUES ({:key}, {:answer})")
    .bind({ key, answer })
    .execute();
}

/** Forget what nobody will ask for again; in steps, so that writers never wait for long. */
function prune() {
  const seconds = Math.floor(Date.now() / 1000);
  const oldest = ((seconds - REPEATABLE_FOR) * 1000).toString(16).padStart(12, "0"); // as keys begin
  deleteInSteps(
    "DELETE FROM owui_idempotency WHERE key IN " +
      "(SELECT key FROM owui_idempotency WHERE key < {:limit} ORDER BY key LIMIT 1000)",
    oldest,
  );
  // The newest change stays: the next one's number is made from it.
  deleteInSteps(
    "DELETE FROM owui_changes WHERE seq IN (SELECT seq FROM owui_changes ORDER BY seq LIMIT 1000) " +
      "AND at < {:limit} AND seq < (SELECT max(seq) FROM owui_changes)",
    (seconds - CHANGES_KEPT_FOR) * 1000,
  );
  require("./chats/insert.js").prune($app.nonconcurrentDB());
}

/**
 * @param {string} sql deletes up to 1000 rows
 * @param {string | number} limit
 */
function deleteInSteps(sql, limit) {
  let deleted = 1000;
  while (deleted === 1000) {
    deleted = $app.nonconcurrentDB().newQuery(sql).bind({ limit }).execute().rowsAffected();
  }
}

module.exports = { answer, prune };
