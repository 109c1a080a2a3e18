"""Telling about rows in the SQL database that nobody sees any more."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import filterfalse

from open_webui.internal.db import get_async_db
from sqlalchemy import func, select, table

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["warn_of_unused_rows"]

log = logging.getLogger(__name__)


async def warn_of_unused_rows(backends: Mapping[str, str]) -> None:
    """Log how many rows the SQL tables have of groups that live elsewhere, apart from copies of those there.

    Args:
        backends: Group -> backend of those groups.
    """
    with ours_only():
        await _warn(backends)


async def _warn(backends: Mapping[str, str]) -> None:
    async with get_async_db() as session:
        for group, backend in backends.items():
            tables = [name for spec in CATALOG[group].repositories for name in spec.tables]
            for name in filterfalse(_is_mirrored, tables):
                with ours_only():
                    rows = await session.scalar(select(func.count()).select_from(table(name)))
                if rows:
                    log.warning(
                        "%d rows of the table %s stay in the SQL database and are not shown: %s are in %s.",
                        rows,
                        name,
                        group,
                        backend,
                    )


def _is_mirrored(name: str) -> bool:
    return name in TABLES and TABLES[name].mirrored
