// @ts-check

/** Models that are deleted in the dashboard, or over PocketBase's own API. */

const { deleting } = require("../changes/broadcast.js");
const { deleteBelongings } = require("./models.js");

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

module.exports = { deletedModel };
