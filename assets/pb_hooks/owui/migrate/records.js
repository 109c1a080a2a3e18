// @ts-check

/**
 * Writing and deleting records while data are moved into PocketBase; the other side is migrate/records.py.
 *
 * Records come in as arrays, their fields in the order of `sentFields` and JSON as it is: SQLite takes them apart faster
 * than objects with JSON as text.
 */

const { NEW_VERSION } = require("../chats/_records.js");
const { CHAT_IN, makeRoom } = require("../chats/_remains.js");
const { relation } = require("../chats/tags.js");
const { NOW, execute, lastDoc } = require("../lib/bulk.js");
const { remove } = require("../lib/records.js");
const { tables, given, many, query } = require("../lib/rows.js");
const { settleTags } = require("../lib/stale.js");
const { waits } = require("../messages/_texts.js");

/** @typedef {import("../lib/rows.js").Table} Table */

/**
 * A field that is not sent: SQL of its value in a new record, and in one that is there, where the new one would be
 * `excluded`; without the latter it stays as it is.
 *
 * @typedef {{ field: string, made: string, kept?: string }} Own
 */

/** Messages that are deleted in one transaction. */
const DELETED_AT_ONCE = 1000;

/** Fields that are not sent, by collection. */
const NOT_SENT = {
  owui_chats: ["version", "tags"],
  owui_files: ["pending", "contents", "sha256"],
  owui_messages: ["waits"],
};

/**
 * The fields that a record is sent with, in order, and whether they have JSON.
 *
 * @param {Table} table
 * @returns {{ field: string, isJson: boolean }[]}
 */
function sentFields(table) {
  const notSent = /** @type {Record<string, string[]>} */ (NOT_SENT)[table.collection] || [];
  const folded = table.columns.filter((column) => column.folded);
  return [
    ...(table.hashed_id ? [{ field: "id", isJson: false }] : []),
    ...table.columns.map(({ field, type }) => ({ field, isJson: type === "json" })),
    ...folded.map(({ field }) => ({ field: `${field}_folded`, isJson: false })),
    { field: "nulls", isJson: true },
    ...(table.extras || [])
      .filter(({ name }) => !notSent.includes(name))
      .map(({ name, type }) => ({ field: name, isJson: type === "json" })),
  ];
}

/**
 * SQL of a field as it was sent.
 *
 * @param {Table} table
 * @param {string} name of the field
 */
function sent(table, name) {
  const place = sentFields(table).findIndex(({ field }) => field === name);
  return `(j.value ${sentFields(table)[place].isJson ? "->" : "->>"} ${place})`;
}

/**
 * SQL of the id of a record whose key is free text: of the one that has the key, whatever its id, or else the sent hash
 * of the key, unless a record has it whose key was changed in the dashboard.
 *
 * @param {Table} table
 * @param {string[]} key
 */
function hashedId(table, key) {
  const fields = table.columns.filter(({ name }) => key.includes(name)).map(({ field }) => field);
  const isSame = fields.map((field) => `t.${field} = ${sent(table, field)}`).join(" AND ");
  return `coalesce((SELECT t.id FROM ${table.collection} t WHERE ${isSame}),
    iif(EXISTS (SELECT 1 FROM ${table.collection} t WHERE t.id = ${sent(table, "id")}),
      lower(hex(randomblob(16))), ${sent(table, "id")}))`;
}

/**
 * The place of a message: -1 is behind all others, and -2 where it is.
 *
 * @param {Table} table
 * @returns {Own}
 */
function position(table) {
  const last = `SELECT max(m.position) FROM owui_chat_messages m WHERE m.chat_id = ${sent(table, "chat_id")}`;
  const place = sent(table, "position");
  return {
    field: "position",
    made: `CASE ${place} WHEN -1 THEN coalesce((${last}), 0) + 1 + j.key ELSE ${place} END`,
    kept: "iif(excluded.position = -2, r.position, excluded.position)",
  };
}

/**
 * The fields of a table's records that are made here.
 *
 * @param {Table} table
 * @returns {Own[]}
 */
function ownFields(table) {
  const id = table.hashed_id ? [{ field: "id", made: hashedId(table, table.hashed_id) }] : [];
  switch (table.collection) {
    case "owui_users": // as lib/records.js makes them; PocketBase changes the key of the tokens with the address
      return [
        { field: "password", made: "'$2!'" },
        {
          field: "tokenKey",
          made: "lower(hex(randomblob(25)))",
          kept: "iif(r.email = excluded.email, r.tokenKey, excluded.tokenKey)",
        },
      ];
    case "owui_files":
      return [
        { field: "pending", made: "FALSE", kept: "FALSE" },
        { field: "contents", made: "''" },
        { field: "sha256", made: "''" },
      ];
    case "owui_chats": // where `meta` changes, a trigger changes `tags`
      return [
        { field: "version", made: NEW_VERSION, kept: "excluded.version" },
        { field: "tags", made: relation(sent(table, "meta"), sent(table, "user_id")) },
        { field: "doc", made: `iif(${sent(table, "legacy_folded")} = '', 1, -1) * ${nextDoc(table)}` },
      ];
    case "owui_chat_messages":
      return [...id, position(table), { field: "doc", made: `-${nextDoc(table)}` }];
    case "owui_messages":
      return [
        { field: "waits", made: waits(sent(table, "meta")), kept: "excluded.waits" },
        { field: "doc", made: `-${nextDoc(table)}` },
      ];
    default:
      return id;
  }
}

/**
 * SQL of the number of a new record in the full-text index.
 *
 * @param {Table} table
 */
function nextDoc(table) {
  return `(${lastDoc(table.collection)} + 1 + j.key)`;
}

/**
 * SQL that inserts the records which the body has, and writes those anew that are there, under the same number.
 *
 * @param {Table} table
 */
function put(table) {
  const own = ownFields(table);
  const plain = sentFields(table)
    .map(({ field }) => field)
    .filter((field) => !own.some((other) => other.field === field));
  const made = [
    ...plain.map((field) => [field, sent(table, field)]),
    ...own.map(({ field, made }) => [field, made]),
    ["created", NOW],
    ["updated", NOW],
  ];
  const kept = [
    ...plain.filter((field) => field !== "id").map((field) => [field, `excluded.${field}`]),
    ...own.filter(({ kept }) => kept).map(({ field, kept }) => [field, kept]),
    ["updated", "excluded.updated"],
  ];
  // For an id there is a second index, without case, and a message's key can begin with the id of two chats.
  const isSame = ["id", ...(table.collection === "owui_chat_messages" ? ["chat_id"] : [])]
    .map((field) => `r.${field} = excluded.${field}`)
    .join(" AND ");
  return `INSERT INTO ${table.collection} AS r (${made.map(([field]) => field).join(", ")})
    SELECT ${made.map(([, sql]) => sql).join(", ")} FROM jsonb_each({:body}, '$.records') j WHERE TRUE
    ON CONFLICT (id) DO UPDATE SET ${kept.map(([field, sql]) => `${field} = ${sql}`).join(", ")} WHERE ${isSame}`;
}

/**
 * SQL of the records `t` whose keys the body has; each is an array.
 *
 * @param {Table} table
 */
function withKeys(table) {
  const key = table.hashed_id || ["id"];
  const fields = table.columns.filter(({ name }) => key.includes(name)).map(({ field }) => field);
  const order = key.map((name) => table.columns.find((column) => column.name === name)?.field);
  const values = order.map((_, place) => `value ->> ${place}`).join(", ");
  return fields.length === 1
    ? `FROM ${table.collection} AS t WHERE t.${fields[0]} IN (SELECT ${values} FROM json_each({:body}, '$.keys'))`
    : `FROM ${table.collection} AS t WHERE (${order.map((field) => `t.${field}`).join(", ")}) IN (
        SELECT ${values} FROM json_each({:body}, '$.keys'))`;
}

const DELETE_MESSAGES = `DELETE FROM owui_chat_messages WHERE rowid IN (SELECT m.rowid FROM owui_chat_messages m
  WHERE m.chat_id IN ${given("chats")} LIMIT ${DELETED_AT_ONCE})`;

/** @type {Record<string, import("../methods.js").Write>} */
const writes = {
  /** Delete some of the messages of `chats`; reply whether there may be more. */
  remove_messages_of_chats(tx, _args, body) {
    return String(execute(tx, DELETE_MESSAGES, body) === DELETED_AT_ONCE);
  },
};

for (const table of Object.values(tables)) {
  const sql = put(table);
  // Their bodies are long, and only SQLite reads them. The reply is the number of records that were written.
  const chat = CHAT_IN[table.collection];
  const chats = chat && `SELECT ${sent(table, chat)} FROM jsonb_each({:body}, '$.records') j`;
  writes[`put_${table.collection}`] = (tx, _args, body) => {
    if (chats) {
      makeRoom(tx, chats, body);
    }
    const written = execute(tx, sql, body);
    settleTags(tx);
    return String(written);
  };

  const found = withKeys(table);
  writes[`remove_${table.collection}`] = (tx, _args, body) => {
    if (table.auth || table.incomplete) {
      remove(tx, table, JSON.parse(query(tx, many("t.id", found, "t.rowid"), body))); // PocketBase has more of them
    } else {
      execute(tx, `DELETE ${found}`, body);
    }
    settleTags(tx);
    return "true";
  };
}

const unparsed = Object.keys(writes);

module.exports = { writes, unparsed, withKeys };
