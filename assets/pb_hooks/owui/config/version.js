// @ts-check

/**
 * The version of the configuration: a text that triggers make anew with each change of `owui_config`, whoever makes it.
 *
 * Each answer names it, so a process that has a copy of the configuration knows whether that is still right.
 */

/** SQL of the version. */
const VERSION = "coalesce((SELECT value FROM owui_meta WHERE key = 'config'), 'none')";

/**
 * Have an answer name a version; its body comes behind that.
 *
 * @param {core.RequestEvent} e
 * @param {string} version
 */
function name(e, version) {
  e.response.header().set("X-Owui-Config", version);
}

/**
 * SQL that gives the row `json` of a read, and the version of that moment beside it.
 *
 * @param {string} sql
 */
function withVersion(sql) {
  return `SELECT (${sql}) AS json, ${VERSION} AS version`;
}

module.exports = { VERSION, name, withVersion };
