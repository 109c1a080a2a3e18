// @ts-check

/** The host's table `access_grant`: who may read or write what. */

const reads = {};
const writes = {};

module.exports = { reads, writes };
