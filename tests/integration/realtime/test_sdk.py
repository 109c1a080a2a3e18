"""A program that listens with PocketBase's own JavaScript SDK: the example of the documentation."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from open_webui.models.chats import ChatForm

from tests.support.chats import CHAT, body
from tests.support.contracts import ours
from tests.support.hooks import NODE
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.services import require

ROOT = Path(__file__).parents[3]
EXAMPLE = re.compile(r"^```js\n(.*?)^```", re.MULTILINE | re.DOTALL)
READY = '\nconsole.log("listening");\n'
SECONDS = 60
"""Longest time that the program may run."""


@pytest.fixture
def program(own_pocketbase: PocketBaseProcess) -> Iterator[subprocess.Popen[str]]:
    """The example, once it listens."""
    require(NODE is not None and (ROOT / "node_modules" / "pocketbase").is_dir(), "PocketBase's JavaScript SDK")
    (example,) = EXAMPLE.findall((ROOT / "docs" / "realtime.md").read_text())
    assert len([line for line in example.splitlines() if line]) <= 10
    environment = {
        **os.environ,
        "POCKETBASE_URL": own_pocketbase.url,
        "POCKETBASE_USER": IDENTITY,
        "POCKETBASE_PASSWORD": PASSWORD,
    }
    command = ["timeout", str(SECONDS), str(NODE), "--input-type=module", "-e", example + READY]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
        process.terminate()


async def test_the_example_hears_of_chats(
    own_pocketbase: PocketBaseProcess, program: subprocess.Popen[str], may_create_chats: None
) -> None:
    client = own_pocketbase.client()
    chats = ours("Chats")["Chats"]()
    chats.pocketbase = client
    assert program.stdout is not None
    await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a", "b")))
    assert program.stdout.readline() == f"create {CHAT} A chat\n"
    await chats.update_chat_title_by_id(CHAT, "Another title")
    assert program.stdout.readline() == f"update {CHAT} Another title\n"
    await client.write("chats/delete_chat_by_id", {"id": CHAT})
    assert program.stdout.readline() == f"delete {CHAT} Another title\n"
    await client.aclose()
