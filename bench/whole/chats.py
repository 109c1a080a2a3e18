"""What the browsers of the benchmarks ask the whole application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.chat_data import MODEL, RARE, Chat, text
from bench.data import LOADED_AT, identifier

if TYPE_CHECKING:
    from bench.whole.browser import Browser

__all__ = ["ASKED", "Asked", "Chats", "import_chats"]

CHATS = 1_000
IMPORTED_AT_ONCE = 50
PER_RARE_PAIR = 3
LONG = 500
"""Messages of the longest chat."""

FOLDERS = 20
TAGS = 20
OWNER = "the administrator"
"""Stands for a user id which is not known yet, in what the ids of messages are made of."""


@dataclass(frozen=True)
class Chats:
    """The administrator's chats.

    Attributes:
        ids: Their ids in the application.
        long: Id of one more, of `LONG` messages.
    """

    ids: list[str]
    long: str = ""

    def id(self, number: int) -> str:
        """Return the id of one of them, whatever the number."""
        return self.ids[number % len(self.ids)]

    def chat(self, number: int) -> Chat:
        """Return the same one as it was imported."""
        return _chat(number % len(self.ids))

    def rare_words(self, number: int) -> str:
        """Return two words which two of the chats have."""
        return " ".join(RARE[number % min(len(RARE), len(self.ids) // PER_RARE_PAIR)])


@dataclass(frozen=True)
class Asked:
    """A request, and how to send it again and again.

    Attributes:
        name: Name in the report.
        send: Sends the n-th one; true if the answer is right.
        limit: What the median duration may be, as a multiple of the stock one.
        fewest: How many a measurement has at least, of one client and of each of several.
        clients: How many clients ask at a time, in turn.
        check: Whether the n-th one has done what it should; asked afterwards, of the last one only.
    """

    name: str
    send: Callable[[Browser, Chats, int], Awaitable[bool]]
    limit: float = 1.0
    fewest: tuple[int, int] = (60, 4)
    clients: tuple[int, ...] = (1, 16)
    check: Callable[[Browser, Chats, int], Awaitable[bool]] | None = None


def _chat(number: int) -> Chat:
    one, other = RARE[number // PER_RARE_PAIR % len(RARE)]
    words = ({4: f"{one} {other}"}, {6: other, 13: one}, {9: one})[number % PER_RARE_PAIR]
    return Chat(OWNER, number, words=words if number < PER_RARE_PAIR * len(RARE) else {})


async def import_chats(browser: Browser, total: int) -> Chats:
    """Give the administrator chats of 20 messages, a long one, folders and tags; nothing if there are to be none."""
    if not total:
        return Chats([])
    ids: list[str] = []
    for first in range(0, total, IMPORTED_AT_ONCE):
        numbers = range(first, min(first + IMPORTED_AT_ONCE, total))
        times = [{"created_at": LOADED_AT + number, "updated_at": LOADED_AT + number} for number in numbers]
        forms = [{"chat": _chat(number).body, **at} for number, at in zip(numbers, times, strict=True)]
        ids += [chat["id"] for chat in await browser.post("/api/v1/chats/import", {"chats": forms})]
    form = {"chat": Chat(OWNER, total, messages=LONG).body, "created_at": LOADED_AT, "updated_at": LOADED_AT}
    (long,) = await browser.post("/api/v1/chats/import", {"chats": [form]})
    for number in range(FOLDERS):
        await browser.post("/api/v1/folders/", {"name": f"Folder {number}"})
    for number in range(TAGS):
        await browser.post(f"/api/v1/chats/{ids[number % len(ids)]}/tags", {"name": f"tag {number}"})
    return Chats(ids, long["id"])


def _getting(path: str) -> Callable[[Browser, Chats, int], Awaitable[bool]]:
    async def send(browser: Browser, _chats: Chats, _number: int) -> bool:
        return bool(await browser.get(path))

    return send


async def _open(browser: Browser, chats: Chats, number: int) -> bool:
    found = await browser.get(f"/api/v1/chats/{chats.id(number)}")
    return len(found["chat"]["history"]["messages"]) >= 20


async def _open_long(browser: Browser, chats: Chats, _number: int) -> bool:
    found = await browser.get(f"/api/v1/chats/{chats.long}")
    return len(found["chat"]["history"]["messages"]) == LONG


async def _new(browser: Browser, _chats: Chats, number: int) -> bool:
    body = Chat(OWNER, number, messages=2).body
    found = await browser.post("/api/v1/chats/new", {"chat": body})
    return bool(found["title"] == body["title"])


async def _save_title(browser: Browser, chats: Chats, number: int) -> bool:
    title = f"Title number {number}"
    found = await browser.post(f"/api/v1/chats/{chats.id(number)}", {"chat": {"title": title}})
    return bool(found["title"] == title)


async def _search(browser: Browser, chats: Chats, number: int) -> bool:
    words = chats.rare_words(number).replace(" ", "%20")
    return len(await browser.get(f"/api/v1/chats/search?text={words}")) == 2


async def _complete(browser: Browser, chats: Chats, number: int) -> bool:
    """Ask the model in a chat, as the browser does, and wait until the answer is stored.

    With the id of an automation the application answers a request of this kind when all is done, not before.
    """
    chat = chats.chat(number)
    user_id, assistant_id = identifier(f"question {number}"), identifier(f"answer {number}")
    message: dict[str, Any] = {"id": user_id, "parentId": chat.message_id(chat.messages - 1), "childrenIds": []}
    message |= {"role": "user", "content": text(number), "models": [MODEL], "timestamp": LOADED_AT}
    body = {
        "stream": True,
        "model": MODEL,
        "messages": [{"role": "user", "content": message["content"]}],
        "params": {},
        "features": {},
        "variables": {},
        "session_id": "bench",
        "automation_id": "bench",
        "chat_id": chats.id(number),
        "id": assistant_id,
        "parent_id": message["parentId"],
        "user_message": message,
        "background_tasks": {},
    }
    answer = await browser.post("/api/chat/completions", body)
    return len(answer["task_ids"]) == 1


async def _is_answered(browser: Browser, chats: Chats, number: int) -> bool:
    """Return whether the answer to the n-th question is in its chat."""
    found = await browser.get(f"/api/v1/chats/{chats.id(number)}")
    message = found["chat"]["history"]["messages"][identifier(f"answer {number}")]
    return bool(message["done"] and message["content"] and "error" not in message)


ASKED = (
    Asked("GET /api/v1/auths/", _getting("/api/v1/auths/")),
    Asked("GET /api/v1/users/", _getting("/api/v1/users/")),
    Asked("GET /api/v1/chats/?page=1", _getting("/api/v1/chats/?page=1")),
    Asked("GET /api/v1/chats/{id}", _open),
    Asked("GET /api/v1/chats/{id} (500 messages)", _open_long, fewest=(20, 2)),
    Asked("GET /api/v1/chats/all/tags", _getting("/api/v1/chats/all/tags")),
    Asked("GET /api/v1/folders/", _getting("/api/v1/folders/")),
    Asked("POST /api/v1/chats/{id} (title)", _save_title),
    Asked("POST /api/v1/chats/new", _new),
    Asked("GET /api/v1/chats/search", _search, limit=0.05, fewest=(3, 1)),
    Asked("POST /api/chat/completions", _complete, fewest=(20, 2), check=_is_answered),
)
"""What is measured; who is signed in, the first of them, is what the browser asks first."""
