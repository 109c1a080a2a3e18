"""A tiny run of the benchmarks, from the command line to the JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench import groups
from bench.cli import main
from bench.whole import channels, compare, files
from bench.whole.channels import CHANNELS
from bench.whole.chats import ASKED
from bench.whole.compare import measure_http
from bench.whole.files import FILES
from tests.support.processes import LIGHT, SOURCE

pytestmark = pytest.mark.slow

TINY = (*("--rounds", "1", "--seconds", "0.001", "--callers", "4", "--users", "1000", "--chats", "400"),)
WARM_UP_CALLS = 4
WHOLE = ("tags", "groups")
GROUPS = (*WHOLE, "chats")
"""One of each kind: not mirrored, mirrored, and one that is loaded in bulk. Those left out take minutes to load."""

CHATS = ("get_chat_title", "streaming", "claim_due_timers", "title", "rare words")
"""Of chats some operations are enough; those of the other groups are all called."""

MIRRORED = {"users", "groups", "access"}


@pytest.fixture(scope="module", autouse=True)
def light() -> Iterator[None]:
    """The processes that the benchmarks start need not start as slowly as those of a real run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (LIGHT, SOURCE))))
        yield


@pytest.fixture(scope="module")
def document(light: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of one run."""
    results = tmp_path_factory.mktemp("results")
    names = [operation.name for name in WHOLE for operation in groups.load(name).operations]
    with pytest.MonkeyPatch.context() as patch:
        for module in ("bench.runner", "bench.cli"):
            patch.setattr(f"{module}.RESULTS_DIR", results)
        patch.setattr("bench.runner.WARM_UP_CALLS", WARM_UP_CALLS)
        backends = ("sqlite", "pocketbase", "mirrored")
        assert main(["--groups", *GROUPS, "--backends", *backends, "--only", *names, *CHATS, *TINY]) == 0
    (path,) = results.iterdir()  # the work directory is gone
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def measured(document: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """Return the operations of some groups."""
    return [operation for operation in document["operations"] if operation["group"] in names]


def test_every_figure_is_there_and_no_call_failed(document: dict[str, Any]) -> None:
    assert set(document["databases"]) == {"sqlite", "pocketbase", "mirrored"}
    assert document["skipped"] == {}
    limits = {(name, each.name): each.limits for name in GROUPS for each in groups.load(name).operations}
    for operation in document["operations"]:
        # Whether it is a single request that takes most of its time.
        has_floor = limits[operation["group"], operation["name"]].get("overhead", 0) is not None
        for backend, figures in operation["figures"].items():
            assert figures["failures"] == 0, (operation["name"], backend)
            assert (figures["overhead"] is not None) == (backend == "pocketbase" and has_floor)


def test_every_operation_but_those_of_chats_is_measured(document: dict[str, Any]) -> None:
    for name in GROUPS:
        expected = len(CHATS) if name == "chats" else len(groups.load(name).operations)
        assert len(measured(document, name)) == expected, name
    assert all(len(operation["targets"]) == 3 for operation in measured(document, "tags"))


def test_writes_of_mirrored_groups_are_measured_with_the_mirror_as_well(document: dict[str, Any]) -> None:
    for operation in document["operations"]:
        is_mirrored = operation["group"] in MIRRORED and operation["kind"] == "write"
        backends = {"sqlite", "pocketbase"} | ({"mirrored"} if is_mirrored else set())
        assert set(operation["figures"]) == backends
        assert {target["backend"] for target in operation["targets"]} == backends - {"sqlite"}


def test_chats_are_measured(document: dict[str, Any]) -> None:
    assert document["parameters"]["chats"] == 400
    assert set(document["space"]) == {"sqlite", "pocketbase", "mirrored"}
    chats = measured(document, "chats")
    wanted = {(each["name"], target["figure"]) for each in chats for target in each["targets"]}
    assert ("utils.timers.claim_due_timers none due", "p50") in wanted
    assert ("Chats.upsert_message_to_chat_by_id_and_message_id streaming", "p99_ratio") in wanted


def test_both_applications_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "ASKED", [replace(asked, fewest=(2, 1)) for asked in ASKED])
    monkeypatch.setattr(compare, "CHANNELS", [replace(asked, fewest=(2, 1)) for asked in CHANNELS])
    for name, value in (("TOTAL", 3), ("MESSAGES", 1), ("PAGE", 5)):
        monkeypatch.setattr(channels, name, value)
    monkeypatch.setattr(files, "SIZE", 1 << 16)
    said: list[str] = []
    found = measure_http(1, 0.001, said.append, users=2, chats=40).document["requests"]
    assert [(one["request"], one["clients"]) for one in found] == [
        (asked.name, n) for asked in (*ASKED, *CHANNELS, *FILES) for n in asked.clients
    ]
    for one in found:
        for (cell,) in one["rounds"].values():
            assert (cell["failures"], cell["p50"] > 0) == (0, True), one["request"]
