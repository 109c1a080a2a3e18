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
SQLite compiles a statement with all triggers that it may set off, and these here take it half a millisecond, ten times
what a new chat or tag takes. So where hardly anything is to be done a trigger only notes which chats are stale, in
``owui_stale_tags``. Whoever deletes a row there has its chat's tags set right, by the trigger of that table: the hooks
do so in the transaction that wrote it (``owui/lib/stale.js``), and for other programs within a second or a minute.
SQLite cannot compute record ids, which are hashes: records are found by (user_id, key).
"""

from __future__ import annotations

from openwebui_pocketbase.schema.changes import change_statement
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["IS_ENTERED", "TAG_REFILL", "TAG_STATEMENTS"]

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


def _relation(row: str) -> str:
    """Return SQL of what a chat's ``tags`` have to be."""
    return (
        "(SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place "
        f"FROM {_listed(row)} CROSS JOIN owui_tags t ON t.user_id = {row}.user_id AND t.key = j.value "
        f"WHERE j.type = 'text' AND NOT {_is_internal(row)} GROUP BY t.id ORDER BY place))"
    )


def _follow(which: str) -> str:
    """Return the statement that sets ``tags`` of these chats to what they have to be."""
    # Each statement on these tables is compiled with its triggers: what stands here once is compiled once.
    wanted = f"SELECT c.id, {_relation('c')} AS tags FROM owui_chats c WHERE c.{which}"
    differs = "owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags"
    return f"UPDATE owui_chats SET tags = w.tags FROM ({wanted}) w WHERE {differs};"


def _edit(before: str, row: str, source: str) -> str:
    """Return the statement that makes an edit of ``tags`` in ``meta.tags``.

    Args:
        before: SQL of ``tags`` as they were.
        row: What the edited chat is called.
        source: SQL from where it is and on which condition, up to an ``AND``.
    """
    # Ids are letters and digits, so that looking for one in the text is enough.
    was, now = (f"instr({tags}, '\"' || t.id || '\"')" for tags in (before, f"{row}.tags"))
    items = (
        f"SELECT 0 AS part, j.key AS place, {row}.meta -> j.fullkey AS item FROM {_listed(row)} "
        "WHERE j.type != 'text' OR NOT EXISTS (SELECT 1 FROM owui_tags t "
        f"WHERE t.user_id = {row}.user_id AND t.key = j.value AND {was} AND NOT {now}) "
        f"UNION ALL SELECT 1, min(a.key), json_quote(t.key) FROM json_each(iif(json_valid({row}.tags), {row}.tags, "
        f"'[]')) a CROSS JOIN owui_tags t ON t.id = a.value WHERE t.user_id = {row}.user_id AND NOT {was} "
        f"AND t.key NOT IN (SELECT j.value FROM {_listed(row)} WHERE j.type = 'text') "
        "GROUP BY t.id ORDER BY part, place"
    )
    tags = f"(SELECT '[' || coalesce(group_concat(item, ','), '') || ']' FROM ({items}))"
    # What counts as nothing in Python becomes an object, as when the host adds a tag.
    is_editable = (
        f"CASE json_type({_meta(row)}) WHEN 'object' THEN coalesce(json_type({row}.meta, '$.tags'), 'array') = 'array' "
        f"""ELSE {_meta(row)} IN ('null', '[]', '""', '0', 'false') END"""
    )
    edited = (
        f"SELECT {row}.id AS id, {row}.meta AS meta, {tags} AS tags {source} {row}.tags IS NOT {before} "
        f"AND {is_editable} AND NOT {_is_internal(row)}"
    )
    return (
        f"UPDATE owui_chats SET meta = json_set(iif(json_type({_meta('w')}) = 'object', w.meta, '{{}}'), '$.tags', "
        f"json(w.tags)) FROM ({edited}) w "
        f"WHERE owui_chats.id = w.id AND w.tags IS NOT coalesce({_meta('w')} -> '$.tags', '[]');"
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
_NOTHING = "'[]'"
_NEW_ONE = "FROM owui_chats n WHERE n.id = OLD.chat_id AND OLD.is_new AND"
_OF_BOTH = f"id IN ({_named('OLD')} UNION {_named('NEW')})"
_IS_NOT_ENTERED = f"NOT ({IS_ENTERED})"
_NOTE = "INSERT OR IGNORE INTO owui_stale_tags (chat_id, is_new) SELECT"
_CREATE = "CREATE TRIGGER IF NOT EXISTS"

TAG_STATEMENTS = (
    (
        "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, "
        "chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS idx_owui_chat_tags_chat_id ON owui_chat_tags (chat_id)",
    (
        # INSERT OR REPLACE deletes a chat without a word.
        f"{_CREATE} owui_chats_tags_create AFTER INSERT ON owui_chats "
        f"BEGIN DELETE FROM owui_chat_tags WHERE chat_id = NEW.id; {_JOIN} END"
    ),
    (
        f"{_CREATE} owui_chats_tags_update AFTER UPDATE OF meta, user_id ON owui_chats "
        f"WHEN OLD.meta IS NOT NEW.meta OR OLD.user_id IS NOT NEW.user_id BEGIN {_UNJOIN} {_JOIN} END"
    ),
    f"{_CREATE} owui_chats_tags_delete AFTER DELETE ON owui_chats BEGIN {_UNJOIN} END",
    (
        f"{_CREATE} owui_chats_tags_related AFTER INSERT ON owui_chats "
        f"WHEN NEW.tags IS NOT '[]' OR json_type({_meta('NEW')}, '$.tags') IS NOT NULL "
        f"BEGIN {_NOTE} NEW.id, TRUE WHERE NEW.tags IS NOT {_relation('NEW')}; END"
    ),
    (
        f"{_CREATE} owui_chats_tags_relate AFTER UPDATE OF meta, tags, user_id ON owui_chats "
        "WHEN OLD.meta IS NOT NEW.meta OR OLD.tags IS NOT NEW.tags OR OLD.user_id IS NOT NEW.user_id BEGIN "
        f"{change_statement(TABLES['chat'], 'NEW', 'update', _IS_NOT_ENTERED)} "
        f"{_edit('OLD.tags', 'NEW', 'WHERE')} {_follow(_THIS)} END"
    ),
    (
        f"{_CREATE} owui_tags_chats_create AFTER INSERT ON owui_tags BEGIN "
        f"{_NOTE} chat_id, FALSE FROM ({_named('NEW')}); END"
    ),
    (
        f"{_CREATE} owui_tags_chats_delete AFTER DELETE ON owui_tags BEGIN "
        f"{_NOTE} chat_id, FALSE FROM ({_named('OLD')}); END"
    ),
    (
        f"{_CREATE} owui_tags_chats_update AFTER UPDATE OF key, user_id ON owui_tags "
        "WHEN OLD.key IS NOT NEW.key OR OLD.user_id IS NOT NEW.user_id BEGIN "
        f"{_RENAME} {_follow(_OF_BOTH)} END"
    ),
    "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
    (
        f"{_CREATE} owui_stale_tags_delete AFTER DELETE ON owui_stale_tags BEGIN "
        f"{_edit(_NOTHING, 'n', _NEW_ONE)} {_follow('id = OLD.chat_id')} END"
    ),
)
"""The join of chats and tags, which lists and counts ask, and the triggers; those on ``owui_tags`` as well."""

TAG_REFILL = (
    "DELETE FROM owui_chat_tags",
    (
        "INSERT OR IGNORE INTO owui_chat_tags (user_id, tag, chat_id) SELECT c.user_id, j.value, c.id "
        f"FROM owui_chats c CROSS JOIN json_each({_meta('c')}, '$.tags') j "
        f"WHERE j.type = 'text' AND NOT {_is_internal('c')}"
    ),
    (
        "INSERT OR IGNORE INTO owui_stale_tags (chat_id, is_new) SELECT c.id, FALSE FROM owui_chats c "
        f"WHERE c.tags IS NOT {_relation('c')}"
    ),
    "DELETE FROM owui_stale_tags",
)
"""What makes the join and the relations of all chats anew, where a trigger was missing; ``meta.tags`` is right then."""
