"""The benchmark of large chats and imports, against a stand-in for Open WebUI: that all its steps are made."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.whole import large


class StandIn(BaseHTTPRequestHandler):
    """Answers everything with what the benchmark reads of answers."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append(f"{self.command} {self.path}")
        content = json.dumps({"token": "t", "id": "c"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - names of http.server

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What both applications were asked; they are one stand-in."""
    StandIn.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    class Application:
        url = f"http://127.0.0.1:{server.server_port}"
        pid = os.getpid()

        def __init__(self, *_: Any) -> None:
            pass

        def __enter__(self) -> Application:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(large, "Application", Application)
    monkeypatch.setattr("bench.runner.RESULTS_DIR", tmp_path)
    yield StandIn.asked
    server.shutdown()
    server.server_close()


def test_every_step_is_made_in_both_applications(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "CALM", 0.0)
    monkeypatch.setattr(large, "SIZES", {"chat of 1 MB": 1})
    monkeypatch.setattr(large, "IMPORTS", {"import of two": (2, 2, 5, 10)})
    found = large.measure_large(lambda _: None, ["1 MB", "two"])
    (sheet,) = found.shown
    assert [row[0] for row in sheet.rows] == [
        *("new, 1 MB", "open, 1 MB", "edit a message, 1 MB", "status event, 1 MB", "rename, 1 MB", "pin, 1 MB"),
        *("share, 1 MB", "16 readers, 1 MB", "save all, 1 MB", "clone, 1 MB", "delete, 1 MB", "import of two"),
    ]
    assert asked.count("POST /api/v1/chats/import") == 2
    assert asked.count("POST /api/v1/auths/signup") == 2
    assert asked.count("POST /api/v1/chats/c/clone") == 2
    assert {"GET /health", "POST /api/v1/folders/"} <= set(asked)
