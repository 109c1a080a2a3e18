// @ts-check

/** SQL of a page of a list of chats. */

const { many } = require("../lib/rows.js");
const { PAGE } = require("../lib/paging.js");
const { LISTED, ORDERS, named } = require("./_filters.js");

/** @typedef {import("./_filters.js").Sorted} Sorted */

/**
 * SQL of a page of chats: the common table expression `page` with their rowids `r`, ids and sort keys; and its order.
 * What the reply has of each is read for the page only.
 *
 * @param {string} rest from FROM on; the chats are `c`
 * @param {Sorted[]} order what is sorted by, and whether it descends
 */
function page(rest, order) {
  const keys = named(
    ORDERS,
    order.map(([name]) => name),
  );
  const sorted = order.map(([, descends], index) => `k${index}${descends ? " DESC" : ""}`).join(", ");
  return {
    page: `page AS MATERIALIZED (SELECT c.rowid AS r, c.id${keys.map((key, index) => `, ${key} AS k${index}`).join("")}
      ${rest} ORDER BY ${sorted} ${PAGE})`,
    sorted,
  };
}

/**
 * SQL that returns a page of chats, `LISTED`.
 *
 * @param {string} rest from FROM on; the chats are `c`
 * @param {Sorted[]} order
 */
function list(rest, order) {
  const { page: table, sorted } = page(rest, order);
  return `WITH ${table} ${many(LISTED, "FROM page p CROSS JOIN owui_chats c ON c.rowid = p.r", sorted)}`;
}

module.exports = { list, page };
