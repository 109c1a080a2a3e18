// @ts-check

/** PocketBase's realtime: who may subscribe to the topic `owui_changes`, and whether anybody wants records. */

const TOPIC = "owui_changes";

/**
 * Refuse a subscription of the topic by anybody but a superuser. PocketBase would take a token that has expired for a
 * guest's, and whoever sent it would not learn that it is told nothing.
 *
 * @param {core.RealtimeSubscribeRequestEvent} e
 */
function subscribing(e) {
  if (e.subscriptions.includes(TOPIC) && !e.hasSuperuserAuth()) {
    throw new UnauthorizedError(`Only superusers may subscribe to ${TOPIC}.`);
  }
  return e.next();
}

/**
 * Whether a client is subscribed to anything besides the topic, such as the dashboard to records.
 *
 * @param {CoreApp} app
 */
function wantsRecords(app) {
  const clients = Object.values(app.subscriptionsBroker().clients());
  return clients.some((client) => Object.keys(client.subscriptions()).some((topic) => topic !== TOPIC));
}

module.exports = { subscribing, wantsRecords };
