// @ts-check

/** The host's tables `group` and `group_member`: the tree of user groups. */

const reads = {};
const writes = {};

module.exports = { reads, writes };
