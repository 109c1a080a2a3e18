// @ts-check

/** Texts as they are searched: those of a record in one, with a character between them that nobody looks for. */

/** Between two texts. */
const SEPARATOR = "\x1e";

/** The same in SQL. */
const SQL_SEPARATOR = "char(30)";

/**
 * SQL of the text in which a record is searched.
 *
 * @param {import("./rows.js").Table} table one with a full-text index
 * @param {string} alias
 */
function searched(table, alias) {
  if (!table.search) {
    throw new Error(`${table.collection} is not searched`);
  }
  return table.search.text.replaceAll("{row}", alias);
}

/**
 * A tag's id, which the host makes from its name.
 *
 * @param {string} name
 */
function tagId(name) {
  return name.replaceAll(" ", "_").toLowerCase();
}

module.exports = { SEPARATOR, SQL_SEPARATOR, searched, tagId };
