// @ts-check

/** The methods of models; their versions have a route of their own. */

const { together } = require("../lib/rooms.js");

module.exports = together([require("./lists.js"), require("./models.js")]);
