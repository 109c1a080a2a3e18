"""Two replicas of Open WebUI on one PostgreSQL, one external PocketBase and Redis: what one does, the other knows."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from openwebui_pocketbase.schema.tables import TABLES
from tests.support import postgresql
from tests.support.copies import differences, in_pocketbase
from tests.support.openwebui import EVERY_GROUP
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess, clone
from tests.support.processes import eventually
from tests.support.rights import Connection, Person
from tests.support.services import require
from tests.support.sockets import listening
from tests.support.through_steps import TOOL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]
pytestmark = pytest.mark.postgresql

CHATS = "/api/v1/chats"
REDIS_PORT = 6379

ROUNDS = 20
"""People, each of whom loses five rights."""

Replicas = tuple["OpenWebUI", "OpenWebUI"]


def redis_answers() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", REDIS_PORT)) == 0


@pytest.fixture(scope="module")
def server(prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseProcess]:
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("replicas"))).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def replicas(server: PocketBaseProcess, new_openwebui: NewOpenWebUI) -> Replicas:
    require(postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    require(redis_answers(), "Redis at 127.0.0.1:6379")
    env = {
        "STORAGE_BACKEND": "pocketbase",
        "OPENWEBUI_POCKETBASE_URL": server.url,
        "OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY,
        "OPENWEBUI_POCKETBASE_PASSWORD": PASSWORD,
        "WEBSOCKET_MANAGER": "redis",
        "REDIS_URL": f"redis://127.0.0.1:{REDIS_PORT}/0",
        "WEBSOCKET_REDIS_URL": f"redis://127.0.0.1:{REDIS_PORT}/0",
        "REDIS_KEY_PREFIX": f"owui-tests-{secrets.token_hex(6)}",
    }
    one = new_openwebui("replica-one", env, database="postgresql", in_pocketbase=EVERY_GROUP)
    two = new_openwebui("replica-two", one.env, in_pocketbase=EVERY_GROUP)
    for each in (one, two):
        each.start(wait=False)
    for each in (one, two):
        each.wait_until_ready()
    one.user("admin")
    time.sleep(1.1)  # the first user is the one of the earliest second, and cannot be deleted
    two.users = one.users  # the same people, and the same tokens
    return one, two


def chat(title: str, **messages: dict[str, Any]) -> dict[str, Any]:
    history = {"messages": messages, "currentId": next(iter(messages), None)}
    return {"chat": {"title": title, "history": history, "messages": []}}


def message(number: object) -> dict[str, Any]:
    return {"id": f"m{number}", "parentId": None, "childrenIds": [], "role": "user", "content": f"number {number}"}


def test_accounts_sessions_and_roles_are_the_same_at_once(replicas: Replicas) -> None:
    one, two = replicas
    me = "/api/v1/auths/"
    for number, (here, there) in enumerate([(one, two), (two, one)] * 3):
        name = f"person{number}"
        ada = here.user(name).id
        assert there.request(name, "GET", me).json()["id"] == ada
        there.request("admin", "POST", f"/api/v1/users/{ada}/update", json={"role": "admin"}).raise_for_status()
        assert here.request(name, "GET", me).json()["role"] == "admin"
        # A new password ends the sessions everywhere.
        form = {"password": here.password, "new_password": "another-password"}
        here.request(name, "POST", "/api/v1/auths/update/password", json=form).raise_for_status()
        assert there.request(name, "GET", me).status_code == 401
        signin = {"email": f"{name}@example.com", "password": "another-password"}
        token = there.http.post("/api/v1/auths/signin", json=signin).raise_for_status().json()["token"]
        header = {"Authorization": f"Bearer {token}"}
        assert here.http.get(me, headers=header).status_code == 200
        there.request("admin", "DELETE", f"/api/v1/users/{ada}").raise_for_status()
        assert here.http.get(me, headers=header).status_code == 401


def test_rights_that_end_at_one_end_at_the_other(replicas: Replicas) -> None:
    one, two = (Connection(replica.http) for replica in replicas)
    for number in range(ROUNDS):
        here, there = (one, two) if number % 2 else (two, one)
        Person(replicas[0], here, number).lose_rights(here, there)


def test_each_reads_what_the_other_wrote_last(replicas: Replicas) -> None:
    one, two = replicas
    made = one.request("admin", "POST", f"{CHATS}/new", json=chat("begun", m0=message(0))).json()
    path = f"{CHATS}/{made['id']}"
    for number in range(1, 41):
        here, there = replicas if number % 2 else reversed(replicas)
        body = {"chat": {"title": f"title {number}", "history": {"messages": {f"m{number}": message(number)}}}}
        here.request("admin", "POST", path, json=body).raise_for_status()
        read = there.request("admin", "GET", path).json()
        assert read["title"] == f"title {number}"
        assert read["chat"]["history"]["messages"][f"m{number}"]["content"] == f"number {number}"
        assert len(read["chat"]["history"]["messages"]) == number + 1
    assert one.request("admin", "GET", path).json() == two.request("admin", "GET", path).json()


def test_each_has_the_configuration_that_the_other_has_stored(replicas: Replicas) -> None:
    path = "/api/v1/configs/banners"
    for number in range(40):
        here, there = replicas if number % 2 else reversed(replicas)
        banner = {"id": str(number), "type": "info", "content": "c", "dismissible": True, "timestamp": number}
        stored = here.request("admin", "POST", path, json={"banners": [banner]}).raise_for_status().json()
        assert there.request("admin", "GET", path).json() == stored
        assert stored[0]["id"] == str(number)


def test_writes_of_both_to_one_chat_are_all_kept(replicas: Replicas) -> None:
    made = replicas[0].request("admin", "POST", f"{CHATS}/new", json=chat("many", m=message(""))).json()
    path = f"{CHATS}/{made['id']}"

    def write(number: int) -> int:
        body = {"chat": {"history": {"messages": {f"m{number}": message(number)}}}}
        return replicas[number % 2].request("admin", "POST", path, json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(80))) == {200}
    for each in replicas:
        found = each.request("admin", "GET", path).json()["chat"]["history"]["messages"]
        assert found.keys() == {"m", *(f"m{number}" for number in range(80))}


async def test_each_browser_hears_of_an_outside_change_once(replicas: Replicas, server: PocketBaseProcess) -> None:
    """Whichever replica it is connected to, and whichever of them tells; with one of them stopped, the other does."""
    user = replicas[0].user("admin").id

    def tag(name: str) -> None:
        with server.admin() as admin:
            admin.send("POST", "/api/collections/owui_tags/records", {"key": name, "name": name, "user_id": user})

    async with listening(replicas[0], "admin") as (one,), listening(replicas[1], "admin") as (two,):
        for number in range(3):
            await asyncio.to_thread(tag, f"t{number}")
            for browser in (one, two):
                await browser.until(("chat:tags", None))
            await asyncio.sleep(1.1)  # equal events are a second apart
            assert [each.heard for each in (one, two)] == [[("chat:tags", None)]] * 2
            one.forget()
            two.forget()
        await asyncio.to_thread(
            replicas[0].request, "admin", "POST", f"{CHATS}/new", json=chat("by the application itself")
        )
        for stopped, browser in ((replicas[0], two), (replicas[1], one)):
            assert stopped.process is not None
            os.kill(stopped.process.pid, signal.SIGSTOP)
            try:
                await asyncio.to_thread(tag, secrets.token_hex(4))
                await browser.until(("chat:tags", None))
            finally:
                os.kill(stopped.process.pid, signal.SIGCONT)
        assert ("chat:list", None) not in one.heard + two.heard


async def test_access_is_taken_from_browsers_of_both(replicas: Replicas, server: PocketBaseProcess) -> None:
    one, two = replicas
    people = [one.user(name) for name in ("ann", "bob")]
    two.users |= one.users

    def change(method: str, collection: str, id: str = "", **columns: Any) -> str:
        with server.admin() as admin:
            path = f"/api/collections/{collection}/records{'/' if id else ''}{id}"
            found = admin.send(method, path, columns or None)
            return str(found["id"]) if found else ""

    channel = await asyncio.to_thread(change, "POST", "owui_channels", name="shared", user_id=one.user("admin").id)
    async with listening(one, "ann", "bob") as ones, listening(two, "ann", "bob") as twos:
        resource = {"resource_type": "channel", "resource_id": channel, "permission": "read"}
        grants = [
            await asyncio.to_thread(
                change, "POST", "owui_access_grants", **resource, principal_type="user", principal_id=person.id
            )
            for person in people
        ]
        for browser in (*ones, *twos):
            await browser.until(("channel:created", None))

        async def hearing() -> int:
            """Post a message; return how many browsers hear it. Each process has its sockets enter rooms by itself."""
            message = {"channel_id": channel, "user_id": people[0].id, "content": "x"}
            posted = await asyncio.to_thread(lambda: change("POST", "owui_messages", **message))
            await asyncio.sleep(0.5)
            return sum(("message", posted) in browser.heard for browser in (*ones, *twos))

        async with asyncio.timeout(60):
            while await hearing() < 4:
                pass
        for grant in grants:
            await asyncio.to_thread(change, "DELETE", "owui_access_grants", grant)
        async with asyncio.timeout(60):
            while await hearing():
                pass
        assert [await hearing() for _ in range(4)] == [0] * 4


NOTES = "/api/v1/notes"
TOOLS = "/api/v1/tools"
KNOWLEDGE = "/api/v1/knowledge"


def make_note(instance: OpenWebUI, title: str) -> str:
    """Make a note; return its path."""
    form = {"title": title, "access_grants": []}
    made = instance.request("admin", "POST", f"{NOTES}/create", json=form).raise_for_status().json()
    return f"{NOTES}/{made['id']}"


def test_what_one_writes_through_the_other_has_at_once(replicas: Replicas, server: PocketBaseProcess) -> None:
    """They have one SQL database."""
    form = {"id": "shared", "name": "shared", "meta": {"description": ""}, "access_grants": []}
    spec = f"{TOOLS}/id/shared/valves/spec"
    replicas[0].request("admin", "POST", f"{TOOLS}/create", json={**form, "content": TOOL}).raise_for_status()
    path = make_note(replicas[0], "begun")
    for number in range(20):
        here, there = replicas if number % 2 else reversed(replicas)
        here.request("admin", "POST", f"{path}/update", json={"title": f"title {number}"}).raise_for_status()
        assert there.request("admin", "GET", path).json()["title"] == f"title {number}"
        content = TOOL.replace("limit: int = 1", f"limit: int = {number}")
        here.request("admin", "POST", f"{TOOLS}/id/shared/update", json={**form, "content": content}).raise_for_status()
        assert there.request("admin", "GET", spec).json()["properties"]["limit"]["default"] == number
    there.request("admin", "DELETE", f"{path}/delete").raise_for_status()
    there.request("admin", "DELETE", f"{TOOLS}/id/shared/delete").raise_for_status()
    assert here.request("admin", "GET", path).status_code == 404
    assert here.request("admin", "GET", f"{TOOLS}/id/shared").status_code == 404
    check_through(replicas, server)


def test_writes_through_of_both_to_one_row_are_all_kept(replicas: Replicas, server: PocketBaseProcess) -> None:
    """A row is locked in the one SQL database until PocketBase has it."""
    path = make_note(replicas[0], "many")

    def write(number: int) -> int:
        body = {"data": {f"n{number}": number}} if number % 4 else {"title": f"title {number}"}
        return replicas[number % 2].request("admin", "POST", f"{path}/update", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(80)))
    assert answers.count(200) >= 10, answers
    assert set(answers) <= {200, 409, 503}, answers
    check_through(replicas, server)
    for each in replicas:
        each.request("admin", "POST", f"{path}/update", json={"title": "last"}).raise_for_status()
    check_through(replicas, server)


def test_what_is_deleted_in_pocketbase_takes_along_what_refers_to_it(
    replicas: Replicas, server: PocketBaseProcess
) -> None:
    """PostgreSQL has foreign keys; so a pin, or a directory, must not stay in PocketBase."""
    one, two = replicas
    path = make_note(one, "pinned")
    one.request("admin", "POST", f"{path}/pin").raise_for_status()
    form = {"name": "k", "description": ""}
    knowledge = one.request("admin", "POST", f"{KNOWLEDGE}/create", json=form).raise_for_status().json()["id"]
    parent = None
    for name in ("outer", "inner"):
        place = {"name": name, "parent_id": parent}
        made = one.request("admin", "POST", f"{KNOWLEDGE}/{knowledge}/dirs/create", json=place).raise_for_status()
        parent = parent or made.json()["id"]
    with server.admin() as admin:
        admin.send("DELETE", f"/api/collections/owui_notes/records/{path.rpartition('/')[2]}")
        admin.send("DELETE", f"/api/collections/owui_knowledge_directories/records/{parent}")
        eventually(lambda: two.request("admin", "GET", path).status_code == 404, "the note is gone")
        check_through(replicas, server)
        for table in ("pinned_note", "knowledge_directory"):
            assert in_pocketbase(admin, table) == {}
        one.request("admin", "POST", f"{KNOWLEDGE}/{knowledge}/dirs/create", json={"name": "d"}).raise_for_status()
        admin.send("DELETE", f"/api/collections/owui_knowledge/records/{knowledge}")
    check_through(replicas, server)
    assert two.request("admin", "GET", f"{NOTES}/pinned").json() == []


def check_through(replicas: Replicas, server: PocketBaseProcess) -> None:
    """Check that the SQL database comes to have what PocketBase has."""
    names = [name for name, table in TABLES.items() if table.through]
    with server.admin() as admin:
        eventually(lambda: not differences(replicas[0], admin, tables=names), "both sides are equal", seconds=20)


def test_a_lease_of_a_killed_replica_ends(replicas: Replicas, server: PocketBaseProcess) -> None:
    """The last test: one of the two is killed."""
    one, two = replicas
    made = one.request("admin", "POST", f"{CHATS}/new", json=chat("leased", m=message(""))).json()
    path = f"{CHATS}/{made['id']}"
    written: list[int] = []
    stop = threading.Event()

    def write() -> None:
        headers = one.headers("admin")
        with one.client() as client:
            for number in range(10_000):
                if stop.is_set():
                    return
                body = {"chat": {"history": {"messages": {f"m{number}": message(number)}}}}
                try:
                    client.post(path, json=body, headers=headers).raise_for_status()
                except httpx.TransportError:
                    return
                written.append(number)

    assert one.process is not None
    held = f"SELECT token FROM owui_chat_locks WHERE chat_id = '{made['id']}'"
    writer = threading.Thread(target=write)
    writer.start()
    with server.admin() as admin:
        deadline = time.monotonic() + 60
        while True:  # until it stands still with the lease in its hand
            assert time.monotonic() < deadline, "no lease was seen"
            if admin.sql(held):
                os.kill(one.process.pid, signal.SIGSTOP)
                if admin.sql(held):
                    break
                os.kill(one.process.pid, signal.SIGCONT)
        os.kill(one.process.pid, signal.SIGKILL)
        stop.set()
        writer.join()
        one.process.wait()
        one.process = None
        # What is left of its 30 seconds is cut short: nobody has to wait for that here.
        admin.sql(f"UPDATE owui_chat_locks SET expires_at = expires_at - 27000 WHERE chat_id = '{made['id']}'")

    body = {"chat": {"history": {"messages": {"after": message("after")}}}}
    two.request("admin", "POST", path, json=body).raise_for_status()
    found = two.request("admin", "GET", path).json()["chat"]["history"]["messages"]
    assert found.keys() >= {"m", "after", *(f"m{number}" for number in written)}
    assert two.request("admin", "GET", "/api/v1/auths/").status_code == 200
