"""Reporting rows in the SQL database that nothing uses any longer."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, func, literal, select, tuple_

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.reports import named
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import RequestError
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["warn_of_unused_rows"]

log = logging.getLogger(__name__)

PAGE = 2_000
"""Keys in one request."""

BUDGET = 0.2
"""Seconds after which a start looks at no further keys, but for one page of each table."""


@dataclass
class _Looked:
    """What became of the rows of a table.

    Attributes:
        number: How many were looked at.
        missing: Keys of those that PocketBase does not have.
        is_all: Whether the table has no more.
    """

    number: int = 0
    missing: list[str] = field(default_factory=list)
    is_all: bool = False


async def warn_of_unused_rows(
    backends: Mapping[str, str], client: PocketBaseClient, *, before: Collection[str]
) -> None:
    """Log which rows the SQL tables have of groups that live elsewhere, apart from copies of those there.

    The tables take no changes once their group is in PocketBase. So what is missing there at the first start was not
    copied; later it may have been deleted, and only a table most of which is missing is told of.

    Args:
        backends: Group -> backend of those groups.
        client: Asks PocketBase.
        before: Groups that were in PocketBase at the last start.
    """
    until = time.monotonic() + BUDGET
    for group, backend in backends.items():
        for name in CATALOG[group].tables:
            if name in TABLES and TABLES[name].mirrored:
                continue
            if backend != BACKEND or name not in TABLES:
                await _count(name, group, backend)
                continue
            try:
                looked = await _look(client, name, until if group not in before else 0.0)
            except RequestError as error:  # nobody needs the answer to use what is in PocketBase
                log.warning("PocketBase could not be asked for the rows of the SQL table %s: %s", name, error)
                continue
            _tell(looked, name, group, is_new=group not in before)


def _tell(looked: _Looked, name: str, group: str, *, is_new: bool) -> None:
    missing = len(looked.missing)
    if missing and (is_new or 2 * missing > looked.number):
        log.warning(
            "%s%d rows of the SQL table %s are not in PocketBase, and are not shown: %s.\n"
            "  What to do: openwebui-pocketbase migrate copy %s (unless they were deleted in the meantime)",
            "" if looked.is_all else "At least ",
            missing,
            name,
            named(looked.missing),
            group,
        )
    elif looked.number and is_new:
        some = "rows" if looked.is_all else "rows that were looked at"
        log.info("The %d %s of the SQL table %s are copies of what is in PocketBase.", looked.number, some, name)


async def _look(client: PocketBaseClient, name: str, until: float) -> _Looked:
    """Ask PocketBase for one page of keys, and for more while there is time; ids are random, so these are any rows."""
    table = TABLES[name]
    keys = table.hashed_id or ("id",)
    rows = _table(name, [column.name for column in table.columns if column.name in {"id", *keys}])
    # As in the primary key, so that no rows are read.
    order = sorted(rows.c, key=lambda column: column.name != "id")
    looked = _Looked()
    after: list[str] | None = None
    while not looked.is_all and (after is None or time.monotonic() < until):
        query = select(*order).order_by(*order).limit(PAGE)
        if after is not None:
            query = query.where(tuple_(*order) > tuple_(*map(literal, after)))
        async with sql.begin() as connection:
            page = (await connection.execute(query)).mappings().all()
        if page:
            after = [*page[-1].values()]
            sent = [[row[key] for key in keys] for row in page]
            missing = await client.read("changes/get_missing", {"table": name, "keys": sent}, meet=False)
            looked.missing += ["/".join(map(str, key)) for key in missing]
        looked.number += len(page)
        looked.is_all = len(page) < PAGE
    return looked


async def _count(name: str, group: str, backend: str) -> None:
    async with sql.begin() as connection:
        rows = await connection.scalar(select(func.count()).select_from(_table(name, ["id"])))
    if rows:
        what = "%d rows of the table %s stay in the SQL database and are not shown: %s are in %s."
        log.warning(what, rows, name, group, backend)


def _table(name: str, columns: Collection[str]) -> Any:
    return Table(name, MetaData(schema=sql.METADATA.schema), *(Column(each, Text) for each in columns))
