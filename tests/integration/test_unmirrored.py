"""What only PocketBase has: counted in one request, and told at a start that does not use it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.runtime import Runtime
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.schema.unmirrored import COUNTED, count_unmirrored
from openwebui_pocketbase.settings import GROUPS, Settings
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

BROUGHT_BACK = {"auth", "api_key", "oauth_session", "config"}
"""`leave` copies them."""


def test_every_table_without_a_copy_is_counted() -> None:
    assert {each.table for each in COUNTED} == {
        name for name, table in TABLES.items() if not table.mirrored and name not in BROUGHT_BACK
    } | {"file"}
    assert len({each.label for each in COUNTED}) == len(COUNTED)


@pytest.fixture
def stored(own_pocketbase: PocketBaseProcess) -> PocketBaseProcess:
    """A channel with two messages, a tag, and three files, one of them with its contents in PocketBase."""
    files: list[dict[str, Any]] = [
        {"path": "pb://a/a_a.txt", "text": "what it says"},
        {"path": "/uploads/b_b.txt", "text": ""},
        {"path": "pb://c/c_c.txt", "pending": True},
    ]
    with own_pocketbase.admin() as admin:
        add(admin, "channels", {"id": "channel-1", "user_id": "u1", "name": "general"})
        for number in range(2):
            message = {"id": f"message-{number}", "user_id": "u1", "channel_id": "channel-1", "content": "x"}
            add(admin, "messages", message)
        add(admin, "tags", {"user_id": "u1", "key": "tag", "name": "tag"})
        for name, file in zip("abc", files, strict=True):
            add(admin, "files", {"id": f"file-{name}", "user_id": "u1", "filename": "x.txt", **file})
    return own_pocketbase


def add(admin: AdminClient, name: str, record: dict[str, Any]) -> None:
    admin.send("POST", f"/api/collections/owui_{name}/records", record)


def test_what_is_counted(stored: PocketBaseProcess) -> None:
    with stored.admin() as admin:
        assert count_unmirrored(admin, GROUPS) == {
            "tags": {"tags": 1},
            "files": {"contents of files": 1, "extracted texts of files": 1},
            "messages": {"channels": 1, "messages in channels": 2},
        }
        assert count_unmirrored(admin, ["tags", "chats", "access"]) == {"tags": {"tags": 1}}
        assert count_unmirrored(admin, ["users", "groups"]) == {}


@pytest.fixture
async def start(stored: PocketBaseProcess, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start what runs in a process with some groups in PocketBase."""
    runtimes: list[Runtime] = []

    async def start(*groups: str) -> None:
        settings = Settings.model_validate(
            {
                "groups": dict.fromkeys(groups, "pocketbase"),
                "pocketbase": {"url": stored.url, "identity": IDENTITY, "password": PASSWORD},
            }
        )
        runtimes.append(Runtime(settings, tmp_path, groups))
        await runtimes[-1].start()

    yield start
    for runtime in runtimes:
        await runtime.stop()


async def test_a_start_tells_what_it_does_not_show(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    await start("tags")
    what = "what PocketBase has of them stays there and is not shown"
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"files are in sqlalchemy: {what} (contents of files: 1, extracted texts of files: 1).",
        f"messages are in sqlalchemy: {what} (channels: 1, messages in channels: 2).",
    ]


async def test_a_start_that_cannot_ask_goes_on(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = AdminClient.sql

    def refusing(self: AdminClient, statement: str) -> Any:
        return stock(self, "SELECT no_such_column" if "AS label" in statement else statement)

    monkeypatch.setattr(AdminClient, "sql", refusing)
    await start("tags")
    (line,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert line.startswith("PocketBase could not be asked what it has of groups that are elsewhere: ")
