// @ts-check

/** The methods of messages, put together from their rooms; repositories/messages/__init__.py says what is where. */

const search = require("./search.js");
const workspace = require("../seams/workspace_messages.js");

/** @type {import("../methods.js").Methods} */
module.exports = {
  reads: { ...search.reads, ...workspace.reads },
};
