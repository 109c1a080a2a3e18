"""Saving what is typed into an open note: the host does so half a second after the last key, once, and tells nobody.

If somebody has changed the note in PocketBase just before, and the SQL database's copy does not have that yet, the
save is refused, and what was typed is in the document only, which ends with its last editor. So it is saved again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from open_webui.models.notes import Notes

from openwebui_pocketbase.exceptions import ConflictError

__all__ = ["saved_again"]

ATTEMPTS = 5
"""Of a save: somebody may change the note again and again."""


def saved_again(stock: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return `document_save_handler`, which saves again what was refused, with the others' changes in the copy."""

    @wraps(stock)
    async def document_save_handler(document_id: str, data: Any, user: Any) -> Any:
        for _ in range(ATTEMPTS - 1):
            try:
                return await stock(document_id, data, user)
            except ConflictError:
                await Notes.pocketbase.catch_up()
        return await stock(document_id, data, user)

    return document_save_handler
