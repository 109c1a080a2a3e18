"""A backup of a running site under load, restored elsewhere, answers as the site did at that moment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import postgresql
from tests.support.furnished import differing, furnish, recorded
from tests.support.openwebui import DATABASES, EVERY_GROUP
from tests.support.processes import environment, eventually
from tests.support.writers import PEOPLE, Writers

if TYPE_CHECKING:
    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

SETTINGS = {"STORAGE_BACKEND": "pocketbase", "VECTOR_DB": "chroma"}  # whose files are a part of the site


@dataclass(frozen=True)
class Write:
    """One write, from the moment it was sent to that of its answer."""

    sent: float
    answered: float
    chat: str
    what: str
    value: str


class Watched(Writers):
    """Remembers when each write was sent and answered."""

    def __init__(self, site: OpenWebUI) -> None:
        super().__init__(site)
        self.log: list[Write] = []

    def _post(self, client: Any, name: str, path: str, body: dict[str, Any], *, keep: str = "") -> None:
        sent = time.time()
        super()._post(client, name, path, body, keep=keep)
        chat = [*self._said[name]][-1] if keep else path.split("/")[4]
        what = "tag" if path.endswith("/tags") else "content"
        self.log.append(Write(sent, time.time(), chat, what, keep or body.get("content") or body["name"]))


def backup(instance: OpenWebUI, *arguments: str, code: int = 0) -> str:
    """Run ``openwebui-pocketbase backup`` on a site; return what it prints."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("openwebui-pocketbase")), "backup", *arguments],
        cwd=instance.data_dir.parent,
        env=environment(instance.data_dir, instance.env),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def steady(instance: OpenWebUI) -> dict[str, Any]:
    """Return the answers that no writer changes."""
    return {name: answer for name, answer in recorded(instance).items() if name[:6] == "admin " or "chats" not in name}


def written(instance: OpenWebUI) -> dict[str, dict[str, list[str]]]:
    """Return what there is of the writers' chats, by chat."""
    found = {}
    for name in PEOPLE:
        text = instance.request(name, "GET", "/api/v1/chats/all").text
        for chat in (json.loads(line) for line in text.split("\n") if line):
            if chat["title"].startswith(f"{name} "):
                content = chat["chat"]["history"]["messages"]["m0"]["content"]
                found[chat["id"]] = {"content": [content], "tag": chat["meta"].get("tags") or []}
    return found


def astray(log: list[Write], at: float, found: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return what is not as it was at that moment; of writes that were on their way either is right."""
    problems = []
    for chat in {write.chat for write in log} | found.keys():
        for what in ("content", "tag"):
            writes = [write for write in log if write.chat == chat and write.what == what]
            done = [write.value for write in writes if write.answered < at]
            possible = {*done[-1:], *(write.value for write in writes if write.sent <= at <= write.answered)}
            there = found.get(chat, {}).get(what, [])
            if (done and not there) or not set(there) <= possible:
                problems.append(f"{chat} {what}: {there} and not {possible}")
    return problems


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_a_backup_under_load_is_the_site_of_that_moment(new_openwebui: NewOpenWebUI, database: str) -> None:
    site = new_openwebui(f"backed-up-{database}", SETTINGS, database=database, in_pocketbase=EVERY_GROUP).start()
    furnish(site)
    for name in PEOPLE:
        site.user(name)
    before = steady(site)
    with Watched(site) as writers:
        eventually(lambda: writers.written > 60, "there is something to back up")
        writers.begin_to_watch()
        made = json.loads(backup(site, "create", "--json"))
        enough = writers.written + 40
        eventually(lambda: writers.written > enough, "writing goes on")
    assert writers.failures == []
    waited = made["manifest"]["waited"]
    print(f"{database}: {waited}, made in {made['seconds']:.2f} s, longest write {writers.longest:.2f} s")
    assert waited["pocketbase"] < 5  # printed above: a busy machine is no reason to fail
    assert "database" not in waited, "nobody waits for the SQL database"
    assert "Open WebUI is running" in backup(site, "restore", "--yes", code=1)
    site.stop()

    other = new_openwebui(f"restored-{database}", SETTINGS, database=database, in_pocketbase=EVERY_GROUP)
    shutil.rmtree(other.data_dir)
    if database == "postgresql":
        other.env["DATABASE_URL"] = postgresql.url_of(postgresql.new_database(), "+psycopg")
    backup(other, "restore", made["path"], "--yes")
    other.users = dict(site.users)
    other.forget_tokens()
    other.start()
    at = datetime.fromisoformat(made["manifest"]["made_at"]).timestamp()
    assert astray(writers.log, at, written(other)) == []
    assert differing(before, steady(other), any_order=database == "postgresql") == {}
    other.stop()
