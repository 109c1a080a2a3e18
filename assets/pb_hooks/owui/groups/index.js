// @ts-check

/** The methods of groups and of their members. */

const groups = require("./groups.js");
const members = require("./members.js");

module.exports = {
  reads: { ...groups.reads, ...members.reads },
  writes: { ...groups.writes, ...members.writes },
};
