// @ts-check

/** The host's table `channel_webhook`: addresses at which other programs post to a channel. */

const { inserts, assignments, execute } = require("../lib/bulk.js");
const { tables, arg, row, one, many } = require("../lib/rows.js");

const WEBHOOK = tables.channel_webhook;

const ROW = row(WEBHOOK, "w");
const BY_ID = `FROM owui_channel_webhooks w WHERE w.id = ${arg("id")}`;
const GET_WEBHOOK = one(`SELECT ${ROW} ${BY_ID}`);

const reads = {
  get_webhook_by_id: GET_WEBHOOK,
  get_webhook_by_id_and_token: one(`SELECT ${ROW} ${BY_ID} AND w.token = ${arg("token")}`),
  get_webhooks_by_channel_id: many(
    ROW,
    `FROM owui_channel_webhooks w WHERE w.channel_id = ${arg("channel_id")}`,
    "w.rowid",
  ),
};

/** @type {Record<string, import("../methods.js").Write>} */
const writes = {
  insert_webhook(tx, _args, body) {
    execute(tx, inserts(WEBHOOK, "$.webhooks"), body);
    return "true";
  },

  update_webhook(tx, { changes }, body) {
    const sql = `UPDATE owui_channel_webhooks SET ${assignments(WEBHOOK, Object.keys(changes))}
      WHERE id = ${arg("id")}`;
    return execute(tx, sql, body) ? "true" : "null";
  },

  /** Replies with the number of what was deleted. */
  delete_webhook_by_id(tx, _args, body) {
    return String(execute(tx, `DELETE FROM owui_channel_webhooks WHERE id = ${arg("id")}`, body));
  },
};

const answers = { update_webhook: GET_WEBHOOK };

module.exports = { reads, writes, answers };
