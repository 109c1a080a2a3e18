"""Health checks see the storage, and do not add to its troubles."""

from __future__ import annotations

import asyncio
import types
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError, UnavailableError
from openwebui_pocketbase.host import health
from openwebui_pocketbase.host.health import Health, extend_health_checks

BACKENDS = {"chats": "pocketbase", "files": "sqlalchemy"}


class Storage:
    """Answers or fails, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def __call__(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure


async def test_a_storage_that_hangs_is_asked_once_and_down_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ENOUGH", 0.1)
    storage = Storage()
    storage.answers.clear()
    checks = Health(storage)
    results = await asyncio.gather(*(checks.check() for _ in range(50)), return_exceptions=True)
    assert [type(result) for result in results] == [UnavailableError] * 50
    with pytest.raises(UnavailableError, match="within"):
        await asyncio.wait_for(checks.check(), 0.05)  # no new two seconds for the same question
    assert storage.asked == 1
    storage.answers.set()
    await asyncio.sleep(0)
    await checks.check()
    assert storage.asked == 1


async def test_an_answer_is_good_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage()
    checks = Health(storage)
    for _ in range(10):
        await checks.check()
    assert storage.asked == 1
    monkeypatch.setattr(health, "FRESH", 0.0)
    storage.failure = UnavailableError("away", url="u")
    with pytest.raises(UnavailableError, match="away"):
        await checks.check()
    storage.failure = None
    await checks.check()
    assert storage.asked == 3


async def test_a_question_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "GIVE_UP", 0.05)
    storage = Storage()
    storage.answers.clear()
    with pytest.raises(OpenWebUIPocketBaseError):
        await Health(storage).check()


def host() -> Any:
    """A module like the host's ``main``, with the application's pages behind all routes."""
    main: Any = types.ModuleType("main")
    main.app = FastAPI()
    main.sql_is_up = True

    async def ping() -> None:
        if not main.sql_is_up:
            raise RuntimeError("SQL is away")

    async def page(path: str) -> PlainTextResponse:
        return PlainTextResponse(f"page {path}")

    main.async_db_ping = ping
    main.app.add_api_route("/{path:path}", page)
    return main


async def get(app: FastAPI) -> tuple[int, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/health/storage")
    return answer.status_code, answer.json()


async def test_the_route_says_what_is_where() -> None:
    main, storage = host(), Storage()
    extend_health_checks(main, Health(storage), lambda: BACKENDS)
    assert await get(main.app) == (200, {"status": True, "groups": BACKENDS})
    main.sql_is_up = False
    assert await get(main.app) == (503, {"status": False, "groups": BACKENDS})


async def test_what_the_stock_checks_ask_includes_the_storage() -> None:
    main, storage = host(), Storage()
    stock = main.async_db_ping
    undo = extend_health_checks(main, Health(storage), lambda: BACKENDS)
    storage.failure = UnavailableError("at http://10.0.0.1", url="u")
    with pytest.raises(UnavailableError):
        await main.async_db_ping()
    assert await get(main.app) == (503, {"status": False, "groups": BACKENDS})
    undo()
    undo()
    assert main.async_db_ping is stock
    async with httpx.AsyncClient(transport=httpx.ASGITransport(main.app), base_url="http://test") as client:
        assert (await client.get("/health/storage")).text == "page health/storage"
