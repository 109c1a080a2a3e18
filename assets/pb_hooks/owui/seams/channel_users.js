// @ts-check

/** Members of channels, for a host whose users are in its SQL database. */

const { arg, many } = require("../lib/rows.js");

const reads = {
  /** Ids of the users who are, or were, members of a channel. */
  get_user_ids: many(
    "m.user_id",
    `FROM owui_channel_members m WHERE m.channel_id = ${arg("channel_id")} AND m.user_id != ''`,
    "m.user_id",
  ),
};

module.exports = { reads };
