// @ts-check

/** Calls of tools in messages. */

/**
 * SQL of a JSON column, which the entry may have instead.
 *
 * @param {string} column
 */
function json(column) {
  return `iif(instr(m.same, '"${column}"'), m.entry -> '$.${column}', nullif(m.${column}, ''))`;
}

/** Calls of tools are objects whose type contains one of these texts; a text without them need not be parsed. */
const mayCall = (/** @type {string} */ json) => `(instr(${json}, 'tool') OR instr(${json}, 'function_call'))`;

/**
 * SQL of a column as far as it may have calls of tools: without their arguments and most of their results.
 *
 * @param {string} column
 */
function calls(column) {
  return `(SELECT CASE json_type(c.json) WHEN 'array' THEN (
      SELECT json_group_array(json(iif(e.type = 'object', json_remove(e.value, '$.arguments', '$.content',
        iif(${mayCall("(e.value -> '$.output')")}, '$.content', '$.output')), e.value)) ORDER BY e.key)
      FROM json_each(c.json) e WHERE e.type IN ('object', 'array') AND ${mayCall("e.value")})
    ELSE json(c.json) END FROM (SELECT ${json(column)} AS json) c)`;
}

/** @param {string} rest from FROM on */
const toolCalls = (rest) =>
  `SELECT json_group_array(json_array(${calls("output")}, ${calls("meta")}) ORDER BY m.created_at, m.rowid) AS json ${rest}`;

const WITH_CALLS = `(${["output", "meta"]
  .map((column) => mayCall(`iif(instr(m.same, '"${column}"'), m.entry, m.${column})`))
  .join(" OR ")})`;

module.exports = { toolCalls, WITH_CALLS };
