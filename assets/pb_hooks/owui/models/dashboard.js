// @ts-check

/** Models that are made, changed or deleted in the dashboard, or over PocketBase's own API. */

const { deleting } = require("../changes/broadcast.js");
const { refold } = require("../dashboard.js");
const { deleteBelongings } = require("./models.js");

/**
 * A model: Open WebUI cannot read one without parameters or meta.
 *
 * @param {core.RecordRequestEvent} e
 */
function model(e) {
  for (const name of ["params", "meta"]) {
    if (["", "null"].includes(e.record?.getString(name) || "")) {
      e.record?.set(name, "{}");
    }
  }
  return refold(e);
}

/**
 * A model is deleted: its versions and grants go with it, as in Open WebUI.
 *
 * @param {core.RecordRequestEvent} e
 */
function deletedModel(e) {
  return deleting(e, (tx) => {
    deleteBelongings(tx, JSON.stringify({ ids: [e.record?.getString("key")] }));
    return e.next();
  });
}

module.exports = { model, deletedModel };
