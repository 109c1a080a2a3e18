"""Chats as people have them: code, pictures, tools, languages, years of messages."""

# ruff: noqa: RUF001 - other languages have other letters

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm

from tests.support.chats import CHAT as C
from tests.support.chats import CHATS, body, chain, chat, message, row, seed
from tests.support.differential import Opened, Pair

CODE = """Here is the function:

```python
def f(x: "list[int]") -> str:
    return f"{x!r}\\t%s \\\\ {{}}" % ('"',)  # 100%_
```

| a | b |
|---|---|
| `1` | <b>2</b> |
"""
PICTURE = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAA/+8=" * 75_000
"""2 MB."""
TOOL_OUTPUT = [
    {
        "type": "function_call",
        "id": "call_1",
        "name": "search_web",
        "arguments": '{"query": "Äpfel"}',
        "status": "completed",
    },
    {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "1.0e0 \u2028"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]},
]
LANGUAGES = {
    "arabic": "مرحبا، كيف حالك؟ هذا نص طويل بالعربية",
    "chinese": "你好，世界。这是一个很长的中文句子，没有空格。",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 text",
    "german": "Straße GROẞ Ärger ÖL",
    "turkish": "İSTANBUL Iğdır ışık",
    "greek": "ΟΔΟΣ ὈΔΥΣΣΕΎΣ",
    "hebrew": "שלום \u202eעולם\u202c",
    "thai": "สวัสดีชาวโลก",
}
USAGE = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33, "cost": 0.0001}


def recorded(**messages: dict[str, Any]) -> dict[str, Any]:
    """A chat of these messages, one below the other."""
    history = chain(*messages)
    for key, members in messages.items():
        history[key] |= members
    return body(history={"messages": history, "currentId": list(messages)[-1]})


RECORDINGS = {
    "code": recorded(
        q={"content": "A function?"}, a={"content": CODE, "done": True, "usage": USAGE, "model": "org/m:7b"}
    ),
    "picture": recorded(
        q={"content": f"![image]({PICTURE})", "files": [{"type": "image", "url": PICTURE}]},
        a={"content": "A cat.", "done": True},
    ),
    "tools": recorded(
        q={"content": "Search"},
        a={
            "content": "Done",
            "output": TOOL_OUTPUT,
            "sources": [{"source": {"name": "web"}, "document": [CODE], "metadata": [{"n": 1.0}]}],
            "statusHistory": [{"action": "web_search", "done": True}],
            "annotation": {"rating": 1, "tags": ["good"]},
        },
    ),
    "languages": recorded(**{name: {"content": text} for name, text in LANGUAGES.items()}),
}
SEARCHES = [
    "function",
    "100%_",
    "كيف",
    "没有空格",
    "👍🏽",
    "straße",
    "ärger",
    "istanbul",
    "οδος",
    "iVBOR",
    "cat",
    "input_text",
]


@pytest.fixture
async def pair(opened: Opened, may_create_chats: None) -> AsyncIterator[Pair]:
    async with opened(CHATS, "sqlite") as pair:
        yield pair


@pytest.mark.parametrize("name", RECORDINGS)
async def test_a_recorded_chat(pair: Pair, name: str) -> None:
    recording = RECORDINGS[name]
    await pair.call("insert_new_chat", C, "u1", ChatForm(chat=recording))
    last = recording["history"]["currentId"]
    for text in SEARCHES:
        await pair.call("get_chats_by_user_id_and_search_text", "u1", text, rows=False)
    for piece in (CODE, CODE + LANGUAGES["arabic"], PICTURE[:100_000]):
        edited = {"content": piece, "done": False}
        await pair.call("upsert_message_to_chat_by_id_and_message_id", C, last, edited)
    await pair.call(
        "upsert_message_to_chat_by_id_and_message_id", C, "new", message("new", last, "user", content="cat")
    )
    for text in SEARCHES:
        await pair.call("get_chats_by_user_id_and_search_text", "u1", text, rows=False)
    for method in ("get_chat_by_id", "get_messages_map_by_chat_id"):
        await pair.call(method, C, rows=False)
        await pair.call(method, C, rows=False)
    await pair.call("delete_message_from_chat_by_id_and_message_id", C, last)


async def test_a_chat_of_5000_messages(pair: Pair) -> None:
    ids = [f"m{number}" for number in range(5000)]
    texts = [*LANGUAGES.values(), CODE, "plain text"]
    history = chain(*ids)
    for number, entry in enumerate(history.values()):
        entry |= {"content": f"{texts[number % len(texts)]} number{number}", "timestamp": 1_700_000_000 + number}
    columns: dict[str, Any] = {
        "chat": body(history={"messages": history, "currentId": ids[-1]}),
        "current_message_id": ids[-1],
    }
    rows = [
        row(
            C, key, role=each["role"], content=each["content"], parent_id=each["parentId"], created_at=each["timestamp"]
        )
        for key, each in history.items()
    ]
    await seed(pair, [chat(C, title="Long", **columns)], rows)
    for method in ("get_chat_by_id", "get_messages_map_by_chat_id"):
        await pair.call(method, C, rows=False)
    middle = {"content": "changed", "done": True, "usage": USAGE}
    await pair.call("upsert_message_to_chat_by_id_and_message_id", C, ids[2500], middle)
    await pair.call("add_message_status_to_chat_by_id_and_message_id", C, ids[-1], {"action": "x"}, rows=False)
    await pair.call("update_chat_by_id", C, {"title": "Longer"}, rows=False)
    for text in ("number4999", "changed", "没有空格"):
        await pair.call("get_chats_by_user_id_and_search_text", "u1", text, rows=False)
    await pair.call("get_chat_title_id_list_by_user_id", "u1", rows=False)
    await pair.call("delete_message_from_chat_by_id_and_message_id", C, ids[3])
