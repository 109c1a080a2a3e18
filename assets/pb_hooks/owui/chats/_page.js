// @ts-check

const { arg } = require("../lib/rows.js");

/** SQL of a page by the parameters `limit` and `skip`, which may be missing. */
const PAGE = `LIMIT coalesce(${arg("limit")}, -1) OFFSET coalesce(${arg("skip")}, 0)`;

module.exports = { PAGE };
