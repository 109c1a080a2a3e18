"""Chats and their messages as the host has them, read from PocketBase's file."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

__all__ = ["history", "message_row", "with_data_urls"]

SAME_AS = {"status_history": "statusHistory"}


def history(connection: sqlite3.Connection, chat_id: str) -> dict[str, Any]:
    """Return the messages of a chat's body."""
    entries = connection.execute(
        "SELECT key, entry FROM owui_chat_messages WHERE chat_id = ? AND position > 0 ORDER BY position", [chat_id]
    )
    return {key.removeprefix(f"{chat_id}-"): json.loads(entry) for key, entry in entries}


def message_row(record: sqlite3.Row, row: dict[str, Any]) -> dict[str, Any] | None:
    """Return a row of `chat_message` with the columns that its entry has; None if the record has no row."""
    if not record["has_row"]:
        return None
    entry = json.loads(record["entry"])
    return row | {name: entry[SAME_AS.get(name, name)] for name in json.loads(record["same"])}


def with_data_urls(connection: sqlite3.Connection, value: Any) -> Any:
    """Return what is stored with the data URLs that its marks stand for."""
    if isinstance(value, dict):
        return {with_data_urls(connection, key): with_data_urls(connection, each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_data_urls(connection, each) for each in value]
    if not isinstance(value, str) or not value.startswith("owui-data-url:"):
        return value
    sql = "SELECT group_concat(text, '') FROM (SELECT text FROM owui_data_url_parts WHERE name = ? ORDER BY part)"
    (text,) = connection.execute(sql, [value.removeprefix("owui-data-url:")]).fetchone()
    return text or value
