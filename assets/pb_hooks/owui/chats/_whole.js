// @ts-check

/** Chats as a whole: their rows, with their messages put together in SQLite, where nothing of them is parsed. */

const { tables, arg, row, one } = require("../lib/rows.js");

const CHAT = tables.chat;

/**
 * The members of the JSON object that the body has for messages. Texts are put together: parsing them takes longer.
 * They come in the order of the index: sorting them takes ten times as long as all the rest.
 */
const MEMBERS = `(SELECT group_concat(json_quote(substr(key, length(chat_id) + 2)) || ':' || entry, ',')
  FROM (SELECT m.key, m.chat_id, m.entry FROM owui_chat_messages m
    WHERE m.chat_id = c.id AND m.position > 0 ORDER BY m.position))`;

/** The chat's messages as the body has them, as a JSON object. */
const HISTORY = `format('{%s}', ${MEMBERS})`;

/** A chat as a whole: its row, and its messages. With `||` the long text would be copied each time. */
const WHOLE = `format('[%s,{%s}]', ${row(CHAT, "c")}, ${MEMBERS})`;

/**
 * SQL that returns the chat of a query, its version, whether it is tidy, and its messages unless its version is the
 * given one; or `null`.
 *
 * @param {string} rest from FROM on; the chat is `c`
 */
function wholeUnless(rest) {
  const isKnown = `c.version = ${arg("version")}`;
  const messages = `iif(${isKnown}, 'null', '{'), iif(${isKnown}, '', coalesce(${MEMBERS}, '')), iif(${isKnown}, '', '}')`;
  return one(`SELECT format('[%s,%d,%d,%s%s%s]', ${row(CHAT, "c")}, c.version, c.tidy, ${messages}) ${rest}`);
}

/**
 * SQL that returns the first of the chats of a query, as a whole, or `null`.
 *
 * @param {string} rest from FROM on; the chats are `c`
 */
function wholeOne(rest) {
  return one(`SELECT ${WHOLE} ${rest}`);
}

/**
 * SQL that returns the chats of a query, as a whole.
 *
 * @param {string} rest from FROM on, without ORDER BY; the chats are `c`
 * @param {string} order
 */
function wholeMany(rest, order) {
  // The chats are sorted before they are put together. Without LIMIT, SQLite could leave the order out.
  return `SELECT '[' || coalesce(group_concat(${WHOLE}, ','), '') || ']' AS json
    FROM (SELECT c.rowid AS r ${rest} ORDER BY ${order} LIMIT -1) p CROSS JOIN owui_chats c ON c.rowid = p.r`;
}

module.exports = { HISTORY, wholeOne, wholeUnless, wholeMany };
