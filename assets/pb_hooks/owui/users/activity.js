// @ts-check

/** How many users there are, and who is active. */

const { arg, one } = require("../lib/rows.js");
const { BY_ID } = require("./_base.js");

const reads = {
  get_num_users: "SELECT count(*) AS json FROM owui_users",
  has_users: "SELECT EXISTS (SELECT 1 FROM owui_users) AS json",
  count_active_since: `SELECT count(*) AS json FROM owui_users u WHERE u.last_active_at >= ${arg("since")}`,
  get_last_active_at: one(`SELECT u.last_active_at ${BY_ID}`),
};

const writes = {
  /**
   * The most frequent write, to which nobody listens: without reading and validating the record.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, last_active_at: number }} args
   */
  update_last_active_by_id(tx, { id, last_active_at }) {
    tx.db()
      .newQuery("UPDATE owui_users SET last_active_at = {:last_active_at} WHERE id = {:id}")
      .bind({ id, last_active_at })
      .execute();
    return "null";
  },
};

module.exports = { reads, writes };
