// @ts-check

/** The methods of `channels`, put together from their rooms; repositories/channels/__init__.py says what is where. */

const rooms = [
  require("./channels.js"),
  require("./files.js"),
  require("./members.js"),
  require("./webhooks.js"),
  require("../seams/apps.js"),
  require("../seams/channel_list.js"),
  require("../seams/channel_users.js"),
];

/** @typedef {import("../methods.js").Methods} Methods */

module.exports = {
  /** @type {Methods["reads"]} */
  reads: Object.assign({}, ...rooms.map((room) => ("reads" in room ? room.reads : {}))),
  /** @type {Methods["writes"]} */
  writes: Object.assign({}, ...rooms.map((room) => ("writes" in room ? room.writes : {}))),
  /** @type {Methods["answers"]} */
  answers: Object.assign({}, ...rooms.map((room) => ("answers" in room ? room.answers : {}))),
};
