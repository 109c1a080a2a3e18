// @ts-check

/** What the modules of messages share: rows with what they quote and who sent them. */

const { tables, arg, value, matches, row } = require("../lib/rows.js");

const MESSAGE = tables.message;
const REACTION = tables.message_reaction;
const WEBHOOK = tables.channel_webhook;
const USER = tables.user;

const BY_ID = `FROM owui_messages m WHERE m.id = ${arg("id")}`;

/** Of two messages of the same time the stock query finds the older one first. */
const LATEST_FIRST = "m.created_at DESC, m.rowid";

/** A message outside of threads, in the words of the index `top_level`. */
const IS_TOP_LEVEL = `m.parent_id = '' AND (coalesce(m.nulls, 'null') = 'null' OR instr(m.nulls, '"parent_id"'))`;

/**
 * SQL of "it belongs to this channel". With an id it is never None, so an index has all that this looks at.
 *
 * @param {{ channel_id: string | null }} args
 */
function inChannel({ channel_id }) {
  return channel_id ? `m.channel_id = ${arg("channel_id")}` : matches(MESSAGE, "m", "channel_id");
}

/**
 * SQL of "it is a reply in the thread of this message".
 *
 * @param {{ parent_id: string | null }} args
 */
function inThread({ parent_id }) {
  return parent_id ? `m.parent_id = ${arg("parent_id")}` : matches(MESSAGE, "m", "parent_id");
}

/**
 * SQL of a member of the answer: rows of messages.
 *
 * @param {string} rows SQL of a table `p` with their rowids `r`, in the order of its `n`
 */
function messages(rows) {
  return `(SELECT json_group_array(${row(MESSAGE, "m")} ORDER BY p.n)
    FROM ${rows} p CROSS JOIN owui_messages m ON m.rowid = p.r)`;
}

/**
 * SQL of messages as an array of: their rows; those of the messages that they reply to; id and name of each webhook that
 * sent one of all these; id, name and role of users.
 *
 * @param {string} tablesBefore SQL of common tables; `page` has rowids `r`, and a number `n` that gives their order
 * @param {{ with_users: boolean }} args `with_users`: whether users are in PocketBase; else the answer has none
 * @param {string} senders table of the messages whose users are wanted: `page`, `quoted` or `everything`
 * @param {string[]} further SQL of more members of the array
 */
function withQuotes(tablesBefore, { with_users }, senders = "quoted", further = []) {
  const of = (/** @type {string} */ rows) => `FROM ${rows} p CROSS JOIN owui_messages m ON m.rowid = p.r`;
  const webhooks = `(SELECT json_group_array(json_array(w.id, w.name)) FROM owui_channel_webhooks w
    WHERE w.id IN (SELECT m.meta ->> '$.webhook.id' ${of("everything")} WHERE json_valid(m.meta)))`;
  const users = `(SELECT json_group_array(json_array(u.id, u.name, ${value(USER, "u", "role")})) FROM owui_users u
    WHERE u.id IN (SELECT m.user_id ${of(senders)}))`;
  const members = [
    messages("page"),
    messages("quoted"),
    webhooks,
    ...(with_users ? [users] : ["json('[]')"]),
    ...further,
  ];
  return `WITH ${tablesBefore},
    quoted AS MATERIALIZED (SELECT q.rowid AS r, q.rowid AS n FROM owui_messages q
      WHERE q.id IN (SELECT m.reply_to_id ${of("page")} WHERE m.reply_to_id != '')),
    everything AS MATERIALIZED (SELECT r, n FROM page UNION SELECT r, n FROM quoted)
    SELECT json_array(${members.map((sql) => `json(${sql})`).join(", ")}) AS json`;
}

/**
 * SQL of the common table `page`.
 *
 * @param {string} rest SQL from FROM on
 * @param {string} order
 * @param {string} limit without one, -1 keeps SQLite from leaving out the order
 */
function page(rest, order, limit = "LIMIT -1") {
  return `page AS MATERIALIZED (SELECT r, row_number() OVER () AS n
    FROM (SELECT m.rowid AS r ${rest} ORDER BY ${order} ${limit}))`;
}

module.exports = {
  MESSAGE,
  REACTION,
  WEBHOOK,
  USER,
  BY_ID,
  LATEST_FIRST,
  IS_TOP_LEVEL,
  inChannel,
  inThread,
  withQuotes,
  page,
};
