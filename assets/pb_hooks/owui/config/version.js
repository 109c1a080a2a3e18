// @ts-check

/**
 * The version of the configuration: a text that triggers make anew with each change of `owui_config`, whoever makes it.
 *
 * Each answer names it, so a process that has a copy of the configuration knows whether that is still right.
 */

const { queryPrepared } = require("../lib/prepared.js");

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
 * Run a query of one row with one column `json`; return that text, and have the answer name the version of that moment.
 *
 * @param {CoreApp} app
 * @param {core.RequestEvent} e
 * @param {string} sql
 * @param {string} body JSON text, the parameters
 */
function queryNaming(app, e, sql, body) {
  const result = new DynamicModel({ json: "", version: "" });
  const json = queryPrepared(app, `SELECT (${sql}) AS json, ${VERSION} AS version`, body, result);
  name(e, /** @type {any} */ (result).version);
  return json;
}

module.exports = { VERSION, name, queryNaming };
