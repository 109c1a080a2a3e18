// @ts-check

/** Chats whose tags may not be equal to their `meta.tags` yet: `owui_stale_tags`, see schema/tags.py. */

const { truth, query } = require("./rows.js");

const ARE_THERE = truth("EXISTS (SELECT 1 FROM owui_stale_tags)");

/**
 * Set the tags of stale chats right; a trigger does so for each row that is deleted.
 *
 * @param {CoreApp} app
 */
function settleTags(app) {
  if (query(app, ARE_THERE, "") === "true") {
    app.nonconcurrentDB().newQuery("DELETE FROM owui_stale_tags").execute();
  }
}

module.exports = { settleTags };
