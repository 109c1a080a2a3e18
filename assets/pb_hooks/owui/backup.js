// @ts-check

/** Backups and restores leave the embedded server's own files alone: its credentials, locks and logs. */

/** @param {core.BackupEvent} e */
function withoutRunDirectory(e) {
  // In an archive they would be secrets; restored, locks that nobody holds, and credentials that nobody uses.
  e.exclude = [...e.exclude, ".owui"];
  return e.next();
}

module.exports = { withoutRunDirectory };
