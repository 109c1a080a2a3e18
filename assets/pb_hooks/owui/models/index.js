// @ts-check

/** The methods of models; their versions have a route of their own. */

const lists = require("./lists.js");
const models = require("./models.js");

/** @type {import("../methods.js").Methods} */
module.exports = {
  reads: { ...lists.reads, ...models.reads },
  writes: models.writes,
  answers: models.answers,
};
