// @ts-check

/**
 * What is behind POST /api/owui/{group}/{method}, by group.
 *
 * `reads`: method -> SQL which takes the request's body as its only parameter and gives one row `json`, or a function
 * that makes this SQL for the parsed body. `writes`: method -> function of the transaction, the parsed body and the
 * body's text, which returns the reply as JSON text. `answers`: the reply of a write is this read, made in the same
 * transaction, unless the write returns null or a text: what is kept for a repeated request stays small. Its parameters
 * are the object that the write returns, or else the request's. `unparsed`:
 * writes that get the body's text only. `waits`: what a read waits for before it begins,
 * unless whoever asked is gone.
 *
 * @typedef {string | ((args: any) => string)} Read
 * @typedef {(tx: CoreApp, args: any, body: string) => string} Write
 * @typedef {(app: CoreApp, args: any, isGone: () => boolean) => void} Wait
 * @typedef {{
 *   reads: Record<string, Read>,
 *   writes?: Record<string, Write>,
 *   answers?: Record<string, Read>,
 *   unparsed?: string[],
 *   waits?: Record<string, Wait>,
 * }} Methods
 */

/** @type {Record<string, Methods>} */
module.exports = {
  access: require("./access.js"),
  auths: require("./users/auths.js"),
  changes: require("./changes.js"),
  channels: require("./channels/index.js"),
  chat_messages: require("./chats/message_rows.js"),
  chats: require("./chats/index.js"),
  config: require("./config/index.js"),
  contents: require("./storage/contents.js"),
  data_urls: require("./data_urls.js"),
  file_rows: require("./storage/rows.js"),
  files: require("./files.js"),
  folders: require("./folders.js"),
  groups: require("./groups/index.js"),
  indexer: require("./changes/indexer.js"),
  messages: require("./messages/index.js"),
  migrate: require("./migrate/index.js"),
  model_histories: require("./models/histories.js"),
  models: require("./models/index.js"),
  oauth_sessions: require("./users/oauth_sessions.js"),
  shared_chats: require("./chats/snapshots.js"),
  tags: require("./tags.js"),
  through: require("./changes/through.js"),
  users: require("./users/index.js"),
};
