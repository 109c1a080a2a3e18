// @ts-check

/**
 * The methods of `chats`, put together from their rooms; repositories/chats/__init__.py says what is where.
 * `chat_messages` is message_rows.js, and `shared_chats` is snapshots.js.
 */

const { together } = require("../lib/rooms.js");

module.exports = together([
  require("./get.js"),
  require("./lists.js"),
  require("./counts.js"),
  require("./search.js"),
  require("./insert.js"),
  require("./update.js"),
  require("./delete.js"),
  require("./messages.js"),
  require("./tags.js"),
  require("./files.js"),
  require("./shares.js"),
  require("../seams/timers.js"),
  require("../seams/workspace_search.js"),
]);
