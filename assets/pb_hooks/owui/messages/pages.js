// @ts-check

/** Pages of a channel's messages, the last one, pinned ones, and how many are unread. */

const { arg, row, one, many } = require("../lib/rows.js");
const { PAGE } = require("../lib/paging.js");
const { MESSAGE, LATEST_FIRST, IS_TOP_LEVEL, inChannel, withQuotes, page } = require("./_base.js");

/** @typedef {{ channel_id: string | null, with_users: boolean }} Asked */

/** Messages outside of threads. SQLite would take the index that has the replies as well. */
const TOP_LEVEL = "FROM owui_messages m INDEXED BY idx_owui_messages_top_level WHERE";

const LATEST_PIN_FIRST = "m.pinned_at DESC, m.rowid";

const reads = {
  /** @param {Asked} args */
  get_messages_by_channel_id: (args) =>
    withQuotes(page(`${TOP_LEVEL} ${inChannel(args)} AND ${IS_TOP_LEVEL}`, LATEST_FIRST, PAGE), args),

  /** @param {Asked} args */
  get_last_message_by_channel_id: (args) =>
    one(`SELECT ${row(MESSAGE, "m")} FROM owui_messages m WHERE ${inChannel(args)} ORDER BY ${LATEST_FIRST}`),

  /** @param {Asked} args */
  get_pinned_messages_by_channel_id: (args) =>
    many(
      row(MESSAGE, "m"),
      `FROM (SELECT m.rowid AS r FROM owui_messages m WHERE ${inChannel(args)} AND m.is_pinned = TRUE
        ORDER BY ${LATEST_PIN_FIRST} ${PAGE}) p CROSS JOIN owui_messages m ON m.rowid = p.r`,
      LATEST_PIN_FIRST,
    ),

  /**
   * Messages outside of threads that came behind a time, without those of a user.
   *
   * @param {Asked & { user_id: string | null }} args
   */
  get_unread_message_count: (
    args,
  ) => `SELECT count(*) AS json ${TOP_LEVEL} ${inChannel(args)} AND ${IS_TOP_LEVEL}
    AND m.created_at > ${arg("last_read_at")} AND ${args.user_id ? `m.user_id != ${arg("user_id")}` : "TRUE"}`,
};

module.exports = { reads };
