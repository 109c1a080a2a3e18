"""Tags of chats: the triggers that keep ``owui_chats.tags`` and ``owui_chat_tags`` equal to ``meta.tags``.

``meta.tags`` is the host's list of tag ids; ``tags`` is PocketBase's relation to the records of these tags. Either may
be edited, by anybody:

- ``meta`` is written: ``tags`` becomes the records of the chat's user that ``meta.tags`` names, in that order. A name
  without a record stays in ``meta.tags`` alone.
- ``tags`` is written: ``meta.tags`` loses the tags that went and gets those that came, at its end. The rest of ``meta``
  keeps its text.
- A tag is created, deleted, or gets another user: ``tags`` of the chats that name it follow, ``meta`` stays. A tag gets
  another key: ``meta.tags`` of the chats that name it does so by the new key.

Chats of the host's own (``meta.internal``) are in no list of chats with a tag, so their ``tags`` are empty.

A trigger does not run within itself. What its own writes fire is the other triggers, which find nothing left to do.
SQLite cannot compute record ids, which are hashes: records are found by (user_id, key).
"""

from __future__ import annotations

from openwebui_pocketbase.schema.feed import entry

__all__ = ["IS_ENTERED", "TAG_STATEMENTS"]

IS_ENTERED = "NEW.updated IS NOT OLD.updated OR (NEW.meta IS OLD.meta AND NEW.tags IS OLD.tags)"
"""When the change feed's own trigger enters an update of a chat; the others are entered here.

Writes within these triggers leave ``updated`` alone and change ``meta`` or ``tags``, so an update has one entry,
whatever it sets off. Anybody else's update that looks like that is entered by the trigger that it fires.
"""


def _meta(row: str) -> str:
    return f"iif(json_valid({row}.meta), {row}.meta, 'null')"


def _listed(row: str) -> str:
    """Return the FROM clause of a chat's ``meta.tags``, if that is a list; ``j.key`` is an item's place."""
    return f"json_each(iif(json_type({_meta(row)}, '$.tags') = 'array', {row}.meta, 'null'), '$.tags') j"


def _is_internal(row: str) -> str:
    return f"json_extract({_meta(row)}, '$.internal') IS 1"


def _follow(which: str) -> str:
    """Return the statement that sets ``tags`` of these chats to what they have to be."""
    tags = (
        "(SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place "
        f"FROM {_listed('c')} CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value "
        f"WHERE j.type = 'text' AND NOT {_is_internal('c')} GROUP BY t.id ORDER BY place))"
    )
    # Each statement on these tables is compiled with its triggers: what stands here once is compiled once.
    wanted = f"SELECT c.id, {tags} AS tags FROM owui_chats c WHERE c.{which}"
    differs = "owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags"
    return f"UPDATE owui_chats SET tags = w.tags FROM ({wanted}) w WHERE {differs};"


def _edit(before: str) -> str:
    """Return the statement that makes an edit of ``tags`` in ``meta.tags``.

    Args:
        before: SQL of ``tags`` as they were.
    """
    # Ids are letters and digits, so that looking for one in the text is enough.
    was, now = (f"instr({tags}, '\"' || t.id || '\"')" for tags in (before, "NEW.tags"))
    items = (
        f"SELECT 0 AS part, j.key AS place, NEW.meta -> j.fullkey AS item FROM {_listed('NEW')} "
        "WHERE j.type != 'text' OR NOT EXISTS (SELECT 1 FROM owui_tags t "
        f"WHERE t.user_id = NEW.user_id AND t.key = j.value AND {was} AND NOT {now}) "
        "UNION ALL SELECT 1, min(a.key), json_quote(t.key) FROM json_each(iif(json_valid(NEW.tags), NEW.tags, '[]')) a "
        f"CROSS JOIN owui_tags t ON t.id = a.value WHERE t.user_id = NEW.user_id AND NOT {was} "
        f"AND t.key NOT IN (SELECT j.value FROM {_listed('NEW')} WHERE j.type = 'text') "
        "GROUP BY t.id ORDER BY part, place"
    )
    tags = f"(SELECT '[' || coalesce(group_concat(item, ','), '') || ']' FROM ({items}))"
    # What counts as nothing in Python becomes an object, as when the host adds a tag.
    is_editable = (
        f"CASE json_type({_meta('NEW')}) WHEN 'object' THEN coalesce(json_type(NEW.meta, '$.tags'), 'array') = 'array' "
        f"""ELSE {_meta("NEW")} IN ('null', '[]', '""', '0', 'false') END"""
    )
    return (
        f"UPDATE owui_chats SET meta = json_set(iif(json_type({_meta('NEW')}) = 'object', NEW.meta, '{{}}'), '$.tags', "
        f"json(w.tags)) FROM (SELECT {tags} AS tags WHERE NEW.tags IS NOT {before} AND {is_editable} "
        f"AND NOT {_is_internal('NEW')}) w "
        f"WHERE id = NEW.id AND w.tags IS NOT coalesce({_meta('NEW')} -> '$.tags', '[]');"
    )


def _named(row: str) -> str:
    """Return SQL of the ids of the chats that name a tag."""
    return f"SELECT chat_id FROM owui_chat_tags WHERE user_id = {row}.user_id AND tag = {row}.key"


# The row as it is by now: the trigger for the relation may have come first.
_JOIN = (
    "INSERT OR IGNORE INTO owui_chat_tags (user_id, tag, chat_id) SELECT c.user_id, j.value, c.id "
    f"FROM owui_chats c CROSS JOIN json_each({_meta('c')}, '$.tags') j "
    f"WHERE c.id = NEW.id AND j.type = 'text' AND NOT {_is_internal('c')};"
)
_UNJOIN = "DELETE FROM owui_chat_tags WHERE chat_id = OLD.id;"
_RENAME = (
    "UPDATE owui_chats SET meta = json_set(meta, '$.tags', json((SELECT '[' || group_concat("
    "iif(j.type = 'text' AND j.value = OLD.key, json_quote(NEW.key), meta -> j.fullkey), ',') || ']' "
    f"FROM {_listed('owui_chats')} WHERE j.type != 'text' OR j.value != OLD.key OR NOT EXISTS ("
    "SELECT 1 FROM owui_chat_tags o WHERE o.user_id = NEW.user_id AND o.tag = NEW.key AND o.chat_id = owui_chats.id)"
    f"))) WHERE NEW.user_id IS OLD.user_id AND id IN ({_named('OLD')}) AND json_type(meta, '$.tags') = 'array';"
)
_THIS = "id = NEW.id"
_OF_NEW = f"id IN ({_named('NEW')})"
_OF_OLD = f"id IN ({_named('OLD')})"
_OF_BOTH = f"id IN ({_named('OLD')} UNION {_named('NEW')})"
_NOTHING = "'[]'"
_IS_NOT_ENTERED = f"NOT ({IS_ENTERED})"
_CREATE = "CREATE TRIGGER IF NOT EXISTS"

TAG_STATEMENTS = (
    (
        "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, "
        "chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS idx_owui_chat_tags_chat_id ON owui_chat_tags (chat_id)",
    f"{_CREATE} owui_chats_tags_create AFTER INSERT ON owui_chats BEGIN {_JOIN} END",
    (
        f"{_CREATE} owui_chats_tags_update AFTER UPDATE OF meta, user_id ON owui_chats "
        f"WHEN OLD.meta IS NOT NEW.meta OR OLD.user_id IS NOT NEW.user_id BEGIN {_UNJOIN} {_JOIN} END"
    ),
    f"{_CREATE} owui_chats_tags_delete AFTER DELETE ON owui_chats BEGIN {_UNJOIN} END",
    (
        f"{_CREATE} owui_chats_tags_related AFTER INSERT ON owui_chats "
        f"WHEN NEW.tags IS NOT '[]' OR json_type({_meta('NEW')}, '$.tags') IS NOT NULL "
        f"BEGIN {_edit(_NOTHING)} {_follow(_THIS)} END"
    ),
    (
        f"{_CREATE} owui_chats_tags_relate AFTER UPDATE OF meta, tags, user_id ON owui_chats "
        "WHEN OLD.meta IS NOT NEW.meta OR OLD.tags IS NOT NEW.tags OR OLD.user_id IS NOT NEW.user_id BEGIN "
        f"{entry('owui_chats', 'NEW', 'update', _IS_NOT_ENTERED)} {_edit('OLD.tags')} {_follow(_THIS)} END"
    ),
    f"{_CREATE} owui_tags_chats_create AFTER INSERT ON owui_tags BEGIN {_follow(_OF_NEW)} END",
    f"{_CREATE} owui_tags_chats_delete AFTER DELETE ON owui_tags BEGIN {_follow(_OF_OLD)} END",
    (
        f"{_CREATE} owui_tags_chats_update AFTER UPDATE OF key, user_id ON owui_tags "
        "WHEN OLD.key IS NOT NEW.key OR OLD.user_id IS NOT NEW.user_id BEGIN "
        f"{_RENAME} {_follow(_OF_BOTH)} END"
    ),
)
"""The join of chats and tags, which lists and counts ask, and the triggers; those on ``owui_tags`` as well."""
