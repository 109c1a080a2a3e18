// @ts-check

/** Messages of channels, with their reactions: all rooms. */

const { together } = require("../lib/rooms.js");

module.exports = together([
  require("./messages.js"),
  require("./pages.js"),
  require("./threads.js"),
  require("./reactions.js"),
  require("./search.js"),
  require("../seams/workspace_messages.js"),
]);
