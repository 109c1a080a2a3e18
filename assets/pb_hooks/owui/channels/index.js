// @ts-check

/** The methods of `channels`, put together from their rooms. */

const rooms = [require("../seams/apps.js"), require("../seams/channel_users.js")];

/** @typedef {import("../methods.js").Methods} Methods */

module.exports = {
  /** @type {Methods["reads"]} */
  reads: Object.assign({}, ...rooms.map((room) => ("reads" in room ? room.reads : {}))),
  /** @type {Methods["writes"]} */
  writes: Object.assign({}, ...rooms.map((room) => ("writes" in room ? room.writes : {}))),
};
