"""Profiles of the whole application: which part of it a sample belongs to, and how samples are taken."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from bench.backends import WorkerError
from bench.whole.profiles import COLUMNS, Profile, Sampler, measure_profiles, part_of, result

SITE = "/venv/lib/python3.11/site-packages"
MIDDLEWARE = f"AppHTTPMiddleware.__call__ ({SITE}/open_webui/utils/asgi_middleware.py:2)"
APP = f"FastAPI.__call__ ({SITE}/fastapi/applications.py:1);{MIDDLEWARE}"
AUTH = f"get_current_user ({SITE}/open_webui/utils/auth.py:3)"
CLIENT = "PocketBaseClient._send (/src/openwebui_pocketbase/client/http.py:4)"
CONFIG = f"Config.get ({SITE}/open_webui/models/config.py:5)"
SQL = f"Session.execute ({SITE}/sqlalchemy/orm/session.py:6)"
ANSWER = f"ModelField.serialize_json ({SITE}/fastapi/_compat/v2.py:7)"


@pytest.mark.parametrize(
    ("frames", "part"),
    [
        ([APP], "framework"),
        ([APP, AUTH], "auth"),
        ([APP, AUTH, "PocketBaseUsers._read (/src/openwebui_pocketbase/repositories/base.py:8)"], "plugin"),
        ([APP, AUTH, CLIENT, "loads (/json/decoder.py:9)"], "client"),
        ([APP, AUTH, CONFIG, SQL], "config"),
        ([APP, SQL], "SQL"),
        ([APP, f"get_chat_by_id ({SITE}/open_webui/routers/chats.py:10)"], "route"),
        ([APP, ANSWER, f"TypeAdapter.dump_json ({SITE}/pydantic/type_adapter.py:11)"], "answer"),
        ([APP, f"compress ({SITE}/brotli.py:12)"], "compression"),
        (["Runner.run (/lib/asyncio/runners.py:13)"], "event loop"),
    ],
)
def test_a_sample_belongs_to_its_innermost_frame_that_says_something(frames: list[str], part: str) -> None:
    assert part_of(";".join(["thread (1): MainThread", *frames])) == part
    assert part in COLUMNS


STAND_IN = """
import signal, sys
def end(*_):
    with open(sys.argv[sys.argv.index("--output") + 1], "w") as file:
        print("thread (1): MainThread;a (x.py:1);b (y.py:2) 3", file=file)
        print("thread (2): Thread-1;a (x.py:1) 5", file=file)
    sys.exit()
signal.signal(signal.SIGINT, end)
open(sys.argv[sys.argv.index("--output") + 1] + ".ready", "w").close()
signal.pause()
"""


async def test_samples_of_the_main_thread_are_counted(tmp_path: Path) -> None:
    program = tmp_path / "py-spy"
    program.write_text(f"#!{sys.executable}\n{STAND_IN}")
    program.chmod(0o755)

    def wait() -> None:
        while not [*tmp_path.glob("*.ready")]:
            time.sleep(0.01)

    async def work() -> None:
        await asyncio.to_thread(wait)

    found = await Sampler(str(program), os.getpid(), tmp_path).during(work, "GET /a")
    assert found == {"thread (1): MainThread;a (x.py:1);b (y.py:2)": 3}
    assert (tmp_path / "GET--a.stacks").exists()


def test_without_the_program_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkerError, match="pip install py-spy"):
        measure_profiles(1.0, print)


def test_the_table_has_every_part() -> None:
    profiles = [
        Profile("GET /a", variant, 16, rate, {"SQL": 1.25, "event loop": 0.5})
        for variant, rate in (("stock", 10.0), ("pocketbase", 1234.0))
    ]
    assert profiles[0].total == 1.75
    found = result(profiles)
    (shown,) = found.shown
    assert shown.headings[5:] == COLUMNS
    assert [row[:5] for row in shown.rows] == [
        ["`GET /a`", "16", "stock", "10", "1.75"],
        ["`GET /a`", "16", "pocketbase", "1,234", "1.75"],
    ]
    by_part = dict(zip(COLUMNS, shown.rows[0][5:], strict=True))
    assert {name: value for name, value in by_part.items() if value != "0.00"} == {"SQL": "1.25", "event loop": "0.50"}
    assert found.documented is not None
    assert found.documented[0].rows == [["`GET /a`", "16", "1.75", "1.75", "1.00"]]
