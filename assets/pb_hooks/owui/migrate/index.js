// @ts-check

/** Moving data into PocketBase, and out of it; methods end with the name of the collection that they are about. */

const { writes, unparsed } = require("./records.js");
const { reads } = require("./rows.js");

module.exports = { reads, writes, unparsed };
