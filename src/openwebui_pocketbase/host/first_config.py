"""What administrators have set before the configuration lived in PocketBase.

Open WebUI stores a default for each key that it misses. A site whose configuration is not in PocketBase yet would begin
with all of these: with sign-ups open that were closed, for example.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, cast, select

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConflictError

__all__ = ["adopt_config"]

log = logging.getLogger(__name__)

NEVER_CHANGED = "none"
"""The version of a configuration that nobody has ever stored anything of."""


async def adopt_config(client: PocketBaseClient) -> None:
    """Copy the rows of the SQL table to PocketBase if that has never had any.

    Args:
        client: Asks PocketBase.

    Raises:
        RequestError: PocketBase could not be asked.
        SQLAlchemyError: The SQL database could not be asked.
    """
    reply = await client.read("config/get_entries", {"version": ""})
    if reply["version"] != NEVER_CHANGED:
        return
    entries, unreadable = await _stored()
    if unreadable:
        log.warning("Rows of the SQL table config that are no JSON are not copied to PocketBase: %s.", unreadable)
    if not entries:
        return
    now = entries[0][2]
    body = {"version": NEVER_CHANGED, "set": [], "added": entries, "removed": [], "now": now}
    try:
        added, _ = await client.write("config/change", body)
    except ConflictError as error:
        if error.code != "config_changed":
            raise
        return  # another process has done it
    log.info("Copied %d rows of the SQL table config to PocketBase, which had none.", added)


async def _stored() -> tuple[list[tuple[str, str, int]], str]:
    """Return keys, JSON texts and times, and the names of what cannot be read."""
    columns = Column("key", Text), Column("value", Text), Column("updated_at", BigInteger)
    rows = Table("config", MetaData(schema=sql.METADATA.schema), *columns)
    query = select(rows.c.key, cast(rows.c.value, Text), rows.c.updated_at)
    async with sql.begin() as connection:
        found = (await connection.execute(query)).all()
    readable = [(str(key), str(text), int(at or 0)) for key, text, at in found if key and _is_json(text)]
    known = {key for key, *_ in readable}
    return readable, ", ".join(sorted(str(key) for key, *_ in found if key not in known))


def _is_json(text: Any) -> bool:
    try:
        orjson.loads(text)
    except (TypeError, ValueError):
        return False
    return True
