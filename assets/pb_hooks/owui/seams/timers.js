// @ts-check

/**
 * Timers: chats of the host's own that wait for their time, `timer_at`. Their state is in their `meta`.
 *
 * Each worker asks when the next one is due whenever a chat has changed, and each time a chat is read whether one
 * waits for that: these are reads by an index, and only if there is one follows a write.
 */

const { tables, arg, truth, query } = require("../lib/rows.js");
const { assignments, execute } = require("../lib/bulk.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = tables.chat;

const IS_PENDING = "json_extract(c.meta, '$.status') = 'pending'";
const DUE = `c.timer_at != '' AND c.timer_at <= ${arg("due")} AND ${IS_PENDING}`;
const TO_CANCEL = `c.timer_at != '' AND c.user_id = ${arg("user_id")} AND ${IS_PENDING}
  AND json_extract(c.meta, '$.parent_chat_id') = ${arg("parent_chat_id")}
  AND EXISTS (SELECT 1 FROM json_each(c.meta, '$.cancel_on') e WHERE e.value = ${arg("event")})`;

/** @param {string} condition on a chat `c` */
function exists(condition) {
  return truth(`EXISTS (SELECT 1 FROM owui_chats c WHERE ${condition})`);
}

/**
 * SQL of the chat's `meta` with members of the given names and values.
 *
 * @param {[string, string][]} members SQL of the name, SQL of the value
 */
function metaWith(members) {
  const pairs = members.map(([name, sql]) => `'$."' || ${name} || '"', ${sql}`);
  return `json_set(iif(json_type(c.meta) = 'object', c.meta, '{}'), ${pairs.join(", ")})`;
}

/**
 * Changed columns of chats, and `members` of their `meta`, each a name and a value.
 *
 * @typedef {import("../chats/_columns.js").Changes & { members?: [string, unknown][] }} Changes
 */

/**
 * Change columns of chats, and members of their `meta`.
 *
 * @param {CoreApp} tx
 * @param {Changes} args
 * @param {string} body
 * @param {string} which SQL from WHERE on, or from FROM on; the chats are `c`
 * @param {[string, string][]} further members, SQL of the name and of the value
 */
function change(tx, args, body, which, further = []) {
  /** @type {[string, string][]} */
  const given = (args.members || []).map((_, number) => [
    arg(`members[${number}][0]`),
    `{:body} -> '$.members[${number}][1]'`,
  ]);
  const members = [...given, ...further];
  const set = [
    ...(members.length ? [`meta = ${metaWith(members)}`] : []),
    assignments(CHAT, Object.keys(args.changes)),
  ];
  return execute(tx, `UPDATE owui_chats AS c SET ${set.join(", ")} ${which}`, body);
}

/** Timers that are due, the first ones, each with one of the given ids of claims. */
const CLAIMED = `(SELECT c.id, j.value AS claim FROM (SELECT c.id, row_number() OVER (ORDER BY c.timer_at, c.rowid) AS number
    FROM owui_chats c WHERE ${DUE} ORDER BY c.timer_at, c.rowid LIMIT ${arg("limit")}) c
  JOIN json_each({:body}, '$.claims') j ON j.key = c.number - 1 ORDER BY c.number)`;
const CLAIMS = `SELECT json_group_object(id, claim) AS json FROM ${CLAIMED}`;

const reads = {
  /** When the first of all timers is due, null if there is none. */
  get_next_timer: `SELECT coalesce((SELECT json_quote(c.timer_at) FROM owui_chats c
    WHERE c.timer_at != '' AND c.timer_at > '' AND ${IS_PENDING} AND {:body} != '' ORDER BY c.timer_at LIMIT 1), 'null') AS json`,

  has_timers_to_cancel: exists(TO_CANCEL),
};

const writes = {
  /**
   * Claim timers that are due; reply with the claims by the timers' ids. Nobody else can claim them.
   *
   * @param {CoreApp} tx
   * @param {Changes & { due: string, limit: number, claims: string[] }} args
   * @param {string} body
   */
  claim_due_timers(tx, args, body) {
    const claims = query(tx, CLAIMS, body);
    change(tx, args, body, `FROM ${CLAIMED} k WHERE c.id = k.id`, [["'timer_claim_id'", "k.claim"]]);
    return claims;
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { parent_chat_id: string, event: string, user_id: string }} args
   * @param {string} body
   */
  cancel_timers_for_chat(tx, args, body) {
    change(tx, args, body, `WHERE ${TO_CANCEL}`);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {Changes & { id: string }} args
   * @param {string} body
   */
  update_timer(tx, args, body) {
    change(tx, args, body, `WHERE c.id = ${arg("id")}`);
    return "true";
  },
};

module.exports = { reads, writes };
