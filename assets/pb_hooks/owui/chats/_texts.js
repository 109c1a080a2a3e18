// @ts-check

/** What is searched of chats and messages. */

const { tables } = require("../lib/rows.js");

/** Between texts that are stored as one: no text that is searched for has this white space. In JavaScript, and in SQL. */
const SEPARATOR = "\x1e";
const SEPARATOR_SQL = "char(30)";

/** SQL of the texts of a message `m` and of a chat `c`, in lower case. */
const OF_MESSAGE = /** @type {string} */ (tables.chat_message.search?.text.replaceAll("{row}", "m"));
const OF_CHAT = /** @type {string} */ (tables.chat.search?.text.replaceAll("{row}", "c"));

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

module.exports = { SEPARATOR, SEPARATOR_SQL, OF_MESSAGE, OF_CHAT, searchedText };
