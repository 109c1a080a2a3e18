"""Writing through: what the host's own repositories commit, PocketBase has first; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from open_webui.models.notes import Note, NoteForm, NoteUpdateForm, Notes
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.guard import install_guard
from tests.support.differential import pocketbase_rows, same
from tests.support.mirrors import client, database, no_sockets
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

GROUPS = ("notes",)
TABLES = ("note", "pinned_note")


async def check(database: StockDatabase, server: PocketBaseProcess) -> None:
    """Check that both sides are equal, and nothing waits."""
    for table in TABLES:
        same(table, pocketbase_rows(server.data_dir, table), await database.rows(table), sort=True)
    async with sql.begin() as connection:
        for table in ("owui_pocketbase_outbox", "owui_pocketbase_touched"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0
        if database.is_sqlite:
            assert (await connection.execute(text("SELECT writing FROM owui_pocketbase_mirror"))).scalar() == 0


@pytest.fixture
async def mirror(client: PocketBaseClient, database: StockDatabase) -> AsyncIterator[Mirror]:
    mirror = Mirror(client, GROUPS)
    await mirror.start()
    await install_guard(GROUPS)
    through = Through(mirror, 3.0)
    through.start()
    yield mirror
    through.stop()
    await install_guard(())


async def insert(title: str = "a") -> Note:
    note = await Notes.insert_new_note("u", NoteForm(title=title, data={"content": {"md": title}}, access_grants=[]))
    assert note is not None
    return note


async def test_rows_are_there_with_the_commit(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    note = await insert()
    await check(database, own_pocketbase)
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b", data={"content": {"md": "ä\x00"}}))
    await check(database, own_pocketbase)
    other = await insert("c")
    assert await Notes.delete_note_by_id(note.id)
    await check(database, own_pocketbase)
    assert [row["id"] for row in await database.rows("note")] == [other.id]
