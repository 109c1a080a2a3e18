// @ts-check

/** The replies in the thread of a message. */

const { arg, given, value, many } = require("../lib/rows.js");
const { PAGE } = require("../lib/paging.js");
const { MESSAGE, LATEST_FIRST, inChannel, inThread, withQuotes, page } = require("./_base.js");

/**
 * A page of a thread: the latest replies, those before the message `anchor`, or those around it, from ten replies behind
 * it on.
 *
 * @typedef {{ channel_id: string | null, parent_id: string, anchor: string | null, is_before: boolean,
 *   with_users: boolean }} Asked
 */

/** Replies that come after the anchor in the page that it is in the middle of. */
const ABOVE_ANCHOR = 10;

const BEHIND_ANCHOR = "(m.created_at, m.id) > (SELECT created_at, id FROM anchor)";
const BEFORE_ANCHOR = "(m.created_at, m.id) < (SELECT created_at, id FROM anchor)";

/**
 * SQL of a page of a thread; `page` has the parent behind the replies if these are fewer than the limit.
 *
 * @param {Asked} args
 */
function threadPage(args) {
  const here = inChannel(args);
  const isReply = inThread(args);
  const parent = `parent AS MATERIALIZED (SELECT m.rowid AS r FROM owui_messages m WHERE m.id = ${arg("parent_id")} AND ${here})`;
  const anchor = `anchor AS MATERIALIZED (SELECT m.created_at, m.id FROM owui_messages m WHERE m.id = ${arg("anchor")}
    AND ${here} AND (m.id = ${arg("parent_id")} OR ${isReply}))`;
  const exists =
    args.anchor === null ? "EXISTS (SELECT 1 FROM parent)" : "EXISTS (SELECT 1 FROM parent, anchor)";
  const replies = `FROM owui_messages m WHERE ${isReply} AND ${here} AND ${exists}`;
  const bounds = args.is_before ? ` AND ${BEFORE_ANCHOR}` : "";
  const behind = `(SELECT max(0, count(*) - ${ABOVE_ANCHOR}) ${replies} AND ${BEHIND_ANCHOR})`;
  const limit = args.anchor === null ? PAGE : `LIMIT ${arg("limit")} OFFSET ${args.is_before ? "0" : behind}`;
  return `${parent}${args.anchor === null ? "" : `, ${anchor}`},
    replies AS MATERIALIZED (SELECT r, row_number() OVER () AS n FROM (SELECT m.rowid AS r ${replies}${bounds}
      ORDER BY m.created_at DESC, m.id DESC ${limit})),
    page AS MATERIALIZED (SELECT r, n FROM replies UNION ALL SELECT p.r, (SELECT count(*) FROM replies) + 1
      FROM parent p WHERE ${exists} AND (SELECT count(*) FROM replies) < ${arg("limit")})`;
}

const reads = {
  /** @param {Asked} args */
  get_messages_by_parent_id: (args) => withQuotes(threadPage(args), args),

  /** @param {Asked} args */
  get_thread_replies_by_message_id: (args) =>
    withQuotes(page(`FROM owui_messages m WHERE ${inThread(args)}`, LATEST_FIRST), args),

  /** @param {Asked} args */
  get_reply_user_ids_by_message_id: (args) =>
    many(
      "m.user_id",
      `FROM owui_messages m WHERE ${inThread(args)} AND ${value(MESSAGE, "m", "user_id")} IS NOT NULL`,
      "m.rowid",
    ),

  /** Of each message with replies: their number and the time of the latest. */
  get_thread_reply_counts_by_message_ids: `SELECT json_group_array(json_array(parent_id, number, latest)) AS json
    FROM (SELECT m.parent_id, count(*) AS number, max(m.created_at) AS latest
      FROM owui_messages m WHERE m.parent_id IN ${given("ids")} AND ${value(MESSAGE, "m", "parent_id")} IS NOT NULL GROUP BY m.parent_id)`,
};

module.exports = { reads };
