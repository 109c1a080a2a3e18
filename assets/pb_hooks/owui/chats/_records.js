// @ts-check

/** Records of messages on their way out and in; codec/messages.py has the other side. */

const { tables, value } = require("../lib/rows.js");
const { inserts, MILLISECONDS } = require("../lib/bulk.js");

const MESSAGE = tables.chat_message;

/** Names a state of a chat; see `new_version` in codec/chats.py. */
const NEW_VERSION = "abs(random() >> 16)";

const SCALARS = MESSAGE.columns
  .filter(({ type }) => type !== "json")
  .map(({ name }) => value(MESSAGE, "m", name));
const TEXTS = [...MESSAGE.columns.filter(({ type }) => type === "json").map(({ field }) => field), "same"];

/**
 * SQL of a record: its position, whether it has a row, and that row's scalar columns as the host knows them; its JSON
 * columns, as they are stored, for parsing them takes longer; the names of those that the entry has; and the entry.
 *
 * @param {string} withEntry SQL of the condition on which the entry is needed
 */
function record(withEntry) {
  return `'[' || json_array(m.position, m.has_row, ${SCALARS.join(", ")}) || ',' || ${TEXTS.map(
    (field) => `coalesce(nullif(m.${field}, ''), 'null')`,
  ).join(" || ',' || ")} || ',' || iif(${withEntry}, m.entry, 'null') || ']'`;
}

/** A record with row and entry. */
const RECORD = record("m.position > 0");

/** A record of which only the row is needed, for which the entry is needed if the row shares columns with it. */
const ROW = record("m.same != '[]'");

/**
 * SQL that returns records with rows and entries.
 *
 * @param {string} rest from FROM on, without ORDER BY; the messages are `m`
 */
function records(rest) {
  return `SELECT '[' || coalesce(group_concat(record, ','), '') || ']' AS json
    FROM (SELECT ${RECORD} AS record ${rest} ORDER BY m.position LIMIT -1)`;
}

/**
 * SQL of a message's place among those of a chat; the given -1 is behind all others.
 *
 * @param {string} chatId SQL
 */
function place(chatId) {
  return `CASE j.value ->> '$.position' WHEN -1 THEN (SELECT coalesce(max(m.position), 0) FROM owui_chat_messages m
    WHERE m.chat_id = ${chatId}) + 1 + j.key ELSE j.value ->> '$.position' END`;
}

const INSERT_MESSAGES = inserts(MESSAGE, "$.messages", { position: place("j.value ->> '$.chat_id'") });

module.exports = { ROW, records, place, INSERT_MESSAGES, NEW_VERSION, MILLISECONDS };
