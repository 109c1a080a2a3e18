// @ts-check

/**
 * What the messages say about the use of models, by whom and when.
 *
 * Days and parts of days are those of a time zone which the repository knows: it sends the zone's offsets from UTC.
 */

const { tables, arg, value, matches } = require(`${__hooks}/owui_rows.js`);

/** @type {import("./owui_rows.js").Table} */
const MESSAGE = tables.chat_message;

const USER = value(MESSAGE, "m", "user_id");
const MODEL = value(MESSAGE, "m", "model_id");
const CREATED_AT = value(MESSAGE, "m", "created_at");
const OF_USER = matches(MESSAGE, "m", "user_id");
const ANSWERS = "m.role = 'assistant'";
const WITH_MODEL = `${MODEL} IS NOT NULL`;

/** Whose messages count: the parameter which asks for it -> SQL. */
const FILTERS = {
  start_date: `m.created_at >= ${arg("start_date")} AND ${CREATED_AT} IS NOT NULL`,
  end_date: `m.created_at <= ${arg("end_date")} AND ${CREATED_AT} IS NOT NULL`,
  // Members of the group and of all groups below it; UNION ends on cycles. CROSS JOIN begins with the groups.
  group_id: `${USER} IS NOT NULL AND m.user_id IN (WITH RECURSIVE below (id) AS (
      SELECT ${arg("group_id")}
      UNION SELECT g.id FROM below b CROSS JOIN owui_groups g ON g.parent_group_id = b.id)
    SELECT gm.user_id FROM below b CROSS JOIN owui_group_members gm ON gm.group_id = b.id)`,
  user_ids: `${USER} IS NOT NULL AND m.user_id IN (SELECT value FROM json_each({:body}, '$.user_ids'))`,
};

/**
 * SQL, from FROM on, of the rows that fulfil the conditions and the filters which are given.
 *
 * @param {any} args
 * @param {string[]} conditions
 */
function among(args, ...conditions) {
  const filters = Object.entries(FILTERS).flatMap(([name, sql]) => (args[name] === undefined ? [] : [sql]));
  return `FROM owui_chat_messages m WHERE ${["m.has_row = TRUE", ...conditions, ...filters].join(" AND ")}`;
}

/**
 * SQL of a member of the row's JSON column, which the entry may have instead.
 *
 * @param {string} column
 * @param {string} operator `->` or `->>`
 * @param {string} path of the member, from the column on
 */
function member(column, operator, path) {
  return `iif(instr(m.same, '"${column}"'), m.entry ${operator} '$.${column}${path}',
    nullif(m.${column}, '') ${operator} '$${path}')`;
}

/**
 * SQL of a number of tokens, by the first of its names which has one.
 *
 * @param {string[]} names
 */
function tokens(...names) {
  return `coalesce(${names.map((name) => `CAST(${member("usage", "->>", `.${name}`)} AS INTEGER)`).join(", ")})`;
}

const INPUT = tokens("input_tokens", "prompt_tokens");
const OUTPUT = tokens("output_tokens", "completion_tokens");

const SECONDS = "iif(m.created_at > 10000000000, m.created_at / 1000.0, m.created_at)";

/** A message's time, in seconds; now if it is from before 2020 or from the future, as the host has it. */
const TIME = `iif(${SECONDS} BETWEEN 1577836800 AND ${arg("now")} + 86400, ${SECONDS}, ${arg("now")})`;

/**
 * SQL of the number of a message's part of the day: `size` seconds of local time, counted from 1970.
 *
 * @param {any} args `zone` is a list of [seconds since 1970, offset from UTC which begins then]; `shift` are seconds
 *   that all messages are moved by
 */
function bucket({ zone }) {
  const time = `(${TIME} + coalesce(${arg("shift")}, 0))`;
  const offset = (/** @type {number} */ index) => arg(`zone[${index}][1]`);
  let sql = offset(0);
  for (let index = 1; index < zone.length; index++) {
    sql = `iif(${time} >= ${arg(`zone[${index}][0]`)}, ${offset(index)}, ${sql})`;
  }
  return `CAST(${time} + ${sql} AS INTEGER) / ${arg("size")}`;
}

/**
 * A read that groups rows by a key, in its order; each becomes the key and what is computed of its rows.
 *
 * @param {string} key
 * @param {string[]} values SQL of what is computed
 * @param {string[]} conditions
 */
function grouped(key, values, ...conditions) {
  const names = values.map((_, index) => `v${index}`);
  return (/** @type {any} */ args) =>
    `SELECT json_group_array(json_array(${["k", ...names].join(", ")}) ORDER BY k) AS json FROM (
      SELECT ${key} AS k, ${values.map((sql, index) => `${sql} AS ${names[index]}`).join(", ")}
      ${among(args, ...conditions)} GROUP BY k)`;
}

const TOKENS = [`coalesce(sum(${INPUT}), 0)`, `coalesce(sum(${OUTPUT}), 0)`];

/** Calls of tools are objects whose type has one of these texts in it; what has neither need not be looked at. */
const mayCall = (/** @type {string} */ json) => `(instr(${json}, 'tool') OR instr(${json}, 'function_call'))`;

/**
 * SQL of a column as far as it may have calls of tools: without what these were given and, mostly, gave.
 *
 * @param {string} column
 */
function calls(column) {
  return `(SELECT CASE json_type(c.json) WHEN 'array' THEN (
      SELECT json_group_array(json(iif(e.type = 'object', json_remove(e.value, '$.arguments', '$.content',
        iif(${mayCall("(e.value -> '$.output')")}, '$.content', '$.output')), e.value)) ORDER BY e.key)
      FROM json_each(c.json) e WHERE e.type IN ('object', 'array') AND ${mayCall("e.value")})
    ELSE json(c.json) END FROM (SELECT ${member(column, "->", "")} AS json) c)`;
}

const reads = {
  get_chat_ids_by_model_id: (/** @type {any} */ args) =>
    `SELECT json_group_array(id ORDER BY last DESC, id) AS json FROM (
      SELECT m.chat_id AS id, max(${CREATED_AT}) AS last ${among(args, matches(MESSAGE, "m", "model_id"))}
      GROUP BY m.chat_id ORDER BY last DESC, id
      LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0))`,
  get_analytics_summary: (/** @type {any} */ args) =>
    `SELECT json_array(count(model), count(DISTINCT chat), count(DISTINCT model),
      count(DISTINCT user) + (count(*) > count(user))) AS json
    FROM (SELECT m.chat_id AS chat, ${MODEL} AS model, ${USER} AS user ${among(args, ANSWERS)})`,
  get_message_count_by_model: grouped(MODEL, ["count(*)"], ANSWERS, WITH_MODEL),
  get_model_analytics: grouped(
    MODEL,
    ["count(*)", `count(DISTINCT ${USER})`, "count(DISTINCT m.chat_id)"],
    ANSWERS,
    WITH_MODEL,
  ),
  get_token_usage_by_model: grouped(MODEL, [...TOKENS, "count(*)"], ANSWERS, WITH_MODEL),
  get_user_analytics: grouped(USER, [...TOKENS, "count(*)"], ANSWERS),
  get_message_count_by_user: grouped(USER, ["count(*)"], ANSWERS),
  get_message_count_by_chat: grouped("m.chat_id", ["count(*)"], ANSWERS),
  get_user_usage_summary: (/** @type {any} */ args) =>
    `SELECT json_array(count(*), coalesce(sum(role = 'user'), 0), coalesce(sum(answer), 0),
      coalesce(sum(input), 0), coalesce(sum(output), 0), count(DISTINCT model), count(DISTINCT day)) AS json
    FROM (SELECT m.role AS role, ${ANSWERS} AS answer, iif(${ANSWERS}, ${INPUT}, NULL) AS input,
      iif(${ANSWERS}, ${OUTPUT}, NULL) AS output, iif(${ANSWERS}, ${MODEL}, NULL) AS model,
      ${args.zone ? bucket(args) : "NULL"} AS day ${among(args, OF_USER)})`,
  get_user_first_message_created_at: `SELECT coalesce(min(${CREATED_AT}), 'null') AS json
    FROM owui_chat_messages m WHERE m.has_row = TRUE AND ${OF_USER}`,
  // Models of a day are in the order of their first use.
  get_user_daily_usage: (/** @type {any} */ args) =>
    `WITH used AS MATERIALIZED (SELECT ${bucket(args)} AS day, m.chat_id AS chat,
        iif(${ANSWERS}, ${MODEL}, '') AS model, coalesce(${INPUT}, 0) + coalesce(${OUTPUT}, 0) AS tokens,
        row_number() OVER (ORDER BY m.created_at, m.rowid) AS number ${among(args, OF_USER)}),
      models AS (SELECT day, json_group_array(json_array(model, messages) ORDER BY first) AS list FROM (
        SELECT day, model, count(*) AS messages, min(number) AS first FROM used WHERE model != '' GROUP BY day, model)
        GROUP BY day)
    SELECT json_group_array(json_array(d.day, d.messages, d.chats, d.tokens, json(coalesce(o.list, '[]')))
      ORDER BY d.day) AS json
    FROM (SELECT day, count(*) AS messages, count(DISTINCT chat) AS chats, sum(tokens) AS tokens FROM used
      GROUP BY day) d LEFT JOIN models o ON o.day = d.day`,
  get_user_top_models: (/** @type {any} */ args) =>
    `SELECT json_group_array(json_array(model, messages, input, output) ORDER BY messages DESC, model) AS json FROM (
      SELECT ${MODEL} AS model, count(*) AS messages, ${TOKENS[0]} AS input, ${TOKENS[1]} AS output
      ${among(args, OF_USER, ANSWERS, WITH_MODEL)} GROUP BY model
      ORDER BY messages DESC, model LIMIT coalesce(${arg("limit")}, -1))`,
  get_user_top_tools: (/** @type {any} */ args) =>
    `SELECT json_group_array(json_array(${calls("output")}, ${calls("meta")}) ORDER BY m.created_at, m.rowid) AS json
    ${among(
      args,
      OF_USER,
      `(${["output", "meta"]
        .map((column) => mayCall(`iif(instr(m.same, '"${column}"'), m.entry, m.${column})`))
        .join(" OR ")})`,
    )}`,
  // Days are in their order; parts of days, and models, in the order of their first use, as the stock queries meet them.
  get_usage_over_time_by_model: (/** @type {any} */ args) => {
    const order = args.group_id === undefined && args.user_ids === undefined ? [] : ["m.user_id"];
    if (order.length || args.start_date !== undefined || args.end_date !== undefined) {
      order.push("m.created_at");
    }
    const amount = args.tokens ? `coalesce(${INPUT}, 0) + coalesce(${OUTPUT}, 0)` : "1";
    return `SELECT json_group_array(json_array(bucket, model, amount)
        ORDER BY ${args.size === 86400 ? "bucket, model" : "first"}) AS json
      FROM (SELECT bucket, model, sum(amount) AS amount, min(number) AS first FROM (
        SELECT ${bucket(args)} AS bucket, ${MODEL} AS model, ${amount} AS amount,
          row_number() OVER (ORDER BY ${[...order, "m.rowid"].join(", ")}) AS number
        ${among(args, ANSWERS, WITH_MODEL)}) GROUP BY bucket, model)`;
  },
};

module.exports = { reads, among };
