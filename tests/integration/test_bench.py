"""Tiny runs of the benchmarks, from the command line to the JSON file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import groups, http
from bench.cli import main
from bench.http import measure_http
from bench.http_requests import ASKED

pytestmark = pytest.mark.slow

TINY = ("--rounds", "1", "--seconds", "0.001", "--callers", "4", "--users", "1000", "--chats", "400")


def has_floor(name: str) -> bool:
    """Return whether an operation is a single request that takes most of its time."""
    group = groups.load("chats")
    limits = {operation.name: operation.limits for operation in group.operations}
    return limits.get(name, {}).get("overhead", 0) is not None


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for module in ("bench.runner", "bench.cli"):
        monkeypatch.setattr(f"{module}.RESULTS_DIR", tmp_path)

    def run(*options: str) -> dict[str, Any]:
        assert main([*options, *TINY]) == 0
        (path,) = tmp_path.iterdir()  # the work directory is gone
        document: dict[str, Any] = json.loads(path.read_text())
        for operation in document["operations"]:
            for backend, figures in operation["figures"].items():
                assert figures["failures"] == 0, (operation["name"], backend)
                assert (figures["overhead"] is not None) == (backend == "pocketbase" and has_floor(operation["name"]))
        return document

    return run


def test_a_tiny_run_gives_every_figure(run: Any) -> None:
    document = run("--groups", "tags", "--backends", "sqlite", "pocketbase", "mirrored")
    assert set(document["machine"]["databases"]) == {"sqlite", "pocketbase"}
    assert set(document["skipped"]) == {"mirrored"}
    assert len(document["operations"]) == 6
    assert all(len(operation["targets"]) == 3 for operation in document["operations"])


def test_writes_of_mirrored_groups_are_measured_with_the_mirror_too(run: Any) -> None:
    document = run("--groups", "users", "groups", "access", "--backends", "sqlite", "pocketbase", "mirrored")
    assert len(document["operations"]) == 17
    for operation in document["operations"]:
        backends = {"sqlite", "pocketbase"} | ({"mirrored"} if operation["kind"] == "write" else set())
        assert set(operation["figures"]) == backends
        assert {target["backend"] for target in operation["targets"]} == backends - {"sqlite"}


def test_chats_are_measured(run: Any) -> None:
    some = ("get_chat_title", "streaming", "claim_due_timers", "title", "rare words")
    document = run("--groups", "chats", "--backends", "sqlite", "pocketbase", "--only", *some)
    assert document["parameters"]["chats"] == 400
    assert len(document["operations"]) == 5
    (space,) = (line["text"] for line in document["further"])
    assert space.startswith("space on disk: ")
    wanted = {(each["name"], target["figure"]) for each in document["operations"] for target in each["targets"]}
    assert ("utils.timers.claim_due_timers none due", "p50") in wanted
    assert ("Chats.upsert_message_to_chat_by_id_and_message_id streaming", "p99_ratio") in wanted


def test_both_applications_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ASKED", [replace(asked, fewest=(2, 1)) for asked in ASKED])
    said: list[str] = []
    compared = measure_http(1, 0.001, said.append, users=2, chats=40)
    assert [(one.name, one.clients) for one in compared] == [(asked.name, n) for asked in ASKED for n in (1, 16)]
    assert not sum(one.failures for one in compared)
    assert all(one.p50(variant) > 0 for one in compared for variant in one.rounds)
