// @ts-check

/**
 * Usage of models, by user and time, from the messages.
 *
 * Days and parts of days are those of a time zone that the repository knows: it sends the zone's offsets from UTC.
 */

const { tables, arg, given, value, matches, one } = require("../lib/rows.js");
const { PAGE } = require("../lib/paging.js");
const { membersBelow } = require("../lib/trees.js");
const { kept } = require("./_remains.js");
const { WITH_CALLS, toolCalls } = require("./_tool_calls.js");

/**
 * Whose messages are asked for: dates in seconds since 1970, a group or some users; and `zone`, a list of [seconds since
 * 1970, offset from UTC that begins then], with the `size` of parts of days in seconds.
 *
 * @typedef {{ start_date?: number, end_date?: number, group_id?: string, user_ids?: string[], zone: [number, number][],
 *   size: number, shift?: number, now?: number, tokens?: boolean }} Asked
 */

const MESSAGE = tables.chat_message;

/** Message `m` is a row of the host's table. */
const IS_ROW = `m.has_row = TRUE AND ${kept("m")}`;

const USER = value(MESSAGE, "m", "user_id");
const MODEL = value(MESSAGE, "m", "model_id");
const CREATED_AT = value(MESSAGE, "m", "created_at");
const OF_USER = matches(MESSAGE, "m", "user_id");
const ANSWERS = "m.role = 'assistant'";

/** Then `m.model_id` is the model, and its index is in the order of models. */
const WITH_MODEL = `${MODEL} IS NOT NULL`;

const DAY = 86400; // seconds

/** Whose messages count: the parameter that asks for it -> SQL. */
const FILTERS = {
  start_date: `m.created_at >= ${arg("start_date")} AND ${CREATED_AT} IS NOT NULL`,
  end_date: `m.created_at <= ${arg("end_date")} AND ${CREATED_AT} IS NOT NULL`,
  group_id: `${USER} IS NOT NULL AND m.user_id IN ${membersBelow(`SELECT ${arg("group_id")}`)}`,
  user_ids: `${USER} IS NOT NULL AND m.user_id IN ${given("user_ids")}`,
};

/**
 * SQL, from FROM on, of the rows that fulfil the conditions and the filters that are given.
 *
 * @param {Asked} args
 * @param {string[]} conditions
 */
function among(args, ...conditions) {
  const filters = Object.entries(FILTERS).flatMap(([name, sql]) =>
    args[/** @type {keyof Asked} */ (name)] === undefined ? [] : [sql],
  );
  return `FROM owui_chat_messages m WHERE ${[IS_ROW, ...conditions, ...filters].join(" AND ")}`;
}

/**
 * SQL of a number of tokens, by the first of its names which has one. The column is asked first: the entry, and what
 * says whether it has the column, are behind long texts.
 *
 * @param {string[]} names
 */
function tokens(...names) {
  const numbers = names.map(
    (name) => `CAST(CASE WHEN m.usage NOT IN ('null', '') THEN m.usage ->> '$.${name}'
      WHEN instr(m.same, '"usage"') THEN m.entry ->> '$.usage.${name}' END AS INTEGER)`,
  );
  return `coalesce(${numbers.join(", ")})`;
}

const INPUT = tokens("input_tokens", "prompt_tokens");
const OUTPUT = tokens("output_tokens", "completion_tokens");

const SECONDS = "iif(m.created_at > 10000000000, m.created_at / 1000.0, m.created_at)";

/** A message's time, in seconds; now if it is from before 2020 or from the future, as the host has it. */
const TIME = `iif(${SECONDS} BETWEEN 1577836800 AND ${arg("now")} + 86400, ${SECONDS}, ${arg("now")})`;

/**
 * SQL of the number of a message's part of the day: `size` seconds of local time, counted from 1970.
 *
 * @param {Asked} args `shift` are seconds that all messages are moved by
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
 * SQL that groups rows by a key, in its order; each becomes the key and what is computed of its rows.
 *
 * @param {string} key
 * @param {string[]} values SQL of what is computed
 * @param {string} rest from FROM on
 */
function groups(key, values, rest) {
  const names = values.map((_, index) => `v${index}`);
  return `SELECT json_group_array(json_array(${["k", ...names].join(", ")}) ORDER BY k) AS json FROM (
    SELECT ${key} AS k, ${values.map((sql, index) => `${sql} AS ${names[index]}`).join(", ")} ${rest} GROUP BY k)`;
}

/**
 * A read of answers by a key.
 *
 * @param {string} key
 * @param {string[]} values SQL of what is computed of them
 * @param {string[]} conditions
 */
function grouped(key, values, ...conditions) {
  return (/** @type {Asked} */ args) => groups(key, values, among(args, ANSWERS, ...conditions));
}

const TOTALS = ["coalesce(sum(input), 0)", "coalesce(sum(output), 0)", "count(*)"];

/**
 * A read of the tokens, and the number, of answers by a key. It is grouped when tokens are known, not with all texts.
 *
 * @param {string} key
 * @param {string[]} conditions
 */
function tokensBy(key, ...conditions) {
  const counted = (/** @type {string} */ rest) =>
    `WITH used AS MATERIALIZED (SELECT ${key} AS id, ${INPUT} AS input, ${OUTPUT} AS output ${rest})
    ${groups("id", TOTALS, "FROM used")}`;
  return (/** @type {Asked} */ args) => counted(among(args, ANSWERS, ...conditions));
}

/** @param {string} rest from FROM on */
const chatIds = (rest) => `SELECT json_group_array(id ORDER BY last DESC, id) AS json FROM (
  SELECT m.chat_id AS id, max(${CREATED_AT}) AS last ${rest} GROUP BY m.chat_id
  ORDER BY last DESC, id ${PAGE})`;

/** @param {string} rest from FROM on */
const summary = (rest) => `SELECT json_array(count(model), count(DISTINCT chat), count(DISTINCT model),
    count(DISTINCT user) + (count(*) > count(user))) AS json
  FROM (SELECT m.chat_id AS chat, ${MODEL} AS model, ${USER} AS user ${rest})`;

/**
 * @param {string} day SQL of its number, or NULL
 * @param {string} rest from FROM on
 */
const userSummary = (day, rest) => `SELECT json_array(count(*), coalesce(sum(role = 'user'), 0),
    coalesce(sum(answer), 0), coalesce(sum(input), 0), coalesce(sum(output), 0), count(DISTINCT model),
    count(DISTINCT day)) AS json
  FROM (SELECT m.role AS role, ${ANSWERS} AS answer, iif(${ANSWERS}, ${INPUT}, NULL) AS input,
    iif(${ANSWERS}, ${OUTPUT}, NULL) AS output, iif(${ANSWERS}, ${MODEL}, NULL) AS model, ${day} AS day ${rest})`;

/**
 * Models of a day are in the order of their first use.
 *
 * @param {string} day SQL of its number
 * @param {string} rest from FROM on
 */
const dailyUsage = (day, rest) => `WITH used AS MATERIALIZED (SELECT ${day} AS day, m.chat_id AS chat,
      iif(${ANSWERS}, ${MODEL}, '') AS model, coalesce(${INPUT}, 0) + coalesce(${OUTPUT}, 0) AS tokens,
      row_number() OVER (ORDER BY m.created_at, m.rowid) AS number ${rest}),
    models AS (SELECT day, json_group_array(json_array(model, messages) ORDER BY first) AS list FROM (
      SELECT day, model, count(*) AS messages, min(number) AS first FROM used WHERE model != '' GROUP BY day, model)
      GROUP BY day)
  SELECT json_group_array(json_array(d.day, d.messages, d.chats, d.tokens, json(coalesce(o.list, '[]')))
    ORDER BY d.day) AS json
  FROM (SELECT day, count(*) AS messages, count(DISTINCT chat) AS chats, sum(tokens) AS tokens FROM used
    GROUP BY day) d LEFT JOIN models o ON o.day = d.day`;

/**
 * Of models used equally often the stock query meets the last one first.
 *
 * @param {string} rest from FROM on
 */
const topModels = (rest) => `WITH used AS MATERIALIZED (
    SELECT m.model_id AS id, ${INPUT} AS input, ${OUTPUT} AS output ${rest}),
  models AS (SELECT id, ${TOTALS[2]} AS messages, ${TOTALS[0]} AS input, ${TOTALS[1]} AS output FROM used GROUP BY id
    ORDER BY messages DESC, id DESC LIMIT coalesce(${arg("limit")}, -1))
  SELECT json_group_array(json_array(id, messages, input, output) ORDER BY messages DESC, id DESC) AS json FROM models`;

/**
 * Amounts by part of the day and model.
 *
 * @param {string} part SQL of the part's number
 * @param {string} amount SQL of what is added up
 * @param {string} order of rows as the stock query meets them: a part, and a model of it, comes where it is first met;
 *   or nothing: all are in their own order
 * @param {string} rest from FROM on
 */
const overTime = (part, amount, order, rest) => `SELECT json_group_array(json_array(part, model, amount)
    ORDER BY first, part, model) AS json
  FROM (SELECT part, model, sum(amount) AS amount, min(number) AS first FROM (
    SELECT ${part} AS part, m.model_id AS model, ${amount} AS amount,
      ${order ? `row_number() OVER (ORDER BY ${order})` : "0"} AS number ${rest}) GROUP BY part, model)`;

const reads = {
  get_chat_ids_by_model_id: (/** @type {Asked} */ args) =>
    chatIds(among(args, matches(MESSAGE, "m", "model_id"))),
  get_analytics_summary: (/** @type {Asked} */ args) => summary(among(args, ANSWERS)),
  get_message_count_by_model: grouped("m.model_id", ["count(*)"], WITH_MODEL),
  get_model_analytics: grouped(
    "m.model_id",
    ["count(*)", `count(DISTINCT ${USER})`, "count(DISTINCT m.chat_id)"],
    WITH_MODEL,
  ),
  get_token_usage_by_model: tokensBy("m.model_id", WITH_MODEL),
  get_user_analytics: tokensBy(USER),
  get_message_count_by_user: grouped(USER, ["count(*)"]),
  get_message_count_by_chat: grouped("m.chat_id", ["count(*)"]),
  get_user_usage_summary: (/** @type {Asked} */ args) =>
    userSummary(args.zone ? bucket(args) : "NULL", among(args, OF_USER)),
  get_user_first_message_created_at: one(`SELECT m.created_at FROM owui_chat_messages m
    WHERE ${IS_ROW} AND ${OF_USER} AND ${CREATED_AT} IS NOT NULL ORDER BY m.created_at`),
  get_user_daily_usage: (/** @type {Asked} */ args) => dailyUsage(bucket(args), among(args, OF_USER)),
  get_user_top_models: (/** @type {Asked} */ args) => topModels(among(args, OF_USER, ANSWERS, WITH_MODEL)),
  get_user_top_tools: (/** @type {Asked} */ args) => toolCalls(among(args, OF_USER, WITH_CALLS)),
  get_usage_over_time_by_model: (/** @type {Asked} */ args) => {
    const ofGroup = args.group_id !== undefined || args.user_ids !== undefined;
    const ofTime = args.start_date !== undefined || args.end_date !== undefined;
    const met = ofGroup ? "m.user_id, m.created_at, m.rowid" : ofTime ? "m.created_at, m.rowid" : "m.rowid";
    const amount = args.tokens ? `coalesce(${INPUT}, 0) + coalesce(${OUTPUT}, 0)` : "1";
    return overTime(bucket(args), amount, args.size === DAY ? "" : met, among(args, ANSWERS, WITH_MODEL));
  },
};

module.exports = { reads, IS_ROW, among };
