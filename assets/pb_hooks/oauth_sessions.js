// @ts-check

/** The host's table `oauth_session`: tokens of other identity providers, encrypted by the host. */

const reads = {};
const writes = {};

module.exports = { reads, writes };
