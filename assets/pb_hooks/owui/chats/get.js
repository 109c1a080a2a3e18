// @ts-check

/** One chat, and facts about chats whose ids are given. */

const { tables, arg, given, value, one, truth, many } = require("../lib/rows.js");
const { ACTIVE, OF_USER, filtered } = require("./_filters.js");
const { wholeUnless } = require("./_whole.js");

const CHAT = tables.chat;

const BY_ID = `FROM owui_chats c WHERE c.id = ${arg("id")}`;
const OWN = `${BY_ID} AND ${OF_USER}`;
const BY_IDS = `FROM owui_chats c WHERE c.id IN ${given("ids")}`;

/**
 * SQL of pairs of chat and author of questions. An empty history counts as one; only without a history the list of
 * older clients counts.
 */
function participants() {
  const chats = (/** @type {string} */ joined) =>
    `${filtered(["in_list"], `CROSS JOIN ${joined}`)} AND json_valid(c.chat)`;
  const HAS_HISTORY = "json_type(c.chat, '$.history.messages') IS 'object'";
  const author = (/** @type {string} */ path) => `CASE WHEN json_type(message, '${path}') = 'text'
    AND trim(message ->> '${path}') != '' THEN message ->> '${path}' END`;
  return many(
    "json_array(chat_id, author_id)",
    `FROM (SELECT DISTINCT chat_id, coalesce(${author("$.user_id")}, ${author("$.user.id")},
        nullif(trim(owner_id), '')) AS author_id FROM (
      SELECT c.id AS chat_id, c.user_id AS owner_id, m.entry AS message
        ${chats("owui_chat_messages m")} AND ${HAS_HISTORY} AND m.chat_id = c.id AND m.position > 0
          AND instr(m.entry, '"user"')
      UNION ALL SELECT c.id, c.user_id, iif(j.type = 'object', j.value, '{}')
        ${chats("json_each(iif(json_valid(c.chat), c.chat, 'null'), '$.messages') j")} AND NOT ${HAS_HISTORY} AND json_type(c.chat, '$.messages') = 'array')
      WHERE json_extract(message, '$.role') = 'user') WHERE author_id IS NOT NULL`,
    "chat_id, author_id",
  );
}

const reads = {
  get_chat_by_id: wholeUnless(BY_ID),
  get_chat_by_id_and_user_id: wholeUnless(OWN),
  is_chat_owner: truth(`EXISTS (SELECT 1 ${OWN})`),
  get_chat_folder_id: one(`SELECT json_array(${value(CHAT, "c", "folder_id")}) ${OWN}`),
  get_chat_title_by_id: one(`SELECT json_array(${value(CHAT, "c", "title")}) ${BY_ID}`),
  get_chat_tasks_by_id: one(`SELECT nullif(c.tasks, '') ${BY_ID}`),
  get_chat_metas_by_chat_ids: (
    /** @type {{ ids: string[], include_archived: boolean }} */ { include_archived },
  ) =>
    many(
      "json(iif(json_valid(c.meta), c.meta, 'null'))",
      `${BY_IDS} ${include_archived ? "" : `AND ${ACTIVE}`}`,
      "c.id",
    ),
  get_owner_ids_by_chat_ids: many(`json_array(c.id, ${value(CHAT, "c", "user_id")})`, BY_IDS, "c.id"),
  get_participant_ids_by_chat_ids: participants(),
};

module.exports = { reads };
