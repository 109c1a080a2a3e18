// @ts-check

/** What is searched of chats and messages. */

const { tables } = require("../lib/rows.js");
const { searched } = require("../lib/texts.js");

/** SQL of the texts of a message `m` and of a chat `c`, in lower case. */
const OF_MESSAGE = searched(tables.chat_message, "m");
const OF_CHAT = searched(tables.chat, "c");

/**
 * A message's content as SQLite's `->>` gives it.
 *
 * @param {{ content?: unknown } | null | undefined} message
 */
function searchedText(message) {
  const content = message?.content;
  return typeof content === "string"
    ? content
    : content && typeof content === "object"
      ? JSON.stringify(content)
      : "";
}

module.exports = { OF_MESSAGE, OF_CHAT, searchedText };
