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
  if ($os.getenv("OWUI_LISTEN")) {
    removeExample(); // Open WebUI has started it: it is nobody else's
  }
}

/**
 * Remove PocketBase's collection of users as long as nobody can have a use for it: it is empty and as PocketBase made it,
 * and there is no other collection than ours that may lead to it. People are in `owui_users`.
 */
function removeExample() {
  const others = $app
    .findAllCollections()
    .filter((each) => !each?.system && !String(each?.name).startsWith("owui_"));
  const [users] = others;
  if (
    others.length === 1 &&
    users?.name === "users" &&
    $app.countRecords(users) === 0 &&
    described(users) === described(example())
  ) {
    $app.delete(users);
  }
}

/** The collection that PocketBase makes in every new database, for applications to begin with. */
function example() {
  const owner = "id = @request.auth.id";
  const collection = new Collection({
    id: "_pb_users_auth_",
    name: "users",
    type: "auth",
    listRule: owner,
    viewRule: owner,
    createRule: "",
    updateRule: owner,
    deleteRule: owner,
    oauth2: { enabled: false, mappedFields: { name: "name", avatarURL: "avatar" } },
  });
  const mimeTypes = ["image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"];
  const fields = [
    { name: "name", type: "text", max: 255 },
    { name: "avatar", type: "file", maxSelect: 1, mimeTypes },
    { name: "created", type: "autodate", onCreate: true },
    { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
  ];
  collection.fields.addMarshaledJSON(JSON.stringify(fields));
  return collection;
}

/**
 * All that can be set of a collection, as a text.
 *
 * @param {core.Collection} collection
 */
function described(collection) {
  return JSON.stringify({ ...JSON.parse(JSON.stringify(collection)), created: "", updated: "" });
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
