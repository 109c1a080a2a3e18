"""Checks of who asks run without a thread, and say the same."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security

from openwebui_pocketbase.host.checks import check_at_once, checks_of_host

threads: list[str] = []


async def user(request: Request) -> str:
    """Return who asks."""
    calls: list[str] = request.app.state.calls
    calls.append("user")
    return request.headers.get("who", "")


def verified(name: str = Depends(user)) -> str:
    """Return who asks, if there is somebody."""
    threads.append(threading.current_thread().name)
    if not name:
        raise HTTPException(401, detail="Nobody")
    return name


def admin(name: str = Depends(user)) -> str:
    """Return who asks, if they are the administrator."""
    threads.append(threading.current_thread().name)
    if name != "admin":
        raise HTTPException(403, headers={"X-Why": "not the administrator"})
    return name


def greeting(name: str = Depends(verified)) -> str:
    """Return what waits, so that it needs a thread."""
    threads.append(threading.current_thread().name)
    return f"Hello {name}"


def application() -> FastAPI:
    app = FastAPI()
    app.state.calls = []
    router = APIRouter(prefix="/r", dependencies=[Depends(admin)])

    @app.get("/verified")
    async def get_verified(name: str = Depends(verified), again: str = Depends(verified)) -> list[str]:
        return [name, again]

    @app.get("/greeting")
    async def get_greeting(text: str = Depends(greeting), name: str = Security(verified, scopes=["a"])) -> list[str]:
        return [text, name]

    @router.get("/admin")
    async def get_admin(name: str = Depends(verified)) -> str:
        return name

    app.include_router(router)
    app.mount("/mounted", FastAPI())
    return app


async def said(app: FastAPI, path: str, who: str) -> tuple[Any, ...]:
    """Return the answer, and how often the user was looked for."""
    transport = httpx.ASGITransport(app)
    app.state.calls.clear()
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        reply = await client.get(path, headers={"who": who})
        return reply.status_code, reply.text, reply.headers.get("x-why"), len(app.state.calls)


@pytest.mark.parametrize("path", ["/verified", "/greeting", "/r/admin", "/nothing"])
@pytest.mark.parametrize("who", ["", "ann", "admin"])
async def test_the_answers_are_the_same(path: str, who: str) -> None:
    plain, ours = application(), application()
    check_at_once(ours, [verified, admin])
    assert await said(ours, path, who) == await said(plain, path, who)


async def test_no_thread_is_used_until_it_is_undone() -> None:
    app = application()
    here = threading.current_thread().name
    threads.clear()
    await said(app, "/r/admin", "admin")
    assert here not in threads
    undo = check_at_once(app, [verified, admin])
    threads.clear()
    await said(app, "/r/admin", "admin")
    assert threads == [here, here]
    threads.clear()
    await said(app, "/greeting", "ann")
    assert threads[0] == here != threads[1]  # what is no such check still gets its thread
    undo()
    threads.clear()
    await said(app, "/r/admin", "admin")
    assert here not in threads


def test_the_hosts_checks_stay_functions() -> None:
    for check in checks_of_host():
        with pytest.raises(HTTPException):
            check(type("User", (), {"role": "pending"}))
