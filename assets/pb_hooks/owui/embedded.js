// @ts-check

/** What the server needs when Open WebUI starts it itself, which is told by credentials in its environment. */

function prepare() {
  const identity = $os.getenv("OWUI_SUPERUSER_IDENTITY");
  if (!identity) {
    return;
  }
  upsertSuperuser(identity, $os.getenv("OWUI_SUPERUSER_PASSWORD"));
  const settings = $app.settings();
  if (settings.logs.maxDays !== 0) {
    settings.logs.maxDays = 0; // no request logs: each would be a write of its own
    $app.save(settings);
  }
}

/**
 * @param {string} identity
 * @param {string} password
 */
function upsertSuperuser(identity, password) {
  const [record] = $app.findAllRecords("_superusers", $dbx.hashExp({ email: identity }));
  const superuser = record || new Record($app.findCollectionByNameOrId("_superusers"));
  if (record && superuser.validatePassword(password)) {
    return;
  }
  superuser.set("email", identity);
  superuser.set("password", password);
  $app.save(superuser);
}

module.exports = { prepare };
