"""What lists of chats are sorted by; names as in ``owui/chats/_filters.js``."""

from __future__ import annotations

from open_webui.models.chats import Chat

__all__ = ["AS_STORED", "LATEST", "LATEST_OF_FEW", "Order", "by_column", "by_host_names"]

Order = list[tuple[str, bool]]
"""What is sorted by, and whether it descends."""

LATEST: Order = [("updated_at", True), ("id", False)]

LATEST_OF_FEW: Order = [("+updated_at", True), ("id", False)]
"""The same where a better index than that of the order finds the chats."""

AS_STORED: Order = [("rowid", False)]
"""The order in which SQLite returns rows to the host where it does not ask for one."""


def by_host_names(sort_by: str, sort_dir: str, unread: str = "unread") -> Order:
    """Return the order which `open_webui.models.chats.chat_list_order` means."""
    if sort_by == "unread_updated_at":
        return [(unread, True), *LATEST]
    return [("title" if sort_by == "title" else "updated_at", sort_dir != "asc"), ("id", False)]


def by_column(order_by: str, direction: str) -> Order:
    """Return the order by any column.

    Raises:
        AttributeError: There is no such column.
        ValueError: There is no such direction.
    """
    attribute = getattr(Chat, order_by)
    if direction.lower() not in ("asc", "desc"):
        raise ValueError("Invalid direction for ordering")
    column = attribute.asc().element.key  # what is no column has no such method
    return [(column, direction.lower() == "desc"), ("id", False)]
