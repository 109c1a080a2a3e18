// @ts-check

/** The methods of groups and of their members. */

const { together } = require("../lib/rooms.js");

module.exports = together([require("./groups.js"), require("./members.js")]);
