// @ts-check

/** One message: reading, posting, changing and deleting it. */

const { join } = require("../channels/_base.js");
const { inserts, assignments, execute } = require("../lib/bulk.js");
const { merge } = require("../lib/json.js");
const { arg, matches, row, one, many, query } = require("../lib/rows.js");
const { MESSAGE, BY_ID, inThread, withQuotes } = require("./_base.js");
const { reactions, DELETE_REACTIONS } = require("./reactions.js");
const { waits } = require("./_texts.js");

/** What is told of a message that was deleted: neither its text nor its data. */
const DELETED = row(MESSAGE, "m").replace("m.content", "''").replace("m.data", "NULL");

const GET_ROW = one(`SELECT ${row(MESSAGE, "m")} ${BY_ID}`);

/** Number of the replies, and the time of the latest. */
const REPLIES = `(SELECT json_array(count(*), max(r.created_at)) FROM owui_messages r
  WHERE ${arg("with_replies")} AND r.parent_id = ${arg("id")} AND r.parent_id != '')`;

/**
 * A message with what it quotes, its reactions, and number and time of its replies.
 *
 * @param {{ with_users: boolean }} args
 */
const GET_MESSAGE = (args) =>
  withQuotes(`page AS MATERIALIZED (SELECT m.rowid AS r, 1 AS n ${BY_ID})`, args, "everything", [
    `(${reactions(`r.message_id = ${arg("id")}`, args.with_users)})`,
    REPLIES,
  ]);

/** What a change of a message needs to know: names of the fields it sets, and texts of what it merges. */
const CHANGING = one(`SELECT json_object(
    'names', (SELECT json_group_array(key) FROM json_each({:body}, '$.changes')),
    'data', m.data, 'meta', m.meta, 'new_data', ${arg("merged.data")}, 'new_meta', ${arg("merged.meta")}) ${BY_ID}`);

/** @type {Record<string, import("../methods.js").Read>} */
const reads = { get_message_by_id: GET_MESSAGE };

/** @type {Record<string, import("../methods.js").Write>} */
const writes = {
  /** Post a message; its user joins the channel. */
  insert_new_message(tx, { members }, body) {
    join(tx, members, body);
    execute(tx, inserts(MESSAGE, "$.messages"), body);
    return "true";
  },

  insert_new_app_message(tx, _args, body) {
    execute(tx, inserts(MESSAGE, "$.messages"), body);
    return "true";
  },

  /** Replace what an app has posted, if it is as the app knows it; null otherwise. */
  update_app_message_by_id(tx, args, body) {
    const set = assignments(MESSAGE, Object.keys(args.changes));
    const changed = execute(
      tx,
      `UPDATE owui_messages AS m SET ${set}, waits = ${waits("m.meta")} WHERE m.id = ${arg("id")}
        AND ${matches(MESSAGE, "m", "app_id")} AND m.updated_at = ${arg("updated_at")}`,
      body,
    );
    return changed ? "true" : "null";
  },

  /** Set columns, and merge what is given of data and meta into these; null if there is no such message. */
  update_message_by_id(tx, _args, body) {
    const found = JSON.parse(query(tx, CHANGING, body));
    if (!found) {
      return "null";
    }
    const merged = { data: merge(found.data, found.new_data), meta: merge(found.meta, found.new_meta) };
    tx.db()
      .newQuery(
        `UPDATE owui_messages AS m SET ${assignments(MESSAGE, found.names)}, data = {:data}, meta = {:meta},
          waits = ${waits("{:meta}")} WHERE m.id = ${arg("id")}`,
      )
      .bind({ ...merged, body })
      .execute();
    return "true";
  },

  /** Pin a message or end that; null if there is no such message. */
  update_is_pinned_by_id(tx, args, body) {
    const set = assignments(MESSAGE, Object.keys(args.changes));
    return execute(tx, `UPDATE owui_messages AS m SET ${set} WHERE m.id = ${arg("id")}`, body)
      ? "true"
      : "null";
  },

  /** Delete a message and its reactions; its replies stay. The answer is its row without content, or null. */
  delete_message_by_id(tx, _args, body) {
    const deleted = query(tx, one(`SELECT ${DELETED} ${BY_ID}`), body);
    execute(tx, `DELETE FROM owui_messages AS m WHERE m.id = ${arg("id")}`, body);
    execute(tx, DELETE_REACTIONS, body);
    return deleted;
  },

  /** Delete the replies to a message; their reactions stay. The answer are their rows without content. */
  delete_replies_by_id(tx, args, body) {
    const replies = `FROM owui_messages AS m WHERE ${inThread(args)}`;
    const deleted = query(tx, many(DELETED, replies, "m.rowid"), body);
    execute(tx, `DELETE ${replies}`, body);
    return deleted;
  },
};

const answers = {
  insert_new_app_message: GET_MESSAGE,
  update_app_message_by_id: GET_MESSAGE,
  update_message_by_id: GET_ROW,
  update_is_pinned_by_id: GET_ROW,
};

const unparsed = ["update_message_by_id", "delete_message_by_id"];

module.exports = { reads, writes, answers, unparsed };
