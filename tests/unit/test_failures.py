"""What users and the log get to see of a failing storage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from openwebui_pocketbase.exceptions import (
    ConfigurationError,
    ConflictError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)
from openwebui_pocketbase.host.failures import answer_failures
from openwebui_pocketbase.host.requests import tell_requests_apart
from openwebui_pocketbase.host_request import HostRequest, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ADDRESS = "http://10.0.0.1:8090"
UNAVAILABLE = (503, {"detail": "The storage is not available. Please try again."})
STALE = (409, {"detail": "Somebody else has changed this in the meantime. Please try again."})
TOO_LARGE = (413, {"detail": "This is too large to be stored."})


def refused(method: str = "users/get") -> UnavailableError:
    url = f"{ADDRESS}/api/owui/{method}"
    return UnavailableError(f"PocketBase gave no answer to {url}: refused", url=url, hint="Start it.")


def app_that_raises(error: Exception) -> FastAPI:
    app = FastAPI()

    @app.get("/plain")
    async def plain() -> None:
        raise error

    @app.get("/careless")
    async def careless() -> None:
        try:
            raise error
        except HTTPException:
            raise
        except Exception:  # noqa: BLE001 - as the host's routes do
            raise HTTPException(400, "Something went wrong :/")  # noqa: B904

    return app


async def get(app: FastAPI, path: str, *, raises: bool = True) -> tuple[int, Any]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(path)
    is_json = answer.headers.get("Content-Type") == "application/json"
    return answer.status_code, answer.json() if is_json else answer.text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(), UNAVAILABLE),
        (UnauthorizedError("x", url=ADDRESS, status=401), UNAVAILABLE),
        (ConfigurationError("x"), UNAVAILABLE),
        (TooLargeError("x", url=ADDRESS, status=413), TOO_LARGE),
        (ConflictError("x", url=ADDRESS, status=409, code="stale"), STALE),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_failures_are_answered_without_details(error: Exception, expected: tuple[int, Any]) -> None:
    app = app_that_raises(error)
    answer_failures(app)
    assert await get(app, "/plain") == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refused(), UNAVAILABLE),
        (TooLargeError("x", url=ADDRESS, status=413), TOO_LARGE),
        (ConflictError("x", url=ADDRESS, status=409, code="stale"), STALE),
        # As with the stock database: the data are refused, or the route has its own reasons.
        (ConflictError("x", url=ADDRESS, status=409), (400, {"detail": "Something went wrong :/"})),
        (ValueError("x"), (400, {"detail": "Something went wrong :/"})),
        (HTTPException(404, "Nothing here"), (404, {"detail": "Nothing here"})),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_routes_that_catch_everything_do_not_hide_an_outage(error: Exception, expected: tuple[int, Any]) -> None:
    app = app_that_raises(error)
    answer_failures(app)
    assert await get(app, "/careless") == expected


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/swallows", 200, 503),
        ("/fails", 500, 503),
        ("/says-no", 404, 503),
        ("/streams", 200, 200),
        ("/stores", 200, 200),
    ],
)
async def test_what_is_not_stored_is_told_whatever_a_route_makes_of_it(path: str, status: int, told: int) -> None:
    app = FastAPI()

    @app.get("/{what}")
    async def answer(what: str) -> Any:
        request = serving.get()
        assert request is not None
        if what == "stores":
            return True

        async def lines() -> AsyncIterator[bytes]:
            yield b"begun "
            request.refusal = refused()
            yield b"and ended"

        if what == "streams":
            return StreamingResponse(lines())
        request.refusal = refused()
        if what == "fails":
            raise ValueError
        if what == "says-no":
            raise HTTPException(404)
        return True

    undo = answer_failures(app)
    undo_requests = tell_requests_apart(app)
    assert (await get(app, path, raises=False))[0] == told
    undo_requests()
    undo()
    token = serving.set(HostRequest())
    assert (await get(app, path, raises=False))[0] == status
    serving.reset(token)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time that the limits see."""
    now = [0.0]
    monkeypatch.setattr("openwebui_pocketbase.host.failures.time.monotonic", lambda: now[0])
    return lambda value: now.__setitem__(0, value)


async def test_a_cause_is_one_line_every_ten_seconds(
    clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    error = refused()
    app = app_that_raises(error)
    answer_failures(app)
    with caplog.at_level(logging.INFO, "openwebui_pocketbase"):
        for number in range(20):
            error.args = refused(f"method/{number}").args
            error.url = refused(f"method/{number}").url
            await get(app, "/plain")
        clock(10.5)
        await get(app, "/plain")
    first, later = (record.getMessage() for record in caplog.records if record.name.startswith("openwebui_pocketbase"))
    reason = f"GET /plain failed: PocketBase gave no answer to {ADDRESS}/api/owui/method"
    assert first == f"{reason}/0: refused What to do: Start it."
    assert later == f"{reason}/19: refused What to do: Start it. (19 more since this was last said)"


async def test_each_cause_has_its_line(clock: Callable[[float], None], caplog: pytest.LogCaptureFixture) -> None:
    clock(1.0)
    error = refused()
    app = app_that_raises(error)
    answer_failures(app)
    for text in ("one", "another", "one"):
        error.args = (text,)
        await get(app, "/plain")
    assert [record.getMessage()[:19] for record in caplog.records if record.levelname == "ERROR"] == [
        "GET /plain failed: ",
        "GET /plain failed: ",
    ]


def test_undo() -> None:
    app = FastAPI()
    before = dict(app.exception_handlers)
    undo = answer_failures(app)
    assert app.exception_handlers != before
    undo()
    undo()
    assert app.exception_handlers == before
