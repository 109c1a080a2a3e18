// @ts-check

/**
 * Messages of channels for the host's unified search, as many as its page can show, and who is in direct messages, which
 * it calls by their members.
 */

const { tables, arg, given, value, row } = require("../lib/rows.js");
const { found, page } = require("../messages/_places.js");
const { textOf } = require("../messages/_texts.js");

const MESSAGE = tables.message;
const AUTHOR = value(MESSAGE, "m", "user_id");

/** Rows without what may be long and is not shown. */
const ROW = row(MESSAGE, "m").replace("m.meta", "'null'").replace("m.data", "'null'");

/** The seconds of the latest change, by which the host orders; in these very words there are indexes. */
const CHANGED = "substr(m.updated_at, 1, 10)";

const HAS_ALL_TERMS = `NOT EXISTS (SELECT 1 FROM json_each({:body}, '$.terms') t
  WHERE NOT instr(${textOf("m")}, t.value))`;

/** @type {Record<string, string>} */
const SHARING = {
  mine: `m.user_id = ${arg("user_id")}`,
  shared: `${AUTHOR} != ${arg("user_id")}`,
};

const MEMBERS = `SELECT json_group_array(json_array(c.channel_id, c.user_id)) FROM owui_channel_members c
  WHERE c.channel_id IN ${given("direct_ids")} AND c.user_id != ''`;

const reads = {
  /**
   * The first `number` of the rows that contain all `terms`, which are in lower case, and pairs of a direct message and
   * a member.
   *
   * @param {{ pieces: import("../lib/words.js").Part[], sharing: string }} args parts of words in the terms; and of
   *   `channel_ids`, whose messages: those of the user with `user_id` ("mine"), of others ("shared"), or all
   */
  search_workspace({ pieces, sharing }) {
    const isMatch = `${SHARING[sharing] || "TRUE"} AND ${HAS_ALL_TERMS}`;
    const wanted = { isMatch, time: CHANGED, tie: "m.id", limit: arg("number") };
    return `WITH ${found(pieces, wanted)} SELECT json_array(json((${page(ROW, wanted)})), json((${MEMBERS}))) AS json`;
  },
};

module.exports = { reads };
