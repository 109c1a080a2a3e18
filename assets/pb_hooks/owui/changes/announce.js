// @ts-check

/**
 * Telling those who read the change feed that it has grown, over PocketBase's realtime, on a topic of our own.
 *
 * A reader is armed when it asks for a page, before the page is read, and told of the first change behind that; so there
 * are never more announcements than pages, however much is written. `$app.store()` is of PocketBase's process, as the
 * realtime clients are.
 */

const { FEED } = require("../lib/listeners.js");
const { isOurs } = require("../lib/records.js");

/** Who is to be told: JSON of `{client: origin}`, ids of realtime clients, and whose changes each does not want. */
const ARMED = "owui_armed";

/**
 * Have a realtime client told of the next change.
 *
 * @param {CoreApp} app
 * @param {string} client its id
 * @param {string} except origin of the changes that it knows of; empty for none
 */
function arm(app, client, except) {
  app
    .store()
    .setFunc(ARMED, (/** @type {string} */ found) =>
      JSON.stringify({ ...JSON.parse(found || "{}"), [client]: except }),
    );
}

/**
 * Tell those who are armed, after a commit. Nobody gets more than that something has changed.
 *
 * @param {CoreApp} app
 * @param {string} origin whose change it was; empty if nobody knows
 */
function announce(app, origin) {
  if (!toBeTold(app.store().get(ARMED), origin).length) {
    return;
  }
  /** @type {string[]} */
  let told = [];
  app.store().setFunc(ARMED, (/** @type {string} */ found) => {
    told = toBeTold(found, origin);
    /** @type {[string, string][]} */
    const armed = Object.entries(JSON.parse(found || "{}"));
    return JSON.stringify(Object.fromEntries(armed.filter(([id]) => !told.includes(id))));
  });
  for (const id of told) {
    const client = clientOf(app, id);
    if (client?.hasSubscription(FEED) && client.get("auth")?.isSuperuser()) {
      // It waits until the connection takes it, which is at once: the reader has just sent a request.
      client.send(new SubscriptionMessage({ name: FEED, data: toBytes("1") }));
    }
  }
}

/**
 * Those of the armed who do not know of a change.
 *
 * @param {string} armed
 * @param {string} origin
 * @returns {string[]} ids of clients
 */
function toBeTold(armed, origin) {
  /** @type {[string, string][]} */
  const found = Object.entries(JSON.parse(armed || "{}"));
  return found.filter(([, except]) => !except || except !== origin).map(([id]) => id);
}

/**
 * @param {CoreApp} app
 * @param {string} id
 * @returns {any} null if it has gone
 */
function clientOf(app, id) {
  try {
    return app.subscriptionsBroker().clientById(id);
  } catch {
    return null;
  }
}

/**
 * After a record was written: over PocketBase's API, in the dashboard, or by a hook of somebody else. Our own routes
 * announce what they write themselves.
 *
 * @param {core.RecordEvent} e
 */
function written(e) {
  e.next();
  if (e.record && !isOurs(e.record)) {
    announce(e.app, "");
  }
}

module.exports = { arm, announce, written };
