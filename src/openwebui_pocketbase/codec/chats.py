"""Rows of the table ``chat``, and bodies of chats with and without messages."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openwebui_pocketbase.codec.json import Json, JsonFormat
from openwebui_pocketbase.codec.rows import Codec
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["ChatCodec", "folded_legacy", "join", "new_version", "searched_text", "snapshot_text", "split"]

SEPARATOR: Final = "\x1e"
"""Between the contents of a chat's legacy messages: no text that is searched for has this white space."""


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


def new_version() -> int:
    """Return what names a state of a chat.

    It does not grow: a restored backup, or a chat with the id of a deleted one, would use known numbers again.
    """
    return secrets.randbits(48)


def searched_text(entry: Any) -> str:
    """Return a message's content as SQLite's ``->>`` gives it."""
    content = entry.get("content") if isinstance(entry, dict) else None
    if isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) if isinstance(content, list | dict) else ""


def folded_legacy(body: Any) -> str:
    """Return the contents of the messages that a body has beside its history, in lower case."""
    legacy = body.get("messages") if isinstance(body, dict) else None
    messages = legacy.values() if isinstance(legacy, dict) else legacy if isinstance(legacy, list) else ()
    return SEPARATOR.join(searched_text(message).lower() for message in messages)


def snapshot_text(body: Any) -> str:
    """Return what is searched of a snapshot besides its title; ``owui/chats/_snapshot.js`` makes the same."""
    contents = (entry.get("content") for entry in split(body)[1].values() if isinstance(entry, dict))
    texts = SEPARATOR.join(content.lower() for content in contents if isinstance(content, str))
    return f"{folded_legacy(body)}{SEPARATOR}{texts}"


class ChatCodec(Codec):
    """Rows of the table ``chat``; in the methods of `Codec` their bodies are without messages."""

    def __init__(self, documents: JsonFormat) -> None:
        super().__init__(TABLES["chat"], dumps=documents.dumps, loads=documents.loads)
        self._format = documents
        self._documents = tuple(column.name for column in TABLES["chat"].columns if column.type == "json")

    def changes(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return some of a row's columns as changes of its record, with what else is stored of the body."""
        made = super().changes(row)
        if "chat" in row:
            body = row["chat"].value if isinstance(row["chat"], Json) else row["chat"]
            made["changes"]["legacy_folded"] = folded_legacy(body)
        return made

    def new_record(self, chat: Mapping[str, Any], *, tidy: bool) -> dict[str, Any]:
        """Return the fields of a new chat's record.

        The record waits for the full-text index if more than its title is to be there; see `MessageCodec.fields`.

        Args:
            chat: The columns of the host's table ``chat``, the body with its messages.
            tidy: Whether the chat is tidy.
        """
        body, _ = split(chat["chat"])
        fields = self.record({**chat, "chat": body})
        return fields | {"version": new_version(), "tidy": tidy, "doc": -1 if fields["legacy_folded"] else 1}

    def decode_whole(self, wire: Sequence[Any]) -> dict[str, Any]:
        """Return a chat's row with its messages in it, as ``owui/chats/_whole.js`` sends it."""
        row, messages = wire
        columns = self.decode(row)
        join(columns["chat"], messages)
        return columns

    def decode_documents(self, wire: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Json]]:
        """Return the columns of a row that came from PocketBase, those with JSON apart."""
        columns = self.decode_scalars(wire)
        documents = {}
        for name in self._documents:
            stored = columns.pop(name)
            # PocketBase's JSON columns have numeric affinity: a bare number comes as one.
            documents[name] = self._format.parsed(stored) if isinstance(stored, str) else self._format.owned(stored)
        return columns, documents
