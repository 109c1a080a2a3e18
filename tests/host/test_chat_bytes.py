"""Answers about chats, byte for byte and header for header, with a stock Open WebUI and with chats in PocketBase."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

CHATS = "/api/v1/chats"
VARYING = {"date", "x-process-time"}

NUMBERS = "[0, -0, 1, -1, 1.0, -0.0, 1e16, 1e-7, 1E+2, 0.1, 123456789012345678, 9007199254740993]"
TEXTS = ["", "é", "資料 📁", "\u2028\u2029\x85", "\x7f\x01\t\n\r\b\f", '"\\/', "</script>", "\ufeff", "a" * 3000]

MESSAGES: dict[str, dict[str, Any]] = {
    "q": {"id": "q", "parentId": None, "childrenIds": ["a"], "role": "user", "content": TEXTS[2], "timestamp": 1},
    "a": {"id": "a", "parentId": "q", "childrenIds": ["r"], "role": "assistant", "content": TEXTS, "odd": None},
    "r": {
        "role": "user",
        "content": "",
        "parentId": "a",
        "id": "r",
        "childrenIds": [],
        "user": {"id": "x", "name": "X"},
    },
}
BODIES: dict[str, str] = {
    "numbers": json.dumps({"title": "Numbers", "x": "NUMBERS"}).replace('"NUMBERS"', NUMBERS),
    "texts": json.dumps({"title": TEXTS[2], "x": TEXTS, "keys": dict.fromkeys(TEXTS, 1)}),
    "messages": json.dumps({"title": "M", "history": {"messages": MESSAGES, "currentId": "r"}, "z": 1, "a": None}),
    "untidy": json.dumps({"title": "M", "history": {"currentId": "nowhere", "messages": {"q": {"role": "user"}}}}),
    "legacy": json.dumps({"title": "L", "messages": [MESSAGES["q"], MESSAGES["a"]]}),
    "nothing": "{}",
}
COLUMNS = '"created_at": 1700000000, "updated_at": 1700000001, "pinned": false, "meta": {"tags": ["t"], "n": 1.0}'


def answers(instance: OpenWebUI, name: str) -> list[tuple[Any, ...]]:
    """Return what an application answers about a chat, with ids that say nothing."""
    user, body = f"bytes {name}", BODIES[name]
    own = {**instance.headers(user), "Content-Type": "application/json"}

    def send(method: str, path: str, content: str | None = None, encoding: str = "identity") -> tuple[Any, ...]:
        headers = {**own, "Accept-Encoding": encoding}
        reply = instance.http.request(method, path, content=content, headers=headers, follow_redirects=False)
        # A compressed body has another length with other ids.
        varying = VARYING | (set() if encoding == "identity" else {"content-length"})
        kept = [(key, value) for key, value in reply.headers.multi_items() if key not in varying]
        text = f"{kept}\n{reply.content.decode()}"
        for number, known in enumerate((*ids, instance.user(user).id, str(instance.http.base_url).rstrip("/"))):
            text = text.replace(known, f"<{number}>")
        text = re.sub(r'"last_read_at":\d{10}', '"last_read_at":0', text)  # when it was imported
        return method, path.replace(ids[0], "<id>") if ids else path, reply.status_code, text

    form = f'{{"chats": [{{"chat": {body}, {COLUMNS}}}]}}'
    imported = instance.http.post(f"{CHATS}/import", content=form, headers=own).raise_for_status()
    ids = [imported.json()[0]["id"]]
    path = f"{CHATS}/{ids[0]}"
    return [
        *(send("GET", path, encoding=encoding) for encoding in ("identity", "gzip", "br", "zstd, br", "identity")),
        send("POST", path, '{"chat": {"title": "Größe 資料"}}'),
        send("POST", path, f'{{"chat": {{"y": {NUMBERS}}}, "variables": {{"n": 1.0}}}}'),
        send("POST", path, "{}"),
        send("GET", path),
        *(send("GET", f"{CHATS}/{rest}") for rest in ("?page=1", "?page=2", "?page=x", "", "list?page=1", "all/tags")),
        *(send(method, path) for method in ("PUT", "OPTIONS", "HEAD")),
        *(send("GET", f"{path}{rest}") for rest in ("/", "//", "/nothing", "%0A", "?x=%00")),
        send("GET", "/api/v1/nothing"),
        send("GET", "/api/v1/folders"),
    ]


@pytest.mark.parametrize("name", BODIES)
def test_answers_have_the_same_bytes(chat_contestants: dict[str, OpenWebUI], name: str) -> None:
    stock, *others = (answers(instance, name) for instance in chat_contestants.values())
    for ours in others:
        for expected, actual in zip(stock, ours, strict=True):
            assert actual == expected
