// @ts-check

/** The methods of users; credentials and sessions have routes of their own. */

const { together } = require("../lib/rooms.js");

module.exports = together([
  require("./users.js"),
  require("./lists.js"),
  require("./activity.js"),
  require("./api_keys.js"),
]);
