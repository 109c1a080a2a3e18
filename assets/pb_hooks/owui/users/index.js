// @ts-check

/** The methods of users; credentials and sessions have routes of their own. */

const parts = [
  require("./users.js"),
  require("./lists.js"),
  require("./activity.js"),
  require("./api_keys.js"),
];

/** @type {import("../methods.js").Methods} */
module.exports = {
  reads: Object.assign({}, ...parts.map(({ reads }) => reads)),
  writes: Object.assign({}, ...parts.map((part) => ("writes" in part ? part.writes : {}))),
};
