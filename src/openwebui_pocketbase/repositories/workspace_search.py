"""The host's unified search, whose SQL names the table ``folder``, with folders from their repository."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any

from open_webui.models.folders import Folder, Folders
from open_webui.models.groups import Groups
from sqlalchemy import JSON, BindParameter, Text, bindparam, cast, column, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from openwebui_pocketbase.repositories.folders import REACHABLE_COLUMNS

__all__ = ["with_folders_from_repository"]

Search = Callable[..., Awaitable[Any]]


def with_folders_from_repository(stock: FunctionType) -> Search:
    """Return `search_workspace` with the folders the user can reach in place of the SQL table.

    The stock function runs as it is, except that its global name ``Folder`` means a subquery over
    the repository's rows: one bound JSON parameter, however many folders.
    """

    async def search_workspace(db: AsyncSession, user: Any, *args: Any, **kwargs: Any) -> Any:
        groups = await Groups.get_groups_by_member_id(user.id, db=db, include_inherited=True)
        shared = await Folders.get_shared_folder_ids_for_user(user.id, {group.id for group in groups}, db=db)
        rows = await Folders.get_reachable_rows(user.id, list(shared))
        table = folders_as_entity(rows, db.bind.dialect.name)
        # A copy per call: two searches at once must not see each other's folders.
        search = FunctionType(
            stock.__code__,
            {**stock.__globals__, "Folder": table},
            stock.__name__,
            stock.__defaults__,
            stock.__closure__,
        )
        return await search(db, user, *args, **kwargs)

    return search_workspace


def folders_as_entity(rows: list[dict[str, Any]], dialect: str) -> Any:
    """Return what `Folder` means in a query over these rows instead of over the table."""
    return aliased(Folder, _as_subquery(rows, dialect), adapt_on_names=True)


def _as_subquery(rows: list[dict[str, Any]], dialect: str) -> Any:
    if dialect == "sqlite":
        items = func.json_each(_document(rows)).table_valued("value", name="owui_items")
        values = [func.json_extract(items.c.value, f"$.{name}").label(name) for name in REACHABLE_COLUMNS]
        return select(*values).subquery("owui_folders")
    # PostgreSQL's text has no NUL; PocketBase's has.
    clean = [{name: value and value.replace("\0", "") for name, value in row.items()} for row in rows]
    items = (
        func.json_to_recordset(cast(_document(clean), JSON))
        .table_valued(*(column(name, Text) for name in REACHABLE_COLUMNS), name="owui_items")
        .render_derived(with_types=True)
    )
    return select(*(items.c[name] for name in REACHABLE_COLUMNS)).subquery("owui_folders")


def _document(rows: list[dict[str, Any]]) -> BindParameter[str]:
    return bindparam("owui_folders", json.dumps(rows), type_=Text)
