// @ts-check

/**
 * Chats that a process of Open WebUI has locked, for as long as its own code runs between reading and writing them. An
 * edit that comes in between would make its write fail, and with it what somebody has just said.
 */

const { MILLISECONDS } = require("./bulk.js");
const { truth, query } = require("./rows.js");

/** Milliseconds to wait for a chat at most, and from one look to the next. */
const [PATIENCE, STEP] = [5000, 20];

const IS_LOCKED = truth(`EXISTS (SELECT 1 FROM owui_chat_locks l JOIN owui_chats c ON c.id = l.chat_id
  WHERE l.chat_id = {:body} AND l.expires_at > ${MILLISECONDS})`);

/**
 * Do something in a transaction, when nobody has locked a chat.
 *
 * @param {CoreApp} app
 * @param {string} chat its id; empty if it is not about a chat
 * @param {(tx: any) => void} work
 */
function whenFree(app, chat, work) {
  const until = Date.now() + PATIENCE;
  for (let isDone = false; !isDone;) {
    app.runInTransaction((tx) => {
      isDone = !chat || query(tx, IS_LOCKED, chat) === "false";
      if (isDone) {
        work(tx);
      }
    });
    if (!isDone) {
      if (Date.now() > until) {
        throw new ApiError(409, "Open WebUI is writing this chat. Try again.");
      }
      sleep(STEP);
    }
  }
}

module.exports = { whenFree };
