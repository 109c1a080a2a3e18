"""What is typed into an open note is saved, though others have changed it in PocketBase meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.notes import NoteForm, Notes
from open_webui.socket.main import document_save_handler

from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConflictError
from openwebui_pocketbase.host.guard import install_guard
from openwebui_pocketbase.seams.note_saves import ATTEMPTS, saved_again
from tests.support.mirrors import client, database, no_sockets
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

USER = {"id": "u", "role": "user"}
TYPED = {"content": {"md": "typed"}}


@pytest.fixture
async def mirror(
    client: PocketBaseClient, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mirror]:
    mirror = Mirror(client, ("notes",))
    await mirror.start()
    await install_guard(("notes",))
    through = Through(mirror, 30.0)
    through.start()
    monkeypatch.setattr(Notes, "pocketbase", mirror, raising=False)
    yield mirror
    through.stop()
    await install_guard(())


@pytest.fixture
async def note(mirror: Mirror) -> str:
    made = await Notes.insert_new_note("u", NoteForm(title="a", data={"content": {"md": "a"}}, access_grants=[]))
    assert made is not None
    return str(made.id)


async def change(server: PocketBaseProcess, note: str, title: str) -> None:
    def send() -> None:
        with server.admin() as admin:
            admin.send("PATCH", f"/api/collections/owui_notes/records/{note}", {"title": title})

    await asyncio.to_thread(send)


async def test_it_is_saved_again_with_what_others_have_changed(
    own_pocketbase: PocketBaseProcess, mirror: Mirror, note: str
) -> None:
    await change(own_pocketbase, note, "by others")
    with pytest.raises(ConflictError):
        await document_save_handler(f"note:{note}", TYPED, USER)
    saved = await saved_again(document_save_handler)(f"note:{note}", TYPED, USER)
    assert (saved.title, saved.data) == ("by others", TYPED)
    await mirror.catch_up()
    found = await Notes.get_note_by_id(note)
    assert found is not None
    assert (found.title, found.data) == ("by others", TYPED)


async def test_it_is_given_up_if_others_change_it_every_time(
    own_pocketbase: PocketBaseProcess, mirror: Mirror, note: str
) -> None:
    attempts = 0

    async def saving(*given: Any) -> Any:
        nonlocal attempts
        attempts += 1
        await change(own_pocketbase, note, f"by others {attempts}")
        return await document_save_handler(*given)

    with pytest.raises(ConflictError):
        await saved_again(saving)(f"note:{note}", TYPED, USER)
    assert attempts == ATTEMPTS
