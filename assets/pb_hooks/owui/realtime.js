// @ts-check

/** Who is told of changes: subscriptions of the topic `owui_changes`. */

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

module.exports = { subscribing };
