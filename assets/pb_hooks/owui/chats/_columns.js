// @ts-check

/**
 * Changing columns of chats: one UPDATE of the columns in question. It leaves the chat's version alone, so that those
 * who write messages meanwhile need not begin again.
 */

const { tables, arg } = require("../lib/rows.js");
const { assignments, execute } = require("../lib/bulk.js");

const CHAT = tables.chat;

/**
 * Columns that a method sets: as `changes`, fields and their values; `columns`, those of the columns that can be None;
 * and `nones`, those that are. See `Codec.changes`.
 *
 * @typedef {{ changes: Record<string, unknown>, columns: string[], nones: string[] }} Changes
 */

const BY_ID = `c.id = ${arg("id")}`;

/**
 * Change columns of chats; return how many chats these are.
 *
 * @param {CoreApp} tx
 * @param {Changes} args
 * @param {string} body
 * @param {string} which SQL of the chats; they are `c`
 * @param {string[]} further assignments
 */
function change(tx, args, body, which, further = []) {
  const set = [...further, assignments(CHAT, Object.keys(args.changes))].join(", ");
  return execute(tx, `UPDATE owui_chats AS c SET ${set} WHERE ${which}`, body);
}

/**
 * A write that changes one chat, or replies with null.
 *
 * @param {string} which
 * @param {string[]} further assignments
 * @returns {import("../methods.js").Write}
 */
function changing(which, further = []) {
  return (tx, args, body) => (change(tx, args, body, which, further) ? "true" : "null");
}

module.exports = { BY_ID, change, changing };
