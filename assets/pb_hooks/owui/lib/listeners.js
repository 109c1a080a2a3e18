// @ts-check

/**
 * Who listens to our collections over PocketBase's realtime. It tells them of what it writes itself; of what our hooks
 * write in SQL it has to be made to, see changes/broadcast.js. Asking each client what it listens to would cost more, the
 * more clients there are, so it is noted when they subscribe.
 */

/** The topic on which the growth of the change feed is announced, see changes/announce.js. */
const FEED = "owui_changes";

/** In `$app.store()`: JSON of the realtime clients that listen to our collections, `{id: [collection]}`. */
const LISTENERS = "owui_listeners";

/**
 * Note what a client listens to from now on.
 *
 * Nobody but a superuser may be told of the feed. PocketBase would take a token that has expired for a guest's, and
 * whoever sent it would not learn that it is told nothing.
 *
 * @param {core.RealtimeSubscribeRequestEvent} e
 */
function subscribed(e) {
  if (e.subscriptions.includes(FEED) && !e.hasSuperuserAuth()) {
    throw new UnauthorizedError(`Only superusers may subscribe to ${FEED}.`);
  }
  e.next();
  note(e.app, e.client.id(), e.subscriptions, e.hasSuperuserAuth());
}

/**
 * Look again at what everybody listens to: a collection has got other rules.
 *
 * @param {core.CollectionEvent} e
 */
function ruled(e) {
  e.next();
  for (const [id, client] of Object.entries(e.app.subscriptionsBroker().clients())) {
    /** @type {any} */
    const auth = client.get("auth");
    note(e.app, id, Object.keys(client.subscriptions()), Boolean(auth?.isSuperuser()));
  }
}

/**
 * @param {CoreApp} app
 * @param {string} id of a realtime client
 * @param {string[]} subscriptions
 * @param {boolean} isSuperuser
 */
function note(app, id, subscriptions, isSuperuser) {
  const topics = subscriptions.map((topic) => topic.split(/[/?]/)[0]);
  const collections = [...new Set(topics)].map((topic) => nameOf(app, topic, isSuperuser)).filter(Boolean);
  app.store().setFunc(LISTENERS, (/** @type {string} */ found) => {
    const listeners = JSON.parse(found || "{}");
    delete listeners[id];
    for (const other of Object.keys(listeners).filter((other) => !isThere(app, other))) {
      delete listeners[other];
    }
    if (collections.length) {
      listeners[id] = collections;
    }
    return JSON.stringify(listeners);
  });
}

/**
 * The collections that somebody listens to.
 *
 * @param {CoreApp} app
 * @returns {string[]}
 */
function heard(app) {
  const found = app.store().get(LISTENERS);
  if (!found || found === "{}") {
    return [];
  }
  /** @type {[string, string[]][]} */
  const listeners = Object.entries(JSON.parse(found));
  return [...new Set(listeners.flatMap(([id, collections]) => (isThere(app, id) ? collections : [])))];
}

/**
 * @param {CoreApp} app
 * @param {string} id of a realtime client
 */
function isThere(app, id) {
  try {
    app.subscriptionsBroker().clientById(id);
    return true;
  } catch {
    return false;
  }
}

/**
 * The name of one of our collections, if the client can hear anything of it; empty for any other topic. Nobody but
 * superusers hears of a collection without rules, as ours are: whoever else asks must not make writes slower.
 *
 * @param {CoreApp} app
 * @param {string} topic name or id of a collection, or something else
 * @param {boolean} isSuperuser
 */
function nameOf(app, topic, isSuperuser) {
  try {
    const { name, listRule, viewRule } = app.findCachedCollectionByNameOrId(topic);
    const isOpen = isSuperuser || listRule !== null || viewRule !== null;
    return name.startsWith("owui_") && isOpen ? name : "";
  } catch {
    return "";
  }
}

module.exports = { FEED, subscribed, ruled, heard };
