"""Chats and their messages, between the host's objects and PocketBase's records.

The host keeps a message twice: as an entry of the chat's body (``chat.history.messages``) and as a row of
``chat_message``. A record holds both; ``chat_history.js`` says how. The body is kept without messages.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from open_webui.models.chat_messages import ChatMessage, ChatMessageTable
from open_webui.models.chats import ChatTable
from open_webui.utils.json_codec import JSONCodec

from openwebui_pocketbase.codec.rows import Codec
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.search.words import is_indexed

__all__ = [
    "APPEND",
    "CHAT",
    "KEEP",
    "MESSAGE",
    "Record",
    "chat_changes",
    "chat_wire",
    "decode_chat",
    "decode_record",
    "dumps",
    "entry_of",
    "is_tidy",
    "join",
    "members_of",
    "message_record",
    "message_records",
    "new_chat_record",
    "new_version",
    "searchable",
    "split",
]

dumps = partial(JSONCodec.dumps, ensure_ascii=False)
loads = JSONCodec.loads

CHAT: Final = Codec(TABLES["chat"], dumps=dumps, loads=loads)
MESSAGE: Final = Codec(TABLES["chat_message"], dumps=dumps, loads=loads)

APPEND: Final = -1
"""The position of an entry that is to come behind all others."""

KEEP: Final = -2
"""The position of an entry that stays where it is."""

_COLUMNS = tuple(column for column in TABLES["chat_message"].columns if column.name not in ("id", "chat_id"))
_NAMES = tuple(column.name for column in _COLUMNS)
_NULLABLE = frozenset(column.name for column in _COLUMNS if column.null and column.type != "json")

SAME_AS = {
    "content": "content",
    "output": "output",
    "files": "files",
    "sources": "sources",
    "embeds": "embeds",
    "meta": "meta",
    "status_history": "statusHistory",
    "error": "error",
    "usage": "usage",
}
"""Column of the row -> member of the entry, which nearly always says the same and is stored once then."""

_SEPARATOR = "\x1e"
"""Between the contents of a chat's legacy messages: what is looked for has no white space of this kind."""

_MEMBERS = tuple(
    (column.key, ChatMessageTable.DB_TO_JSON_KEY_MAP.get(column.key, column.key))
    for column in ChatMessage.__table__.columns
    if column.key not in ChatMessageTable.EXCLUDED_COLUMNS
)
"""Column of the row -> the member which it is of an entry that is made of the row, in the order of these."""

_UNREAD = object()

_TABLE = ChatTable()


@dataclass
class Record:
    """A message as it is stored.

    Attributes:
        position: Its place in the history, from 1; 0 if the body has no such message.
        text: The body's copy as JSON.
        columns: The row's columns but those which the entry has, too; None if there is no row.
        same: Names of those.
        fields: The record's fields, if they are known; see `message_record`.
    """

    position: float
    text: str
    columns: dict[str, Any] | None
    same: list[str]
    _entry: Any = _UNREAD
    fields: dict[str, Any] | None = None

    def entry(self) -> Any:
        """Return the body's copy; an object of its own each time."""
        entry, self._entry = self._entry, _UNREAD
        return loads(self.text) if entry is _UNREAD else entry

    def row(self) -> dict[str, Any] | None:
        """Return the row's columns without ``id`` and ``chat_id``."""
        if self.columns is None:
            return None
        entry = loads(self.text) if self.same else {}
        return {**self.columns, **{name: entry.get(SAME_AS[name]) for name in self.same}}


def decode_record(wire: list[Any], chat_id: str) -> tuple[str, Record]:
    """Return a message's id and its record, as ``chat_history.js`` sends it."""
    (key, position, has_row, *values, same, nulls), entry = wire
    columns = dict(zip(_NAMES, values, strict=True)) if has_row else None
    if columns is not None:
        for name in _NULLABLE.intersection(nulls or ()):
            if not columns[name]:
                columns[name] = None
        columns["done"] = columns["done"] if columns["done"] is None else bool(columns["done"])
    text = dumps(entry) if position else "null"
    return key[len(chat_id) + 1 :], Record(position, text, columns, same or [], entry)


def message_record(
    chat_id: str, message_id: str, position: int, entry: Any, row: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the fields of a message's record.

    It is not in the full-text index then, but waits for it if it is to be: with each piece of an answer it would be
    indexed anew. What is not in the index is looked through.

    Args:
        chat_id: Id of the chat.
        message_id: Id of the message.
        position: Its place in the history, 0 if the body has no such message; or `APPEND` or `KEEP`.
        entry: The body's copy.
        row: All columns of the row, None if there is none; ``id`` and ``chat_id`` need not be among them.
    """
    key = f"{chat_id}-{message_id}"
    stored = dict(row) if row is not None else {**dict.fromkeys(_NAMES), "role": ""}
    same = [name for name in SAME_AS if row is not None and _is_same(row[name], entry, SAME_AS[name])]
    fields = MESSAGE.record({**stored, **dict.fromkeys(same), "id": key, "chat_id": chat_id})
    text = searchable(entry)
    indexed = is_indexed(text) and not (isinstance(entry, dict) and _is_looked_through(entry))
    return fields | {
        "id": hashlib.sha256(orjson.dumps([key])).hexdigest()[:32],
        "position": position,
        "has_row": row is not None,
        "same": dumps(same),
        "entry": dumps(entry) if position else "null",
        "content_folded": _folded(text),
        "doc": -1,
        "waits": indexed,
    }


def _is_same(value: Any, entry: Any, member: str) -> bool:
    if value is None or not isinstance(entry, dict) or member not in entry:
        return False
    return value is entry[member] or dumps(value) == dumps(entry[member])


def searchable(entry: Any) -> str:
    """Return a message's content as SQLite's ``->>`` gives it."""
    content = entry.get("content") if isinstance(entry, dict) else None
    if isinstance(content, str):
        return content
    if not isinstance(content, list | dict):
        return ""
    text: str = JSONCodec.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text


def _is_looked_through(entry: dict[str, Any]) -> bool:
    """Return whether an entry is not to be indexed, whatever its text.

    What is still being written will be another text; numbers are spelled as only SQLite knows.
    """
    return entry.get("done") is False or isinstance(entry.get("content"), int | float)


def _folded(text: str) -> str:
    """Return a text in lower case, or nothing if SQLite's ``lower``, which knows only ASCII, gives the same."""
    if text.isascii():
        return ""
    folded = text.lower()
    return "" if folded == text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass") else folded


def members_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of ``chat_message`` says, as members of an entry."""
    return {member: value for name, member in _MEMBERS if (value := row[name]) is not None}


def entry_of(message_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``chat_message`` as the entry that the host makes of it; without ``childrenIds``."""
    entry = {"id": message_id, **members_of(row)}
    entry.setdefault("content", "")
    if "usage" in entry:
        entry["info"] = {"usage": entry["usage"]}
    return entry


def split(chat: Any) -> tuple[Any, dict[str, Any]]:
    """Return a chat's body without messages, and the messages; an empty object stands where they were."""
    history = chat.get("history") if isinstance(chat, dict) else None
    if not isinstance(history, dict) or not isinstance(history.get("messages"), dict):
        return chat, {}
    return {**chat, "history": {**history, "messages": {}}}, history["messages"]


def join(body: Any, messages: dict[str, Any]) -> Any:
    """Put messages into a body that `split` has made."""
    history = body.get("history") if isinstance(body, dict) else None
    if isinstance(history, dict) and isinstance(history.get("messages"), dict):
        history["messages"] = messages
    return body


def decode_chat(wire: list[Any]) -> dict[str, Any]:
    """Return a chat's row with its messages in it, as ``chat_history.js`` sends it as a whole."""
    row, messages = wire
    columns = CHAT.decode(row)
    join(columns["chat"], messages)
    return columns


def chat_changes(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed columns of a chat, its body without messages, as `Codec.changes` does."""
    made = CHAT.changes(columns)
    if "chat" in columns:
        made["changes"] |= _of_body(columns["chat"])
    return made


def new_chat_record(chat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a new chat's record.

    It waits for the full-text index if that has more of it than its title; see `message_record`.

    Args:
        chat: The columns of the host's table ``chat``, the body with its messages.
    """
    body, _ = split(chat["chat"])
    fields = CHAT.record({**chat, "chat": body}) | _of_body(body)
    doc = -1 if fields["legacy_folded"] else 1
    return fields | {"version": new_version(), "tidy": is_tidy(chat["chat"]), "doc": doc}


def new_version() -> int:
    """Return what names a state of a chat.

    No number that grows: a restored backup, or a chat of the same id as a deleted one, would have known ones again.
    """
    return secrets.randbits(48)


def _of_body(body: Any) -> dict[str, Any]:
    legacy = body.get("messages") if isinstance(body, dict) else None
    messages = legacy.values() if isinstance(legacy, dict) else legacy if isinstance(legacy, list) else ()
    return {"legacy_folded": _SEPARATOR.join(searchable(message).lower() for message in messages)}


def message_records(chat: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the records of a new chat's messages.

    Args:
        chat: The columns of the host's table ``chat``, the body with its messages.
        rows: The chat's rows of ``chat_message``.
    """
    chat_id = chat["id"]
    _, messages = split(chat["chat"])
    by_id = {row["id"][len(chat_id) + 1 :]: row for row in rows}
    for position, (message_id, entry) in enumerate(messages.items(), 1):
        yield message_record(chat_id, message_id, position, entry, by_id.pop(message_id, None))
    for message_id, row in by_id.items():
        yield message_record(chat_id, message_id, 0, None, row)


def chat_wire(chat: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return a chat and its messages as ``chats/insert_chats`` takes them; see `message_records`."""
    return {"chats": [new_chat_record(chat)], "messages": [*message_records(chat, rows)]}


def is_tidy(chat: Any) -> bool:
    """Return whether all messages are linked both ways, and the current one is the end of its branch.

    A tidy chat stays so when a message is added below another, or changes without its links. That can be seen
    from these two messages. Of any other chat the host looks at all messages with each write.
    """
    history = chat.get("history", {}) if isinstance(chat, dict) else None
    messages = history.get("messages", {}) if isinstance(history, dict) else None
    if not isinstance(messages, dict):
        return False
    for message_id, message in messages.items():
        if not isinstance(message, dict) or message.get("id") != message_id or not message.get("role"):
            return False
        parent_id, children = message.get("parentId"), message.get("childrenIds")
        linked = [*children, parent_id] if isinstance(children, list) else [0]
        if not all(one is None or (isinstance(one, str) and one in messages) for one in linked):
            return False
    links = {message_id: {**m, "childrenIds": [*m["childrenIds"]]} for message_id, m in messages.items()}
    return not _TABLE._repair_chat_current_id({"history": {**(history or {}), "messages": links}})  # noqa: SLF001
