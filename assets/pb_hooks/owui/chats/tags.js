// @ts-check

/**
 * Tags of chats: ids in the chat's `meta.tags`, each a row of the host's table `tag`. Triggers keep the same in the
 * relation `tags` and in `owui_chat_tags`, by user and tag: schema/tags.py.
 */

const { settleTags } = require("../lib/stale.js");
const { tagId } = require("../lib/texts.js");
const rows = require("../lib/rows.js");
const { arg, matches, row, many, query } = rows;
const { NOW, execute } = require("../lib/bulk.js");
const { OF_USER } = require("./_filters.js");
const { list } = require("./_list.js");
const { ensure } = require("../tags.js");

/** @type {import("../lib/rows.js").Table} */
const CHAT = rows.tables.chat;
/** @type {import("../lib/rows.js").Table} */
const TAG = rows.tables.tag;

/** The tags of a chat. */
const OF_CHAT = `SELECT j.value FROM owui_chats c, json_each(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') j
  WHERE c.id = ${arg("id")}`;

/** In how many chats the tag `wanted` of the user is. Rows of nobody and of a user without a name are told apart. */
const NUMBER = `(SELECT count(*) FROM owui_chat_tags t WHERE t.user_id = coalesce(${arg("user_id")}, '') AND t.tag = wanted
  AND (${arg("user_id")} != '' OR EXISTS (SELECT 1 FROM owui_chats c
    WHERE c.id = t.chat_id AND ${matches(CHAT, "c", "user_id")})))`;

/** Delete the given tags that at most `threshold` chats of the user have; each is [id, normalised id]. */
const DELETE_ORPHANS = `DELETE FROM owui_tags WHERE user_id = ${arg("user_id")} AND key IN (
  SELECT key FROM (SELECT j.value ->> 0 AS key, j.value ->> 1 AS wanted FROM json_each({:body}, '$.tags') j)
    WHERE ${NUMBER} <= ${arg("threshold")})`;

const META = `SELECT coalesce((SELECT iif(json_valid(meta), meta, 'null') FROM owui_chats
  WHERE id = ${arg("id")}), '') AS json`;

/**
 * SQL of the relation of a chat to the records of its tags. The triggers say the same; here they need not write a new
 * chat once more.
 *
 * @param {string} meta SQL of valid JSON
 * @param {string} user_id SQL
 */
function relation(meta, user_id) {
  return `(SELECT json_group_array(id ORDER BY place) FROM (SELECT t.id, min(g.key) AS place
    FROM json_each(iif(json_type(${meta}, '$.tags') = 'array', ${meta}, 'null'), '$.tags') g
    CROSS JOIN owui_tags t ON t.user_id = ${user_id} AND t.key = g.value
    WHERE g.type = 'text' AND json_extract(${meta}, '$.internal') IS NOT 1 GROUP BY t.id))`;
}

const SET_TAGS = `UPDATE owui_chats SET updated = ${NOW}, meta = json_set(
  iif(json_valid(meta) AND json_type(meta) = 'object', meta, '{}'), '$.tags', {:body} -> '$.tags') WHERE id = ${arg("id")}`;

/** The user's chats with a tag. */
const TAGGED = `FROM owui_chat_tags t CROSS JOIN owui_chats c ON c.id = t.chat_id
  WHERE t.user_id = coalesce(${arg("user_id")}, '') AND t.tag = ${arg("tag")} AND ${OF_USER}`;

const reads = {
  get_chat_list_by_user_id_and_tag_name: list(TAGGED, [
    ["updated_at", true],
    ["id", false],
  ]),
  get_chat_tags_by_id_and_user_id: many(
    row(TAG, "t"),
    `FROM owui_tags t WHERE t.user_id = ${arg("user_id")} AND t.key IN (${OF_CHAT})`,
    "t.key",
  ),
  count_chats_by_tag_ids_and_user_id: `SELECT json_group_array(n ORDER BY at) AS json FROM (
    SELECT at, ${NUMBER} AS n FROM (SELECT j.key AS at, j.value AS wanted FROM json_each({:body}, '$.tags') j))`,
};

/**
 * A chat's `meta`, and its tags; both null if the chat has something else there. What counts as nothing, as in
 * Python, is an empty object. Undefined if there is no chat.
 *
 * @param {CoreApp} tx
 * @param {string} id
 * @returns {{ meta: any, tags: string[] | null } | undefined}
 */
function metaOf(tx, id) {
  const text = query(tx, META, JSON.stringify({ id }));
  if (!text) {
    return undefined;
  }
  const stored = JSON.parse(text);
  const meta = stored && (!Array.isArray(stored) || stored.length) ? stored : {};
  if (typeof meta !== "object" || Array.isArray(meta)) {
    return { meta: null, tags: null };
  }
  const tags = meta.tags === undefined ? [] : meta.tags;
  const isList = Array.isArray(tags) && tags.every((tag) => typeof tag === "string");
  return { meta, tags: isList ? tags : null };
}

/**
 * @param {CoreApp} tx
 * @param {string} id
 * @param {string[]} tags
 */
function setTags(tx, id, tags) {
  execute(tx, SET_TAGS, JSON.stringify({ id, tags }));
}

const writes = {
  /**
   * Replace a chat's tags, create those which its user does not have, and delete those which nothing has any more.
   * Returns null if there is no chat, `"no object"` or `"conflict"` where the host raises an exception.
   *
   * @param {CoreApp} tx
   * @param {{ id: string, user_id: string, ids: string[], names: string[] }} args `ids` of the tags and their `names`
   */
  update_chat_tags_by_id(tx, { id, user_id, ids, names }) {
    const before = metaOf(tx, id);
    if (!before?.meta) {
      return before ? '"no object"' : "null";
    }
    const isEnsured = ensure(tx, user_id, ids, names);
    setTags(tx, id, ids); // the tags are there: the chat is written once
    if (!isEnsured) {
      return '"conflict"';
    }
    const removed = (before.tags || []).filter((tag) => !ids.includes(tag));
    if (removed.length) {
      const tags = removed.map((tag) => [tag, tagId(tag)]);
      execute(tx, DELETE_ORPHANS, JSON.stringify({ user_id, tags, threshold: 0 }));
      settleTags(tx);
    }
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, user_id: string, tag: string, name: string }} args `tag`, the id, and its `name`
   */
  add_chat_tag(tx, { id, user_id, tag, name }) {
    ensure(tx, user_id, [tag], [name]);
    const tags = metaOf(tx, id)?.tags;
    if (tags && !tags.includes(tag)) {
      setTags(tx, id, [...new Set([...tags, tag])]);
    }
    return "null";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ id: string, tag: string }} args
   */
  delete_chat_tag(tx, { id, tag }) {
    const tags = metaOf(tx, id)?.tags;
    if (!tags) {
      return "false";
    }
    setTags(tx, id, [...new Set(tags.filter((other) => other !== tag))]);
    return "true";
  },

  /**
   * @param {CoreApp} tx
   * @param {{ user_id: string, tags: [string, string][], threshold: number }} args
   * @param {string} body
   */
  delete_orphan_tags_for_user(tx, args, body) {
    execute(tx, DELETE_ORPHANS, body);
    settleTags(tx);
    return "null";
  },
};

module.exports = { reads, writes, relation };
