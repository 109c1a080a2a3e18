// @ts-check

/**
 * Channels and what belongs to them, made, changed or deleted in the dashboard, over PocketBase's own API or by a script's
 * hook. The adapter itself writes them in SQL, which none of this sees.
 */

const { deleting } = require("../changes/broadcast.js");
const { refuse, deleteAlone } = require("../dashboard.js");
const { execute } = require("../lib/bulk.js");
const { find, fold } = require("../lib/records.js");
const { tables, arg } = require("../lib/rows.js");

/** @typedef {import("../lib/rows.js").Table} Table */

/** @type {Table[]} */
const TABLES = [
  tables.channel,
  tables.channel_member,
  tables.channel_file,
  tables.channel_webhook,
  tables.message,
  tables.message_reaction,
];

/** Times that a new record has. */
const OF_NEW = ["created_at", "updated_at", "joined_at"];

/** What changes a record in the eyes of Open WebUI, where that is not each of its columns. */
/** @type {Record<string, string[]>} */
const CHANGING = {
  owui_messages: ["content", "data", "meta"],
  owui_channel_webhooks: ["name", "profile_image_url", "token"],
};

/**
 * The present as a column has it: nanoseconds, of which JavaScript knows milliseconds, or seconds.
 *
 * @param {string} type
 * @returns {string | number}
 */
function now(type) {
  return type === "int64" ? `${Date.now()}000000` : Math.floor(Date.now() / 1000);
}

/**
 * A time that is later than another one, so that whoever has the record as it was sees that it has changed.
 *
 * @param {string} type
 * @param {any} before
 */
function later(type, before) {
  const time = now(type);
  return type === "int64" && before >= time ? (BigInt(before) + 1n).toString().padStart(19, "0") : time;
}

/** Numbers between these were meant to be seconds, milli- or microseconds: as nanoseconds they are times before 2001. */
const [SECONDS, NANOSECONDS] = [10n ** 8n, 10n ** 18n];

/**
 * Have a number that was typed sort like one; refuse what is none, as no list with it could be read.
 *
 * @param {core.Record} record
 * @param {string} field
 * @param {string} before what it was
 */
function sortable(record, field, before) {
  const text = record.getString(field).trim();
  if (/^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n) {
    if (text !== before && BigInt(text) >= SECONDS && BigInt(text) < NANOSECONDS) {
      refuse(field, "Nanoseconds since 1970: 19 digits, not seconds or milliseconds.");
    }
    record.set(field, text.padStart(19, "0"));
  } else if (text && !/^-\d{19}$/.test(text)) {
    refuse(field, "Nanoseconds since 1970, as digits.");
  }
}

/**
 * Note which columns were emptied: they are None, and not an empty text, which is no number and no id.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @param {core.Record} before
 */
function emptied(table, record, before) {
  const listed = JSON.parse(record.getString("nulls") || "null");
  const names = table.columns
    .filter(({ type, null: nullable, required }) => nullable && !required && ["text", "int64"].includes(type))
    .filter(({ field }) => !record.getString(field) && before.getString(field))
    .map(({ name }) => name);
  if (listed && names.length) {
    record.set("nulls", JSON.stringify([...new Set([...listed, ...names])]));
  }
}

/**
 * Set the times of a record: all that a new one has; when it was changed, unless the edit itself sets that.
 *
 * @param {Table} table
 * @param {core.Record} record
 * @param {core.Record} before
 */
function date(table, record, before) {
  const isChanged = (/** @type {string} */ field) => record.getString(field) !== before.getString(field);
  const changing = CHANGING[table.collection] || table.columns.map(({ field }) => field);
  for (const { name, type } of table.columns.filter(({ name }) => OF_NEW.includes(name))) {
    if (["", "0"].includes(record.getString(name))) {
      // Nobody has changed yet what is made with a time of its own, such as a message of former days.
      record.set(
        name,
        (name === "updated_at" && record.isNew() && record.getString("created_at")) || now(type),
      );
    } else if (name === "updated_at" && !record.isNew() && changing.some(isChanged) && !isChanged(name)) {
      record.set(name, later(type, before.get(name)));
    }
  }
}

/**
 * Refuse a webhook that cannot be looked up as the sender of a message.
 *
 * @param {core.Record} record
 * @param {core.Record} before
 */
function checkWebhook(record, before) {
  const meta = record.getString("meta");
  const webhook = meta !== before.getString("meta") && JSON.parse(meta || "null")?.webhook;
  const isObject = typeof webhook === "object" && !Array.isArray(webhook);
  if (webhook && !(isObject && typeof (webhook.id || "") === "string")) {
    refuse("meta", "webhook must be a JSON object whose id is a text.");
  }
}

/** What is particular to a table. @type {Record<string, (record: core.Record, before: core.Record) => void>} */
const FURTHER = {
  /** A new member is there, unless it has left. Open WebUI's own table has the same condition on whose it is. */
  owui_channel_members(record) {
    if (!record.getString("user_id") === !record.getString("app_id")) {
      refuse("user_id", "Either a user or an app.");
    }
    if (record.isNew() && !record.getString("left_at")) {
      record.set("is_active", true);
      record.set("status", record.getString("status") || "joined");
    }
  },

  /** A webhook without a token would be open to nobody. */
  owui_channel_webhooks(record) {
    if (!record.getString("token")) {
      record.set("token", $security.randomString(43));
    }
  },

  /** A message is searched by its text, which waits for the full-text index. */
  owui_messages(record, before) {
    checkWebhook(record, before);
    const folded = fold(record.getString("content"));
    if (record.isNew() || folded !== record.getString("content_folded")) {
      record.set("content_folded", folded);
      record.set("waits", true);
    }
  },
};

/**
 * A record of any of these tables.
 *
 * @param {core.RecordEvent} e
 */
function written(e) {
  const record = /** @type {core.Record} */ (e.record);
  const table = /** @type {Table} */ (
    TABLES.find(({ collection }) => collection === record.collection().name)
  );
  // Of a record that was saved before, `original` may be what it was before that.
  const before = (!record.isNew() && find(e.app, table, String(record.id))) || record.original();
  for (const { field } of table.columns.filter(({ type }) => type === "int64")) {
    sortable(record, field, before.getString(field));
  }
  FURTHER[table.collection]?.(record, before);
  emptied(table, record, before);
  date(table, record, before);
  return e.next();
}

/** What goes with a channel, in this order. */
const BELONGINGS = [
  `owui_message_reactions WHERE message_id IN (SELECT m.id FROM owui_messages m WHERE m.channel_id = ${arg("id")})`,
  ...["messages", "channel_members", "channel_files", "channel_webhooks"].map(
    (name) => `owui_${name} WHERE channel_id = ${arg("id")}`,
  ),
  `owui_access_grants WHERE resource_type = 'channel' AND resource_id = ${arg("id")}`,
];

/**
 * A channel is deleted, with all that belongs to it: in SQL, as PocketBase itself would delete record by record.
 *
 * @param {core.RecordEvent} e
 */
function deletedChannel(e) {
  return deleteWith(e, BELONGINGS);
}

/**
 * A message is deleted, with its reactions; replies stay, as in Open WebUI.
 *
 * @param {core.RecordEvent} e
 */
function deletedMessage(e) {
  return deleteWith(e, [`owui_message_reactions WHERE message_id = ${arg("id")}`]);
}

/**
 * Delete a record after others, in one transaction.
 *
 * @param {core.RecordEvent} e
 * @param {string[]} others SQL from the table on
 */
function deleteWith(e, others) {
  return deleting(e, (tx) => {
    const body = JSON.stringify({ id: e.record?.id });
    for (const which of others) {
      execute(tx, `DELETE FROM ${which}`, body);
    }
    return deleteAlone(e);
  });
}

module.exports = { written, deletedChannel, deletedMessage };
