"""What the modules of groups share: a group's row, and what the host expects if a change is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from open_webui.models.groups import GroupHierarchyError, GroupModel

from openwebui_pocketbase.exceptions import InvalidRequestError, NotFoundError
from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.errors import integrity_errors

__all__ = ["GroupRows"]

FEW = 100
"""Up to so many memberships are written in a few milliseconds."""

_REFUSALS = {
    "group_not_found": ("Group not found.", 404),
    "parent_empty": ("Parent group must be a group ID or null.", 400),
    "parent_not_found": ("Parent group not found.", 404),
    "parent_below": ("A group cannot be its own parent or a descendant of itself.", 400),
}
"""Code of a hook -> what the stock repository says then."""


class GroupRows(PocketBaseRepository):
    """The table of groups."""

    route = "groups"
    table = "group"
    model = GroupModel

    async def _write_for(self, number: int, method: str, **parameters: Any) -> Any:
        """Call a method of the hooks that writes, and changes about so many records; return its reply."""
        return await (self._write_many if number > FEW else self._write)(method, **parameters)

    @staticmethod
    @contextmanager
    def _host_errors(method: str) -> Iterator[None]:
        try:
            with integrity_errors(method):
                yield
        except (InvalidRequestError, NotFoundError) as error:
            if error.code not in _REFUSALS:
                raise
            raise GroupHierarchyError(*_REFUSALS[error.code]) from error
