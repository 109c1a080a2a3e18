"""Rows of ``chat_message`` as the host makes them of entries, and entries as it makes them of rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from open_webui.models.chat_messages import ChatMessage, ChatMessageModel, ChatMessageTable

from openwebui_pocketbase.repositories.chats._draft import Draft

__all__ = ["entry_of", "members_of", "new_row", "upsert_row"]

_MEMBERS = tuple(
    (column.key, ChatMessageTable.DB_TO_JSON_KEY_MAP.get(column.key, column.key))
    for column in ChatMessage.__table__.columns
    if column.key not in ChatMessageTable.EXCLUDED_COLUMNS
)
"""Column of the row -> member of the entry that is made of the row, in the order of the members."""


def members_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says, as members of an entry."""
    return {member: value for name, member in _MEMBERS if (value := row[name]) is not None}


def entry_of(message_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as the entry that the host makes of it; without ``childrenIds``."""
    entry = {"id": message_id, **members_of(row)}
    entry.setdefault("content", "")
    if "usage" in entry:
        entry["info"] = {"usage": entry["usage"]}
    return entry


def new_row(chat_id: str, message_id: str, user_id: str | None, data: dict[str, Any]) -> ChatMessage:
    """Return a row as the database makes it of what the host inserts; see `Draft.put`."""
    row = ChatMessageTable._build_message(  # noqa: SLF001
        f"{chat_id}-{message_id}", chat_id, user_id, data, int(time.time())
    )
    if row.done is None:
        row.done = True  # the column's default
    return row


def upsert_row(draft: Draft, message_id: str, user_id: str | None, data: dict[str, Any]) -> ChatMessageModel:
    """Insert or change a row as the host does, as part of a write to the chat.

    Raises:
        ValidationError: The host would not read the row back; it is part of the write all the same.
    """
    message = draft.row(message_id)
    if message is not None:
        before = dict(vars(message))
        ChatMessageTable._apply_message_data(message, data, int(time.time()))  # noqa: SLF001
        # What equals the stored value, if only in another order, the host's database does not write.
        vars(message).update({name: old for name, old in before.items() if getattr(message, name) == old})
    else:
        message = new_row(draft.chat_id, message_id, user_id, data)
    draft.put(message_id, message)
    return ChatMessageModel.model_validate(message)
