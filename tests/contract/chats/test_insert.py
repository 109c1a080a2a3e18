"""Creating and importing chats: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm, ChatImportForm

from openwebui_pocketbase.repositories.chats import _parts
from tests.support.chats import CHAT, CHATS, body, key, message, unlinked
from tests.support.differential import Opened, Pair


@pytest.fixture
async def pair(oracle: str, opened: Opened, may_create_chats: None) -> AsyncIterator[Pair]:
    async with opened(CHATS, oracle) as pair:
        yield pair


NEW: dict[str, dict[str, Any]] = {
    "a chain": body("a", "b", "c"),
    "unlinked": unlinked(message("a", None, "user"), message("b", "?", "user")),
    "a legacy list": {"title": "Old", "messages": [{"id": "a", "role": "user", "content": "x"}, {"role": "user"}]},
    "empty": {},
}


@pytest.mark.parametrize("name", NEW)
async def test_new_chats(pair: Pair, name: str) -> None:
    await pair.call("insert_new_chat", CHAT, "u1", ChatForm(chat=NEW[name]))
    await pair.call("insert_new_chat", CHAT, "u1", ChatForm(chat=NEW[name]))
    await pair.call("insert_new_chat", key(2), "u2", ChatForm(chat=NEW[name], folder_id="f", variables={"v": 1.0}))


IMPORTS = [
    ChatImportForm(chat=body("a", "b"), meta={"tags": ["x"]}, pinned=True, created_at=2**62, updated_at=-5),
    ChatImportForm(
        chat={"title": "Old", "messages": [{"id": "a", "role": "user", "content": "legacy"}, {"role": "user"}]}
    ),
    ChatImportForm(chat={}, meta=None, pinned=None),
    ChatImportForm(chat=body("a"), archived=True, current_message_id="z", variables={"v": 1}),
    ChatImportForm(
        chat=body(history={"messages": {"a": message("a", None, "user", done=None, usage={"prompt_tokens": 1})}})
    ),
    ChatImportForm(
        chat=body(
            history={"messages": {"a": message("a", None, "user", output="wrong"), "b": message("b", "a", "user")}}
        )
    ),
]


@pytest.mark.parametrize("part", [_parts.PART, 1], ids=["at once", "in parts"])
async def test_import(pair: Pair, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "PART", part)
    for form in IMPORTS:
        await pair.call("import_chats", "u1", [form])
    await pair.call("import_chats", "u2", [form for form in IMPORTS if form.meta is not None])
    await pair.call("import_chats", "u1", [])
