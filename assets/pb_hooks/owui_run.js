// @ts-check

/** Names this process of PocketBase, of which a restored backup ends the life; memory only, no transaction waits. */
function run() {
  return $app.store().getOrSet("owui_run_of_feed", () => $security.randomString(20));
}

module.exports = { run };
