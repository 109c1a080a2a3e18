// @ts-check

/** Records that are made or changed in the dashboard, or over PocketBase's own API. */

const { fold } = require("./lib/records.js");
const { tables } = require("./lib/rows.js");

/**
 * Keep what is searched right.
 *
 * @param {core.RecordRequestEvent} e
 */
function refold(e) {
  /** @type {import("./lib/rows.js").Table[]} */
  const declared = Object.values(tables);
  const table = declared.find(({ collection }) => collection === e.collection?.name);
  for (const { field } of table?.columns.filter(({ folded }) => folded) || []) {
    e.record?.set(`${field}_folded`, fold(e.record.getString(field)));
  }
  return e.next();
}

module.exports = { refold };
