// @ts-check

/** The host's table `auth`: how people sign in. */

const reads = {};
const writes = {};

module.exports = { reads, writes };
