"""Whether a chat is tidy: all messages are linked both ways, and the current one is the end of its branch.

A tidy chat stays so when a message is added below another, or changes without its links. That shows in these two
messages. Of any other chat the host looks at all messages with each write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_webui.models.chats import ChatTable

__all__ = ["is_tidy", "stays_tidy"]

_TABLE = ChatTable()


def is_tidy(chat: Any) -> bool:
    """Return whether a chat is tidy.

    Args:
        chat: Its body with all messages.
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


def stays_tidy(before: Mapping[str, Any], after: Mapping[str, Any], chat: dict[str, Any]) -> bool:
    """Return whether a tidy chat is tidy after a change, seen from the changed messages alone.

    Args:
        before: The entries which were read, as they were.
        after: The same and new ones, as they are now.
        chat: The chat's body as it is now.
    """
    if not all(_is_linked(message_id, before.get(message_id), after) for message_id in after):
        return False
    current_id = chat.get("history", {}).get("currentId")
    current = after.get(current_id)
    if current is None:
        return current_id is None or current_id not in before
    # The host may take a message without parent and time for broken, and then looks for a better one.
    return current["childrenIds"] == [] and (current.get("parentId") is not None or bool(current.get("timestamp")))


def _is_linked(message_id: str, old: Any, after: Mapping[str, Any]) -> bool:
    message = after[message_id]
    if not isinstance(message, dict) or message.get("id") != message_id or not message.get("role"):
        return False
    children, parent_id = message.get("childrenIds"), message.get("parentId")
    if not isinstance(children, list):
        return False
    is_new = old is None
    old = {"childrenIds": [], "parentId": parent_id} if is_new else old
    if parent_id != old.get("parentId") or not set(old["childrenIds"]) <= {*filter(_is_text, children)}:
        return False
    added = [child for child in children if child not in old["childrenIds"]]
    if any(not _is_text(child) or after.get(child, {}).get("parentId") != message_id for child in added):
        return False
    if not is_new or parent_id is None:
        return True
    parent = after.get(parent_id) if _is_text(parent_id) else None
    return parent is not None and message_id in parent["childrenIds"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
