// @ts-check

/** What PocketBase's dashboard is extended by. */

/** Have PocketBase serve `ui/main.js` with the pages of its dashboard; to everybody, as these. */
function extend() {
  $app.onServe().bindFunc((e) => {
    e.uiExtensions.push({ name: "owui", fs: $os.dirFS(`${__hooks}/owui/ui`) });
    return e.next();
  });
}

module.exports = { extend };
