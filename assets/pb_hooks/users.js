// @ts-check

/** The host's tables `user` and `api_key`. */

const reads = {};
const writes = {};

module.exports = { reads, writes };
