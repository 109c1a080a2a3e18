"""Taking the configuration along, to PocketBase and back to the SQL database; imports the host.

Open WebUI stores a default for each key that it misses. A site without its configuration would begin with all of these:
with sign-ups open that were closed, for example.
"""

from __future__ import annotations

import logging

from open_webui.models.config import Config
from sqlalchemy import delete, insert

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConflictError
from openwebui_pocketbase.migrate.items import UNITS, Note
from openwebui_pocketbase.migrate.pocketbase.fitting import fitted
from openwebui_pocketbase.migrate.sql.store import SqlStore
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.repositories.base import codec_of

__all__ = ["adopt_config", "bring_config_back"]

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
    entries, notes = await _stored()
    if notes:
        log.warning("Rows of the SQL table config cannot be in PocketBase as they are: %s.", "; ".join(notes))
    if not entries:
        return
    body = {"version": NEVER_CHANGED, "set": [], "added": entries, "removed": [], "now": 0}
    try:
        added, _ = await client.write("config/change", body)
    except ConflictError as error:
        if error.code != "config_changed":
            raise
        return  # another process has done it
    log.info("Copied %d rows of the SQL table config to PocketBase, which had none.", added)


async def bring_config_back(client: PocketBaseClient) -> int:
    """Make the SQL table equal to what PocketBase has, if that has anything; return the number of rows.

    What raw SQL has left that is no JSON is left out, and named in the log.

    Args:
        client: Asks PocketBase.

    Raises:
        RequestError: PocketBase could not be asked.
        SQLAlchemyError: The SQL database does not take it; nothing is changed then.
    """
    rows, unreadable = [], []
    for wire in await client.read("config/get_rows", {}):
        try:
            rows.append(codec_of("config").decode(wire))
        except ValueError:
            unreadable.append(wire[0])
    if unreadable:
        log.warning("Values of the configuration that are no JSON are left out: %s.", ", ".join(unreadable))
    if rows:
        async with sql.begin() as connection:
            await connection.execute(delete(Config.__table__))
            await connection.execute(insert(Config.__table__), rows)
    return len(rows)


async def _stored() -> tuple[list[tuple[str, str, int]], list[str]]:
    """Return keys, JSON texts and times as PocketBase can hold them, and what is different from what is stored."""
    store, unit, encode = SqlStore(), UNITS["config"], codec_of("config").encode
    entries: list[tuple[str, str, int]] = []
    notes: list[Note] = []
    with ours_only():
        async for page in store.keys(unit):
            items = await store.load(unit, [each.key for each in page])
            for item in (fitted(unit, items[each.key]) for each in page):
                rows = map(encode, item.rows[unit.name])
                entries += [(row["key"], row["value"] or "null", row["updated_at"] or 0) for row in rows]
                notes += item.notes
    notes += store.skipped(unit)
    return entries, [f"{note.key} ({note.reason})" for note in notes]
