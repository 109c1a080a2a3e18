// @ts-check

/**
 * The methods of `chats`, put together from their rooms; repositories/chats/__init__.py says what is where.
 * `chat_messages` is message_rows.js, and `shared_chats` is snapshots.js.
 */

const rooms = [
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
];

/** @typedef {import("../methods.js").Methods} Methods */

module.exports = {
  /** @type {Methods["reads"]} */
  reads: Object.assign({}, ...rooms.map((room) => ("reads" in room ? room.reads : {}))),
  /** @type {Methods["writes"]} */
  writes: Object.assign({}, ...rooms.map((room) => ("writes" in room ? room.writes : {}))),
  /** @type {Methods["answers"]} */
  answers: Object.assign({}, ...rooms.map((room) => ("answers" in room ? room.answers : {}))),
  /** @type {string[]} */
  unparsed: rooms.flatMap((room) => ("unparsed" in room ? room.unparsed : [])),
};
