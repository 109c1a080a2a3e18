"""What is written through, while others write in PocketBase, another replica writes, or something dies."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.copies import differences, in_sql
from tests.support.openwebui import EVERY_GROUP
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess, clone
from tests.support.processes import eventually
from tests.support.scenarios import Player, step
from tests.support.through_steps import JOURNEYS, TOOL, can_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

ROUNDS = int(os.environ.get("OWUI_TEST_ROUNDS", "3"))
NOTES = "/api/v1/notes"
PROMPTS = "/api/v1/prompts"
TOOLS = "/api/v1/tools"
ALONE = [group for group in JOURNEYS if group != "knowledge"]
"""What can be in PocketBase while everything else is not."""

PATIENCE = 1.0
"""Seconds for which it waits for PocketBase."""

SOON = 5.0
"""Seconds within which what others change in PocketBase is answered; the feed's reader needs about two."""

ENOUGH = 3
"""Stored writes before each kill, at least."""

THROUGH = [name for name, table in TABLES.items() if table.through]


@dataclass(frozen=True)
class Site:
    """Two replicas with SQL files of their own and one PocketBase; one that knows its users without its PocketBase."""

    one: OpenWebUI
    two: OpenWebUI
    alone: OpenWebUI
    server: PocketBaseProcess
    its_server: PocketBaseProcess

    def settle(self, *instances: OpenWebUI) -> None:
        """Return as soon as these, or both replicas, have what PocketBase has."""
        with self.server.admin() as admin:
            for instance in instances or (self.one, self.two):
                eventually(partial(equal, instance, admin), "SQL and PocketBase are equal", seconds=30)


def equal(instance: OpenWebUI, admin: Any) -> bool:
    return not differences(
        instance, admin, tables=[name for name in THROUGH if TABLES[name].group in instance.in_pocketbase]
    )


@pytest.fixture(scope="module")
def site(
    prepared_pocketbase: Path, new_openwebui: NewOpenWebUI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    servers = [
        PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("through"))).start() for _ in range(2)
    ]

    def env(server: PocketBaseProcess, **more: str) -> dict[str, str]:
        account = {"OPENWEBUI_POCKETBASE_IDENTITY": IDENTITY, "OPENWEBUI_POCKETBASE_PASSWORD": PASSWORD}
        return {"OPENWEBUI_POCKETBASE_URL": server.url, **account, **more}

    everything = env(servers[0], STORAGE_BACKEND="pocketbase")
    one = new_openwebui("through-one", everything, in_pocketbase=EVERY_GROUP)
    two = new_openwebui("through-two", everything, in_pocketbase=EVERY_GROUP)
    some = {f"OPENWEBUI_POCKETBASE_GROUPS_{group.upper()}": "pocketbase" for group in ALONE}
    patience = {"OPENWEBUI_POCKETBASE_TIMEOUTS_WRITE_THROUGH": f"{PATIENCE}"}
    alone = new_openwebui("through-alone", env(servers[1], **some, **patience), in_pocketbase=ALONE)
    try:
        for each in (one, two, alone):
            each.start(wait=False)
        for each in (one, two, alone):
            each.wait_until_ready()
        one.user("admin")
        alone.user("admin")
        two.users = one.users  # the same people, and the same tokens
        yield Site(one, two, alone, *servers)
        for each in (one, two, alone):
            each.stop()
    finally:
        for server in servers:
            server.stop()


def note(instance: OpenWebUI, title: str) -> str:
    """Make a note; return its id."""
    form = {"title": title, "data": {"content": {"md": title}}, "access_grants": []}
    made = instance.request("admin", "POST", f"{NOTES}/create", json=form)
    return str(made.raise_for_status().json()["id"])


def title(instance: OpenWebUI, note: str) -> str | None:
    """Return the title of a note, None if there is none."""
    found = instance.request("admin", "GET", f"{NOTES}/{note}")
    return str(found.json()["title"]) if found.is_success else None


def prompt(command: str, content: str) -> dict[str, Any]:
    return {"command": command, "name": command, "content": content, "access_grants": []}


def tool(name: str, limit: int) -> dict[str, Any]:
    content = TOOL.replace("limit: int = 1", f"limit: int = {limit}")
    return {"id": name, "name": name, "content": content, "meta": {"description": ""}, "access_grants": []}


def limit(instance: OpenWebUI, name: str) -> Any:
    """Return what the tool's own code says, run by this instance; None if there is none."""
    found = instance.request("admin", "GET", f"{TOOLS}/id/{name}/valves/spec")
    return found.json()["properties"]["limit"]["default"] if found.is_success else None


def look(instance: OpenWebUI, note: str, asked: str, tool: str) -> dict[str, Any]:
    """Return what an instance answers of a note, a prompt and a tool, by id; None for what is not there."""
    found = instance.request("admin", "GET", f"{PROMPTS}/id/{asked}")
    content = found.json()["content"] if found.is_success else None
    return {note: title(instance, note), asked: content, tool: limit(instance, tool)}


def test_what_is_changed_in_pocketbase_is_answered_soon(site: Site) -> None:
    one = site.one
    made = note(one, "mine")
    asked = one.request("admin", "POST", f"{PROMPTS}/create", json=prompt("by-hand", "mine")).raise_for_status().json()
    one.request("admin", "POST", f"{TOOLS}/create", json=tool("by_hand", 1)).raise_for_status()
    assert limit(one, "by_hand") == 1
    with site.server.admin() as admin:

        def change(method: str, collection: str, record: str, **fields: Any) -> None:
            admin.send(method, f"/api/collections/{collection}/records/{record}", fields or None)

        change("PATCH", "owui_notes", made, title="by hand", data={"content": {"md": "x"}})
        change("PATCH", "owui_prompts", asked["id"], content="by hand")
        change("PATCH", "owui_tools", "by_hand", content=tool("by_hand", 2)["content"])
        changed = {made: "by hand", asked["id"]: "by hand", "by_hand": 2}
        eventually(lambda: [look(each, *changed) for each in (one, site.two)] == [changed] * 2, "changes", seconds=SOON)
        # Whoever writes next has seen it.
        one.request("admin", "POST", f"{NOTES}/{made}/update", json={"title": "again"}).raise_for_status()
        change("DELETE", "owui_notes", made)
        change("DELETE", "owui_prompts", asked["id"])
        change("DELETE", "owui_tools", "by_hand")
        gone = dict.fromkeys(changed)
        eventually(lambda: [look(each, *changed) for each in (one, site.two)] == [gone] * 2, "deletions", seconds=SOON)
    site.settle()


def in_order(value: Any) -> Any:
    """Sort lists at every depth."""
    if isinstance(value, dict):
        return {key: in_order(member) for key, member in value.items()}
    return sorted(map(in_order, value), key=json.dumps) if isinstance(value, list) else value


def without_activity(value: Any) -> Any:
    """Leave out when people were last active: each request makes them so, at most every few seconds."""
    if isinstance(value, dict):
        return {key: without_activity(member) for key, member in value.items() if key != "last_active_at"}
    return [without_activity(member) for member in value] if isinstance(value, list) else value


def test_a_new_sql_file_has_all_again(site: Site) -> None:
    one = site.one
    players = {group: Player(one, f"again {group}") for group in JOURNEYS}

    def look() -> dict[str, Any]:
        eventually(lambda: can_schedule(one), "schedules are evaluated in time")
        found = {}
        for group, player in players.items():
            for each in JOURNEYS[group].looks:
                status, content, _ = player.exchange(each)
                assert status == each.status, each
                content = without_activity(content)
                found[f"{group}: {each}"] = in_order(content) if each.sort else content
        return found

    eventually(lambda: can_schedule(one), "schedules are evaluated in time")
    for group, player in players.items():
        for each in JOURNEYS[group].writes:
            assert player.play(each)[0] == each.status, each
    before = look()
    one.stop()
    for file in one.data_dir.glob("webui.db*"):
        file.unlink()
    one.start()
    after = look()
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}
    for group, player in players.items():
        for each in JOURNEYS[group].ends:
            assert player.play(each)[0] == each.status, each
    site.settle()


@dataclass
class Writers:
    """Several who write notes and prompts, each its own; what was acknowledged, and what may have been written.

    Attributes:
        acknowledged: Path -> the text that was stored last, for certain; None: deleted.
        tried: Path -> what was sent since.
        answers: How many had which status.
    """

    instance: OpenWebUI
    acknowledged: dict[str, str | None] = field(default_factory=dict)
    tried: dict[str, set[str | None]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(self._write, number) for number in range(3)]
            try:
                yield
            finally:
                self._over.set()
            for each in running:
                each.result()
        self._over.clear()

    def _write(self, number: int) -> None:
        kind = "prompt" if number == 2 else "note"
        with self.instance.client() as client:
            client.headers.update(self.instance.headers("admin"))
            path = ""
            while not self._over.is_set():
                try:
                    path = self._once(client, kind, path)
                except httpx.TransportError:
                    time.sleep(0.05)

    def _once(self, client: httpx.Client, kind: str, path: str) -> str:
        text = f"t-{random.getrandbits(64):x}"
        base = NOTES if kind == "note" else PROMPTS
        form = {"title": text, "access_grants": []} if kind == "note" else prompt(text, text)
        if not path:
            made = client.post(f"{base}/create", json=form)
            self._count(made)
            if made.is_success:
                path = f"{base}/{'' if kind == 'note' else 'id/'}{made.json()['id']}"
                self.acknowledged[path] = text
            return path
        is_end = random.random() < 0.1
        self.tried.setdefault(path, set()).add(None if is_end else text)
        answer = client.delete(f"{path}/delete") if is_end else client.post(f"{path}/update", json=form)
        self._count(answer)
        if answer.status_code == 404:
            return ""  # an earlier request that was not answered deleted it
        if answer.is_success:
            self.acknowledged[path] = None if is_end else text
            self.tried.pop(path)
        return "" if answer.is_success and is_end else path

    def _count(self, answer: httpx.Response) -> None:
        self.answers[answer.status_code] += 1

    def have_stored(self, number: int) -> bool:
        """Tell whether more than so many requests were answered well."""
        return self.answers[200] > number

    def check(self) -> None:
        """Check that all is as it was acknowledged, or as somebody tried to have it since."""
        wrong = []
        for path, text in self.acknowledged.items():
            answer = self.instance.request("admin", "GET", path)
            assert answer.status_code in (200, 404), (path, answer.text)
            key = "title" if path.startswith(NOTES) else "content"
            found = answer.json()[key] if answer.is_success else None
            if found not in {text, *self.tried.get(path, ())}:
                wrong.append((path, text, self.tried.get(path), found))
        assert wrong == []
        for path in [path for path, text in self.acknowledged.items() if text is None]:
            del self.acknowledged[path]


def test_nothing_that_was_acknowledged_is_lost_when_pocketbase_is_killed(site: Site) -> None:
    writers = Writers(site.one)
    for _ in range(ROUNDS):
        before = writers.answers[200]
        with writers.running():
            eventually(partial(writers.have_stored, before + ENOUGH), "something is stored", seconds=60)
            time.sleep(random.uniform(0.1, 1.0))
            site.server.kill()
            time.sleep(random.uniform(0.0, 0.5))
            site.server.start()
            time.sleep(random.uniform(0.0, 0.5))
        site.settle()
        writers.check()
    assert writers.answers[200] > ENOUGH * ROUNDS, writers.answers


def test_nothing_that_was_acknowledged_is_lost_when_the_application_is_killed(site: Site) -> None:
    writers = Writers(site.two)
    for _ in range(1 + ROUNDS // 10):
        with writers.running():
            time.sleep(random.uniform(0.5, 1.5))
            site.two.kill()
        site.two.start()
        site.settle()
        writers.check()


def test_each_replica_sees_what_the_other_has_written(site: Site) -> None:
    one, two = site.one, site.two
    made = note(one, "first")
    eventually(lambda: title(two, made) == "first", "the other one has it", seconds=SOON)
    one.request("admin", "POST", f"{TOOLS}/create", json=tool("shared", 1)).raise_for_status()
    eventually(lambda: two.request("admin", "GET", f"{TOOLS}/id/shared").is_success, "the tool", seconds=SOON)
    assert limit(one, "shared") == limit(two, "shared") == 1
    two.request("admin", "POST", f"{TOOLS}/id/shared/update", json=tool("shared", 2)).raise_for_status()
    assert limit(two, "shared") == 2
    eventually(lambda: limit(one, "shared") == 2, "the changed tool runs", seconds=SOON)
    one.request("admin", "DELETE", f"{TOOLS}/id/shared/delete").raise_for_status()
    one.request("admin", "DELETE", f"{NOTES}/{made}/delete").raise_for_status()
    eventually(lambda: title(two, made) is None, "the note is gone", seconds=SOON)
    site.settle()


def test_of_two_replicas_that_write_one_note_none_overwrites_what_it_has_not_seen(site: Site) -> None:
    made = note(site.one, "begun")
    eventually(lambda: title(site.two, made) == "begun", "the other one has it", seconds=SOON)
    statuses: list[tuple[int, ...]] = []
    kept: dict[str, Any] = {"title": "begun", "meta": None}

    def send(instance: OpenWebUI, form: dict[str, Any]) -> int:
        return instance.request("admin", "POST", f"{NOTES}/{made}/update", json=form).status_code

    for number in range(4 * ROUNDS):
        site.settle()
        forms: list[dict[str, Any]] = [{"title": f"t{number}"}, {"meta": {"number": number}}]
        with ThreadPoolExecutor(2) as pool:
            answers = tuple(pool.map(send, (site.one, site.two), forms))
        statuses.append(answers)
        assert 200 in answers
        for form, status in zip(forms, answers, strict=True):
            assert status in (200, 409, 503), answers
            kept |= form if status == 200 else {}
        site.settle()
        for each in (site.one, site.two):
            found = each.request("admin", "GET", f"{NOTES}/{made}").json()
            assert {key: found[key] for key in kept} == kept, statuses


UNSTORED = {
    "notes": ["DELETE /api/v1/notes/$a/delete", "POST /api/v1/notes/$a/pin"],
    "prompts": ["POST /api/v1/prompts/id/$p/toggle", "DELETE /api/v1/prompts/id/$p/delete"],
    "tools": ["POST /api/v1/tools/id/$word/valves/update"],
    "functions": ["POST /api/v1/functions/id/$word/valves/update", "DELETE /api/v1/functions/id/$word/delete"],
    "skills": ["DELETE /api/v1/skills/id/$here/delete"],
    "calendar": ["DELETE /api/v1/calendars/events/$e/delete"],
}
"""Requests whose stock code makes something else of every exception, such as ``true``."""


def test_nothing_is_said_to_be_done_that_is_not_stored(site: Site) -> None:
    players = {group: Player(site.alone, f"unstored {group}") for group in UNSTORED}
    for group, player in players.items():
        for each in JOURNEYS[group].writes:
            assert player.play(each)[0] == each.status, each
    before = {name: in_sql(site.alone, name) for group in UNSTORED for name in CATALOG[group].tables}
    site.its_server.stop()
    answers = {}
    try:
        for group, requests in UNSTORED.items():
            for request in requests:
                who = "ann" if group in ("notes", "calendar") else "admin"
                body: Any = {} if request.endswith("valves/update") else None
                answers[request] = players[group].play(step(who, 503, request, body))
        assert {name: in_sql(site.alone, name) for name in before} == before
    finally:
        site.its_server.start()
    told = {"detail": "The storage is not available. Please try again."}
    assert {request: answer for request, answer in answers.items() if answer != (503, told)} == {}
    with site.its_server.admin() as admin:
        assert equal(site.alone, admin)


def test_a_note_is_not_saved_while_pocketbase_stands_still_and_is_read(site: Site) -> None:
    instance = site.alone
    made = note(instance, "before")
    assert site.its_server.process is not None
    site.its_server.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            saving = pool.submit(
                lambda: instance.request("admin", "POST", f"{NOTES}/{made}/update", json={"title": "after"})
            )
            with instance.client() as client:
                while not saving.done():
                    read = client.get(f"{NOTES}/{made}", headers=instance.headers("admin"))
                    assert (read.status_code, read.json()["title"]) == (200, "before")
        took = time.monotonic() - begun
        assert saving.result().status_code == 503, saving.result().text
        assert PATIENCE * 0.9 < took < PATIENCE + 3.0
        assert title(instance, made) == "before"
    finally:
        site.its_server.process.send_signal(signal.SIGCONT)

    def is_saved() -> bool:
        answer = instance.request("admin", "POST", f"{NOTES}/{made}/update", json={"title": "at last"})
        assert answer.status_code in (200, 409), answer.text  # PocketBase may apply only now what it got before
        return answer.is_success

    eventually(is_saved, "the note is saved", seconds=10)
    with site.its_server.admin() as admin:
        assert equal(instance, admin)
    assert title(instance, made) == "at last"
