"""A tiny run of the benchmarks, from the command line to the JSON file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli import main

pytestmark = pytest.mark.slow


def test_a_tiny_run_gives_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bench.runner", "bench.cli"):
        monkeypatch.setattr(f"{module}.RESULTS_DIR", tmp_path)
    tiny = ["--groups", "tags", "--rounds", "2", "--seconds", "0.001", "--callers", "4"]

    assert main([*tiny, "--backends", "sqlite", "pocketbase"]) == 0

    (path,) = tmp_path.iterdir()  # the work directory is gone
    document = json.loads(path.read_text())
    assert set(document["machine"]["databases"]) == {"sqlite", "pocketbase"}
    assert len(document["operations"]) == 6
    for operation in document["operations"]:
        for backend, figures in operation["figures"].items():
            assert figures["failures"] == 0
            assert (figures["overhead"] is not None) == (backend == "pocketbase")
        assert len(operation["targets"]) == 3
