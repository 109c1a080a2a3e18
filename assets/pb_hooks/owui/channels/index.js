// @ts-check

/** The methods of `channels`, put together from their rooms; repositories/channels/__init__.py says what is where. */

const { together } = require("../lib/rooms.js");

module.exports = together([
  require("./channels.js"),
  require("./files.js"),
  require("./members.js"),
  require("./webhooks.js"),
  require("../seams/apps.js"),
  require("../seams/channel_list.js"),
  require("../seams/channel_users.js"),
]);
