"""Taking people's credentials back into the host's SQL database, for an Open WebUI without this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from open_webui.env import DATABASE_SCHEMA
from sqlalchemy import Connection

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.table import MirroredTable
from openwebui_pocketbase.changes.watch import unwatch
from openwebui_pocketbase.guard.triggers import remove
from openwebui_pocketbase.repositories.base import Requests
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["Copied", "copy_credentials", "let_go"]

READS = {"auth": "auths/get_auths", "api_key": "auths/get_api_keys", "oauth_session": "auths/get_oauth_sessions"}
"""Table -> the method that gives a page of it."""

PAGE = 1000


@dataclass(frozen=True)
class Copied:
    """What became of a table.

    Attributes:
        rows: How many rows it has now.
        without_user: How many it did not get, because there is no such user.
    """

    rows: int
    without_user: int


async def copy_credentials(requests: Requests) -> Mapping[str, Copied]:
    """Make the SQL tables of credentials equal to what PocketBase has, and lift the guard, in one transaction.

    Passwords and API keys go as they are stored. The SQL database's copy of the users has to be complete.

    Returns:
        What became of each table.
    """
    wires = {name: await _all(requests, path) for name, path in READS.items()}
    copied = {}
    async with sql.begin() as connection:
        await connection.run_sync(let_go)
        users = await MirroredTable("user").ids(connection)
        for name in READS:
            table = MirroredTable(name)
            rows = [table.decode(wire, connection.dialect.name) for wire in wires[name]]
            known = [row for row in rows if row.get("user_id", row["id"]) in users]
            # What was revoked since an earlier copy must not come back.
            await table.delete(connection, await table.ids(connection))
            await table.upsert(connection, known)
            copied[name] = Copied(len(known), len(rows) - len(known))
    return copied


def let_go(connection: Connection) -> None:
    """Remove our triggers: tables take all changes, and nobody notes who made them."""
    remove(connection, schema=DATABASE_SCHEMA or None)
    unwatch(connection, [name for name, table in TABLES.items() if table.mirrored])


async def _all(requests: Requests, path: str) -> list[list[Any]]:
    wires: list[list[Any]] = []
    while page := await requests.read(path, {"after": wires[-1][0] if wires else "", "limit": PAGE}):
        wires += page
    return wires
