// @ts-check

/** Messages of channels, with their reactions: all rooms. */

const rooms = [
  require("./messages.js"),
  require("./pages.js"),
  require("./threads.js"),
  require("./reactions.js"),
  require("./search.js"),
  require("../seams/workspace_messages.js"),
];

/** @typedef {import("../methods.js").Methods} Methods */

module.exports = {
  /** @type {Methods["reads"]} */
  reads: Object.assign({}, ...rooms.map((room) => room.reads)),
  /** @type {Methods["writes"]} */
  writes: Object.assign({}, ...rooms.map((room) => ("writes" in room ? room.writes : {}))),
  /** @type {Methods["answers"]} */
  answers: Object.assign({}, ...rooms.map((room) => ("answers" in room ? room.answers : {}))),
  /** @type {string[]} */
  unparsed: rooms.flatMap((room) => ("unparsed" in room ? room.unparsed : [])),
};
