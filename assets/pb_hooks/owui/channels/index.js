// @ts-check

/** The methods of `channels`, put together from their rooms; repositories/channels/__init__.py says what is where. */

const channels = require("./channels.js");
const files = require("./files.js");
const members = require("./members.js");
const webhooks = require("./webhooks.js");
const list = require("../seams/channel_list.js");

/** @type {import("../methods.js").Methods} */
module.exports = {
  reads: { ...channels.reads, ...members.reads, ...webhooks.reads, ...list.reads },
  writes: { ...channels.writes, ...members.writes, ...files.writes, ...webhooks.writes },
  answers: { ...channels.answers, ...members.answers, ...webhooks.answers },
};
