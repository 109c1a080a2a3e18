// @ts-check

/** POST /api/owui/{group}/{method}: one repository method, one statement or one transaction; see methods.js. */

const BODY_LIMIT = 1 << 29; // bytes; the route's limit

/** @typedef {import("./methods.js").Read} Read */

const { query } = require("./lib/rows.js");
const { settleTags } = require("./lib/stale.js");
const { mirroredSince } = require("./changes.js");
const { announce } = require("./changes/announce.js");
const { broadcasting } = require("./changes/broadcast.js");
const { name, queryNaming } = require("./config/version.js");
const { hold, prune: pruneDataUrls } = require("./data_urls.js");
const { begin, finish, replay, oldestKey, originOf } = require("./idempotency.js");
const RUN = require("./version.js").run();

/** @type {Record<string, Read>} */
const reads = {};
/** @type {Record<string, import("./methods.js").Write>} */
const writes = {};
/** @type {Record<string, Read>} */
const answers = {};
/** @type {Record<string, import("./methods.js").Wait>} */
const waits = {};
/** @type {Set<string>} */
const unparsed = new Set();

for (const [group, methods] of Object.entries(require("./methods.js"))) {
  for (const [name, sql] of Object.entries(methods.reads)) {
    reads[`${group}/${name}`] = sql;
  }
  for (const [name, method] of Object.entries(methods.writes || {})) {
    writes[`${group}/${name}`] = method;
  }
  for (const [name, sql] of Object.entries(methods.answers || {})) {
    answers[`${group}/${name}`] = sql;
  }
  for (const [name, method] of Object.entries(methods.waits || {})) {
    waits[`${group}/${name}`] = method;
  }
  for (const name of methods.unparsed || []) {
    unparsed.add(`${group}/${name}`);
  }
}

/** @param {core.RequestEvent} e */
function answer(e) {
  const request = e.request;
  // Who reads a reply has to know at once that it is of a PocketBase that was restored.
  e.response.header().set("X-Owui-Run", RUN);
  const path = request.pathValue("method");
  const body = readerToString(request.body, BODY_LIMIT);
  if (Object.hasOwn(reads, path)) {
    return read(e, path, body);
  }
  if (Object.hasOwn(writes, path)) {
    return write(e, path, body);
  }
  return e.json(404, { status: 404, code: "unknown_method", message: `There is no ${path}.` });
}

/**
 * @param {core.RequestEvent} e
 * @param {string} path
 * @param {string} body
 */
function read(e, path, body) {
  let sql = reads[path];
  try {
    if (Object.hasOwn(waits, path)) {
      waits[path]($app, JSON.parse(body), () => isGone(e));
    }
    if (typeof sql === "function") {
      sql = sql(JSON.parse(body));
    }
  } catch (error) {
    return refuse(e, error);
  }
  return e.blob(200, "application/json", queryNaming($app, e, sql, body));
}

/**
 * Whether the connection of a request is gone, or PocketBase stops.
 *
 * @param {core.RequestEvent} e
 */
function isGone(e) {
  try {
    e.request.context().err(); // thrown, as goja does with errors
    return false;
  } catch {
    return true;
  }
}

/**
 * The beginning of a write's reply: its answer, and the numbers of the first and the last change in the feed that it
 * made, null if it made none.
 *
 * @param {CoreApp} app
 * @param {string} path
 * @param {import("./idempotency.js").Done} done
 * @param {any} args
 * @param {string} body
 */
function replyOf(app, path, { text, before, last }, args, body) {
  const sql = answers[path];
  const isWhole = !sql || text === "null" || text.startsWith('"');
  const parameters = text.startsWith("{") ? text : body;
  const answer = isWhole ? text : query(app, typeof sql === "function" ? sql(args) : sql, parameters);
  const range = last > before ? `"first":${before + 1},"last":${last}` : '"first":null,"last":null';
  return `{"answer":${answer},${range}`;
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
  const mirroredUpTo = decodeURIComponent(e.request.header.get("X-Owui-Mirrored-Up-To"));
  const dataUrls = Number(e.request.header.get("X-Owui-Data-Urls"));
  let reply = "";
  /** @type {any} */
  let failure = null;
  /** @type {any} */
  let args;
  try {
    // Not in the transaction: nobody else can write meanwhile.
    args = unparsed.has(path) ? undefined : JSON.parse(body);
    $app.runInTransaction((tx) => {
      try {
        const before = begin(tx, key);
        hold(tx, dataUrls, body);
        const text = broadcasting(tx, committed, before, () => writes[path](tx, args, body));
        const done = finish(tx, key, before, text);
        reply = replyOf(tx, path, done, args, body);
        name(e, done.config);
      } catch (error) {
        failure = error; // what the transaction rethrows is no longer this object
        throw error;
      }
    });
  } catch (error) {
    // A repeated request fails where it begins, and gets the first reply. So only repetitions, and what fails, pay
    // for the look-up.
    const done = replay($app, key);
    if (!done) {
      return refuse(e, failure || error);
    }
    reply = replyOf($app, path, done, args, body);
  }
  announce($app, originOf(key));
  let changes = "";
  if (mirroredUpTo) {
    try {
      // Behind the transaction, which nobody has to wait for: what others have changed by then is among it as well.
      changes = `,"changes":${mirroredSince($app, mirroredUpTo)}`;
    } catch (error) {
      // The write is done, and its answer says so; whoever asked for the changes reads the feed.
      console.error("owui:", /** @type {any} */ (error).stack || error);
    }
  }
  return e.blob(200, "application/json", `${reply}${changes}}`);
}

/**
 * A record as it was before the transaction that is going on, which a read outside of it does not wait for.
 *
 * @param {string} collection
 * @param {string} id
 */
function committed(collection, id) {
  return $app.findRecordsByIds(collection, [id])[0];
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

/** Forget what nobody will ask for again; in steps, so that writers never wait for long. */
function prune() {
  deleteInSteps(
    "DELETE FROM owui_idempotency WHERE key IN " +
      "(SELECT key FROM owui_idempotency WHERE key < {:limit} ORDER BY key LIMIT 1000)",
    oldestKey(),
  );
  require("./changes/prune.js").prune($app);
  pruneDataUrls($app);
  // While messages are being deleted it would be for nothing.
  if (!require("./chats/_remains.js").areThere($app)) {
    require("./lib/merges.js").merge($app);
  }
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

/** Delete the messages of chats that were deleted, or never finished. */
function clear() {
  require("./chats/insert.js").giveUpExpired($app);
  require("./chats/_remains.js").clear($app);
}

/** Set right what other programs left stale. */
function settle() {
  settleTags($app);
}

module.exports = { answer, prune, clear, settle };
