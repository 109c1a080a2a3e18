"""Several worker processes on one PocketBase, and only some groups of data in it."""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from openwebui_pocketbase.server.pocketbase import command_marker
from tests.support.rights import Connection, Person
from tests.support.sockets import listening, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

MIXED = """
[groups]
tags = "pocketbase"
"""
CHAT = {"chat": {"title": "A chat", "history": {"messages": {}, "currentId": None}, "messages": []}}
LISTS = ("/api/v1/folders/", "/api/v1/chats/all/tags", "/api/v1/search")


@pytest.fixture(scope="module")
def mixed(new_openwebui: Callable[..., OpenWebUI]) -> OpenWebUI:
    """One with a config file."""
    instance: OpenWebUI = new_openwebui("mixed", config=MIXED).start()
    instance.user("admin")
    return instance


@pytest.fixture
def workers(two_workers: OpenWebUI, poll: Callable[..., Any]) -> OpenWebUI:
    """Two workers, both of which answer; the last test of them ends them."""
    log = two_workers.log
    wanted = 2 * log.count("Started parent process")  # other modules may have started them before
    poll(lambda: starts(two_workers) >= wanted, "both workers have started")
    poll(
        lambda: None not in [answer_of(two_workers, pid, LISTS[0]) for pid in workers_of(two_workers)],
        "both workers answer",
    )
    return two_workers


def starts(instance: OpenWebUI) -> int:
    """Return how many workers have started; before that, one that is held would be taken for dead."""
    return instance.log.count("Scheduler worker started")


def workers_of(instance: OpenWebUI) -> list[int]:
    """Return the process ids of the two workers."""
    assert instance.process is not None
    children = psutil.Process(instance.process.pid).children()
    pids = [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]
    assert len(pids) == 2
    return pids


@contextmanager
def held(pids: list[int]) -> Iterator[None]:
    """Hold workers for a moment: uvicorn takes one that is silent for five seconds for dead."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def only(instance: OpenWebUI, worker: int) -> Iterator[httpx.Client]:
    """Give a client whose requests this worker answers: the other one is held for a moment."""
    with held([pid for pid in workers_of(instance) if pid != worker]), instance.client() as client:
        client.timeout = httpx.Timeout(3.0)
        client.headers.update(instance.headers("admin"))
        yield client


@contextmanager
def connected(instance: OpenWebUI) -> Iterator[list[Connection]]:
    """Give a connection to each worker."""
    with ExitStack() as stack:
        clients = {pid: stack.enter_context(instance.client()) for pid in workers_of(instance)}
        found = []
        for pid, client in clients.items():
            with held([other for other in clients if other != pid]):
                found.append(Connection(client))
        yield found


def answer_of(instance: OpenWebUI, worker: int, path: str) -> Any:
    """Return what this worker answers, or None if it does not."""
    with only(instance, worker) as client:
        try:
            return client.get(path).raise_for_status().json()
        except httpx.TransportError:
            return None


def pocketbases(instance: OpenWebUI) -> list[int]:
    """Return the process ids of every PocketBase that serves this data directory."""
    marker = command_marker(str(instance.data_dir / "pocketbase"))
    return [each.pid for each in psutil.process_iter(["cmdline"]) if marker in " ".join(each.info["cmdline"] or [])]


def test_two_workers_share_one_pocketbase(workers: OpenWebUI) -> None:
    assert pocketbases(workers) == [workers.pocketbase.pocketbase]


def test_what_one_worker_writes_the_other_reads(workers: OpenWebUI) -> None:
    for number, pid in enumerate(workers_of(workers)):
        with only(workers, pid) as client:
            client.post("/api/v1/folders/", json={"name": f"By worker {number}"}).raise_for_status()
            chat = client.post("/api/v1/chats/new", json=CHAT).raise_for_status().json()["id"]
            client.post(f"/api/v1/chats/{chat}/tags", json={"name": f"tag {number}"}).raise_for_status()
    for path in LISTS:
        one, other = (answer_of(workers, pid, path) for pid in workers_of(workers))
        assert one == other
        assert one


ROUNDS = 40
"""People, each of whom loses five rights."""


def test_rights_that_end_at_one_worker_end_at_the_other(workers: OpenWebUI) -> None:
    """With its next request, though each reads once at its beginning who has sent it."""
    with connected(workers) as (one, other):
        for number in range(ROUNDS):
            here, there = (one, other) if number % 2 else (other, one)
            Person(workers, here, number).lose_rights(here, there)


async def test_browsers_of_all_workers_hear_what_one_worker_writes(workers: OpenWebUI) -> None:
    """Once each, and so what others write; the host itself tells nobody of a new chat, and reaches one worker only."""
    async with listening(workers, *["admin"] * 8) as browsers:
        body = {**CHAT, "folder_id": None}
        await asyncio.to_thread(workers.request, "admin", "POST", "/api/v1/chats/new", json=body)
        await until(lambda: any(browser.heard for browser in browsers), lambda: "nobody heard of the chat")
        with workers.admin() as admin:
            admin.send(
                "POST",
                "/api/collections/owui_tags/records",
                {"key": "k", "name": "k", "user_id": workers.user("admin").id},
            )
        for browser in browsers:
            await browser.until(("chat:tags", None))
        found = [browser.heard for browser in browsers]
        assert all(each in ([("chat:tags", None)], [("chat:list", None), ("chat:tags", None)]) for each in found)
        assert {len(each) for each in found} == {1, 2}


def test_the_same_tag_at_once_is_one_row(workers: OpenWebUI) -> None:
    chats = [workers.request("admin", "POST", "/api/v1/chats/new", json=CHAT).json()["id"] for _ in range(16)]

    def add(chat: str) -> int:
        with workers.client() as client:  # each connection goes to whichever worker takes it
            headers = workers.headers("admin")
            return client.post(f"/api/v1/chats/{chat}/tags", json={"name": "At Once"}, headers=headers).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(add, chats)) == {200}
    tags = workers.request("admin", "GET", "/api/v1/chats/all/tags").json()
    assert [tag["id"] for tag in tags].count("at_once") == 1


def test_a_killed_worker_does_not_take_pocketbase_along(workers: OpenWebUI, poll: Callable[..., Any]) -> None:
    state = workers.pocketbase
    # The worker that started the supervisor is its parent: the harder case.
    killed = psutil.Process(state.supervisor).ppid()
    assert killed in workers_of(workers)
    (survivor,) = (pid for pid in workers_of(workers) if pid != killed)
    before = answer_of(workers, survivor, LISTS[0])
    started = starts(workers)

    os.kill(killed, signal.SIGKILL)

    with workers.client() as client:  # its connection cannot be one that died with the worker
        assert client.get(LISTS[0], headers=workers.headers("admin")).json() == before
    poll(lambda: starts(workers) == started + 1, "uvicorn starts another worker")
    (new,) = (pid for pid in workers_of(workers) if pid != survivor)
    poll(lambda: answer_of(workers, new, LISTS[0]) == before, "the new worker answers")
    assert workers.pocketbase == state
    assert pocketbases(workers) == [state.pocketbase]


def test_sigterm_ends_everything(workers: OpenWebUI) -> None:
    pids = [*workers_of(workers), workers.pocketbase.pocketbase, workers.pocketbase.supervisor]
    workers.stop()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert pocketbases(workers) == []
    assert workers.run_dir.read_state() is None


def test_only_the_named_group_is_in_pocketbase(mixed: OpenWebUI) -> None:
    folder = mixed.request("admin", "POST", "/api/v1/folders/", json={"name": "In SQL"}).json()
    chat = mixed.request("admin", "POST", "/api/v1/chats/new", json={**CHAT, "folder_id": folder["id"]}).json()["id"]
    answer = mixed.request("admin", "POST", f"/api/v1/chats/{chat}/tags", json={"name": "In PocketBase"})
    assert [tag["name"] for tag in answer.json()] == ["In PocketBase"]

    assert mixed.sql("SELECT id, name FROM folder") == [(folder["id"], "In SQL")]
    assert mixed.sql("SELECT count(*) FROM tag") == [(0,)]
    with mixed.admin() as admin:
        assert admin.send("GET", "/api/collections/owui_folders/records")["totalItems"] == 0
        tags = admin.send("GET", "/api/collections/owui_tags/records")["items"]
    assert [tag["name"] for tag in tags] == ["In PocketBase"]

    found = mixed.request("admin", "GET", "/api/v1/search", params={"scope": f"folder:{folder['id']}"}).json()
    assert [scope["name"] for scope in found["scopes"]] == ["In SQL"]
    assert [item["context"] for item in found["items"]] == ["In SQL"]
    search = {"text": "tag:in_pocketbase folder:in_sql"}
    found = mixed.request("admin", "GET", "/api/v1/chats/search", params=search).json()
    assert [item["id"] for item in found] == [chat]
