"""Whether a chat that was tidy is so after a change, seen from the changed messages alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openwebui_pocketbase.codec.chats import Record, loads

__all__ = ["stays_tidy"]


def stays_tidy(before: Mapping[str, Record], after: Mapping[str, Any], chat: dict[str, Any]) -> bool:
    """Return whether a tidy chat (see `is_tidy`) is tidy after a change.

    Args:
        before: The messages which were read, as they were.
        after: The same and new ones, as they are now.
        chat: The chat as it is now.
    """
    if not all(_is_linked(message_id, before.get(message_id), after) for message_id in after):
        return False
    current_id = chat.get("history", {}).get("currentId")
    current = after.get(current_id)
    if current is None:
        return current_id is None or current_id not in before
    # A message without parent may be one that the host takes for broken; it looks for a better one then.
    return current["childrenIds"] == [] and (current.get("parentId") is not None or bool(current.get("timestamp")))


def _is_linked(message_id: str, record: Record | None, after: Mapping[str, Any]) -> bool:
    message = after[message_id]
    if not isinstance(message, dict) or message.get("id") != message_id or not message.get("role"):
        return False
    children, parent_id = message.get("childrenIds"), message.get("parentId")
    if not isinstance(children, list):
        return False
    old = loads(record.text) if record else {"childrenIds": [], "parentId": parent_id}
    if parent_id != old.get("parentId") or not set(old["childrenIds"]) <= {*filter(_is_text, children)}:
        return False
    added = [child for child in children if child not in old["childrenIds"]]
    if any(not _is_text(child) or after.get(child, {}).get("parentId") != message_id for child in added):
        return False
    if record is not None or parent_id is None:
        return True
    parent = after.get(parent_id) if _is_text(parent_id) else None
    return parent is not None and message_id in parent["childrenIds"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
