// @ts-check

/**
 * Reading rows while data are moved out of PocketBase, or compared; the other side is migrate/rows.py.
 *
 * A row goes out as an array: first an array of the columns without JSON, as the host knows them, then those with JSON,
 * which are put in as they are stored: so one parse of the reply reads all.
 */

const { kept } = require("../chats/_remains.js");
const { tables, arg, given, value, isRow, many } = require("../lib/rows.js");
const { withKeys } = require("./records.js");

/** @typedef {import("../lib/rows.js").Table} Table */

const { chat: CHAT, chat_message: MESSAGE } = tables;

/** Bytes that a record counts for besides its large columns. */
const SMALL = 300;

/** Records in one reply of keys. */
const PAGE = "LIMIT 5000";

/** What each table's rows have besides their columns. */
const FURTHER = /** @type {Record<string, string[]>} */ ({ owui_files: ["t.text"] });

/**
 * SQL of a JSON column.
 *
 * @param {string} sql the column
 * @param {boolean} isChecked whether it may be no JSON, and then counts as null
 */
function json(sql, isChecked) {
  return isChecked ? `iif(json_valid(${sql}), ${sql}, 'null')` : `coalesce(nullif(${sql}, ''), 'null')`;
}

/**
 * SQL of a row `t`.
 *
 * @param {Table} table
 * @param {boolean} isChecked
 * @param {string[]} first SQL of what comes before its columns
 * @param {string[]} documents SQL of JSON that comes behind them
 */
function row(table, isChecked, first = [], documents = []) {
  const scalars = table.columns
    .filter(({ type }) => type !== "json")
    .map(({ name }) => value(table, "t", name));
  const columns = table.columns.filter(({ type }) => type === "json").map(({ field }) => `t.${field}`);
  const array = `json_array(${[...first, ...scalars, ...(FURTHER[table.collection] || [])].join(", ")})`;
  const texts = [array, ...[...columns, ...documents].map((sql) => json(sql, isChecked))];
  return `format('[${texts.map(() => "%s").join(",")}]', ${texts.join(", ")})`;
}

/**
 * SQL of the bytes of a record.
 *
 * @param {Table} table
 * @param {string} alias
 */
function size(table, alias = "t") {
  /** @type {{ field?: string, name: string, large?: boolean }[]} */
  const fields = [...table.columns, ...(table.extras || [])];
  const large = fields.filter((each) => each.large).map(({ field, name }) => field || name);
  return [SMALL, ...large.map((field) => `coalesce(octet_length(${alias}.${field}), 0)`)].join(" + ");
}

/**
 * SQL of "the record `t` has a row".
 *
 * @param {Table} table
 */
function hasRow(table) {
  return table === MESSAGE ? `t.has_row = TRUE AND ${kept("t")}` : isRow(table, "t");
}

/** @param {Table} table */
function keyOf(table) {
  const fields = (table.hashed_id || ["id"]).map(
    (name) => table.columns.find((each) => each.name === name)?.field,
  );
  return `json_array(${fields.map((field) => `t.${field}`).join(", ")})`;
}

/** Bytes of the messages of a chat `t`, and of the data URLs for which it has marks, as far as that is noted. */
const OF_MESSAGES = `(SELECT coalesce(sum(${size(MESSAGE, "m")}), 0) FROM owui_chat_messages m WHERE m.chat_id = t.id)
  + (SELECT coalesce(sum(octet_length(p.text)), 0) FROM owui_data_url_uses u
    CROSS JOIN owui_data_url_parts p ON p.name = u.name WHERE u.owner = t.id)`;

/**
 * SQL of the rows of a query as JSON, each an array.
 *
 * @param {string} rows SQL of their texts, called `text`
 */
function list(rows) {
  return `SELECT '[' || coalesce(group_concat(text, ','), '') || ']' AS json FROM (${rows})`;
}

/**
 * SQL of chats by id: id, row or null, and all records of messages: position, whether there is a row, the row, the
 * names of the columns that the entry has, and the entry.
 *
 * @param {boolean} isChecked
 */
function chats(isChecked) {
  const message = row(MESSAGE, isChecked, ["t.position", "t.has_row"], ["t.same", "t.entry"]);
  return list(`SELECT format('[%s,%s,[%s]]', json_quote(k.value),
      coalesce((SELECT ${row(CHAT, isChecked)} FROM owui_chats t WHERE t.id = k.value), 'null'),
      coalesce((SELECT group_concat(text, ',') FROM (SELECT ${message} AS text FROM owui_chat_messages t
        WHERE t.chat_id = k.value AND ${kept("t")} ORDER BY t.position LIMIT -1)), '')) AS text
    FROM (SELECT value ->> 0 AS value FROM json_each({:body}, '$.keys')) k`);
}

/** @type {Record<string, import("../methods.js").Read>} */
const reads = {
  /** The number of changes of some collections behind one of the feed. */
  count_changes: `SELECT count(*) AS json FROM owui_changes
    WHERE seq > ${arg("after")} AND collection IN ${given("collections")}`,

  /** The ids of chats of which there are only messages, behind one, with the bytes of these. */
  get_ids_of_messages_without_chat: many(
    "json_array(k.chat_id, json_array(k.chat_id), k.size)",
    `FROM (SELECT t.chat_id, sum(${size(MESSAGE)}) AS size FROM owui_chat_messages t WHERE t.chat_id > ${arg("after")}
      AND ${kept("t")} AND NOT EXISTS (SELECT 1 FROM owui_chats c WHERE c.id = t.chat_id) GROUP BY t.chat_id ORDER BY t.chat_id ${PAGE}) k`,
    "k.chat_id",
  ),

  /** Those of the chats of which there are messages. */
  get_chats_of_messages: `SELECT json_group_array(json_array(k.value)) AS json
    FROM (SELECT value ->> 0 AS value FROM json_each({:body}, '$.keys')) k
    WHERE EXISTS (SELECT 1 FROM owui_chat_messages m WHERE m.chat_id = k.value AND ${kept("m")})`,

  /** @param {{ is_checked: boolean }} args */
  get_chats: ({ is_checked }) => chats(is_checked),
};

for (const table of Object.values(tables)) {
  const all = `FROM ${table.collection} t WHERE ${hasRow(table)}`;
  const bytes = table === CHAT ? `${size(table)} + ${OF_MESSAGES}` : size(table);
  reads[`get_size_of_${table.collection}`] =
    `SELECT json_array(count(*), coalesce(sum(${size(table)}), 0)) AS json ${all}`;
  // In the order in which they were inserted.
  reads[`get_keys_of_${table.collection}`] = many(
    `json_array(k.number, json(k.key), k.size)`,
    `FROM (SELECT t.rowid AS number, ${keyOf(table)} AS key, ${bytes} AS size ${all}
      AND t.rowid > ${arg("after")} ORDER BY t.rowid ${PAGE}) k`,
    "k.number",
  );
  const some = `${withKeys(table)} AND ${hasRow(table)}`;
  reads[`get_known_of_${table.collection}`] =
    `SELECT json_group_array(json(${keyOf(table)})) AS json ${some}`;
  // Which keys the records with some ids have.
  reads[`get_keys_by_id_of_${table.collection}`] =
    `SELECT json_group_array(json_array(t.id, json(${keyOf(table)}))) AS json
    FROM ${table.collection} t WHERE t.id IN ${given("ids")}`;
  for (const { name, field, relation } of table.columns) {
    if (relation) {
      // The number of rows that lead to nothing by a column.
      reads[`count_dangling_${table.collection}_${name}`] =
        `SELECT count(*) AS json ${all} AND t.${field} != ''
        AND NOT EXISTS (SELECT 1 FROM ${tables[relation].collection} p WHERE p.id = t.${field})`;
    }
  }
  reads[`get_rows_of_${table.collection}`] = (/** @type {{ is_checked: boolean }} */ { is_checked }) =>
    list(`SELECT ${row(table, is_checked)} AS text ${some}`);
}

module.exports = { reads };
