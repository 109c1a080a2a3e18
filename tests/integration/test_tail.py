"""The command ``tail``, as a process of its own, on a real PocketBase."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.cli.tail import _as_text
from tests.support.commands import PROGRAM, Commands
from tests.support.pocketbase import PocketBaseProcess
from tests.support.processes import eventually

FOLDERS = "/api/collections/owui_folders/records"
TAGS = "/api/collections/owui_tags/records"

INTERRUPTIBLE = "import os, signal as s, sys; s.signal(s.SIGINT, s.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""Starts a program that can be interrupted, although whoever runs the tests in the background has that ignored."""


class Tail:
    """A running command, and what it prints."""

    def __init__(self, commands: Commands, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, str(PROGRAM), "tail", *arguments],
            cwd=commands.data_dir.parent,
            env=commands.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        for stream, kept in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=lambda stream=stream, kept=kept: kept.extend(iter(stream.readline, ""))).start()

    def until(self, count: int) -> list[str]:
        eventually(lambda: len(self.lines) >= count, f"{count} lines, not {self.lines} {self.errors}")
        return self.lines

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def commands(tmp_path: Path, own_pocketbase: PocketBaseProcess) -> Commands:
    (tmp_path / "data").mkdir()
    return Commands(tmp_path / "data").use(own_pocketbase)


@pytest.fixture
def tails(commands: Commands) -> Iterator[Any]:
    started: list[Tail] = []

    def start(*arguments: str) -> Tail:
        started.append(Tail(commands, *arguments))
        return started[-1]

    yield start
    for tail in started:
        tail.process.kill()
        tail.process.wait()


def change(server: PocketBaseProcess, path: str, **columns: Any) -> str:
    with server.admin() as admin:
        return str(admin.send("POST", path, columns)["id"])


def test_changes_are_printed_as_they_happen(own_pocketbase: PocketBaseProcess, tails: Any) -> None:
    before = change(own_pocketbase, FOLDERS, name="before", user_id="ann")
    everything, folders = tails("--since", "0", "--json"), tails("--since", "0", "--collection", "owui_folders")
    tag = change(own_pocketbase, TAGS, key="k", name="k", user_id="ann")
    after = change(own_pocketbase, FOLDERS, name="after", user_id="bob")
    found = [json.loads(line) for line in everything.until(3)]
    assert [(each["seq"], each["collection"], each["record_id"], each["op"]) for each in found] == [
        (1, "owui_folders", before, "create"),
        (2, "owui_tags", tag, "create"),
        (3, "owui_folders", after, "create"),
    ]
    assert [(each["concerned"], each["origin"]) for each in found] == [(["ann"], ""), (["ann"], ""), (["bob"], "")]
    assert [line.split()[2:] for line in folders.until(2)] == [
        ["1", "create", "owui_folders", before, "by", "others"],
        ["3", "create", "owui_folders", after, "by", "others"],
    ]
    assert [everything.interrupt(), folders.interrupt()] == [0, 0]
    assert everything.errors == folders.errors == []


def test_it_begins_with_the_next_change(own_pocketbase: PocketBaseProcess, tails: Any) -> None:
    change(own_pocketbase, FOLDERS, name="before", user_id="ann")
    tail = tails("--json")
    made: list[str] = []

    def seen() -> bool:
        made.append(change(own_pocketbase, FOLDERS, name="after", user_id="ann"))
        return bool(tail.lines)

    eventually(seen, "a change is printed")
    assert json.loads(tail.lines[0])["seq"] > 1
    assert json.loads(tail.lines[0])["record_id"] in made


def test_a_server_that_goes_away_is_waited_for(own_pocketbase: PocketBaseProcess, tails: Any) -> None:
    tail = tails("--since", "0", "--json")
    change(own_pocketbase, FOLDERS, name="one", user_id="ann")
    tail.until(1)
    own_pocketbase.kill()
    eventually(lambda: tail.errors, "it says so")
    own_pocketbase.start()
    change(own_pocketbase, FOLDERS, name="two", user_id="ann")
    assert [json.loads(line)["seq"] for line in tail.until(2)] == [1, 2]
    assert len(tail.errors) == 2
    assert tail.errors[1] == "PocketBase answers again.\n"


def test_another_token_is_fetched(own_pocketbase: PocketBaseProcess, tails: Any) -> None:
    """One is good for a day; here for five seconds."""
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", "/api/collections/_superusers", {"authToken": {"duration": 10}})
        tail = tails("--since", "0", "--json")
        for number in range(1, 4):
            with own_pocketbase.admin() as other:
                other.send("POST", FOLDERS, {"name": f"{number}", "user_id": "ann"})
            tail.until(number)
            time.sleep(6)
    assert tail.errors == []


def test_a_restore_is_told(own_pocketbase: PocketBaseProcess, tails: Any) -> None:
    change(own_pocketbase, FOLDERS, name="kept", user_id="ann")
    with own_pocketbase.admin() as admin:
        admin.send("POST", "/api/backups", {"name": "good.zip"})
        change(own_pocketbase, FOLDERS, name="lost", user_id="ann")
        tail = tails("--since", "0", "--json")
        tail.until(2)
        admin.send("POST", "/api/backups/good.zip/restore")
    tail.until(3)
    change(own_pocketbase, FOLDERS, name="later", user_id="ann")
    assert [(each["seq"], each["op"]) for each in map(json.loads, tail.until(4))] == [
        *[(1, "create"), (2, "create"), (1, "lost"), (2, "create")]
    ]


def test_a_reader_that_ends_ends_it(own_pocketbase: PocketBaseProcess, commands: Commands) -> None:
    for number in range(3):
        change(own_pocketbase, FOLDERS, name=f"{number}", user_id="ann")
    with subprocess.Popen(
        ["bash", "-c", f"{PROGRAM} tail --since 0 | head -n 1"],
        env=commands.env,
        cwd=commands.data_dir.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        change(own_pocketbase, FOLDERS, name="last", user_id="ann")  # there is nobody to print it to
        output, errors = process.communicate(timeout=30)
    assert output == ""
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--collection", "chats"], "There is no collection chats."),
        (["--since", "99"], "The feed has the changes 1 to 1, and not 99."),
    ],
)
def test_what_is_not_there_is_an_error(
    own_pocketbase: PocketBaseProcess, commands: Commands, arguments: list[str], message: str
) -> None:
    change(own_pocketbase, FOLDERS, name="one", user_id="ann")
    assert message in commands.run("tail", *arguments, code=1).stderr


@pytest.mark.parametrize("at", ["yesterday", None, 10**18, -(10**18)])
def test_what_others_put_into_the_feed_is_shown(at: Any) -> None:
    line = _as_text(Change(7, "owui_tags", "a\x1b[2Jb\n", "strange", at, [], ""))
    sign = "\N{REPLACEMENT CHARACTER}"
    assert line == f"{at!s:<23}        7 strange owui_tags a{sign}[2Jb{sign} by others"
