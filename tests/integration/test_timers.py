"""Timers and subagents, which write chats past the repositories, do the same with chats in PocketBase."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.internal.db import get_async_db
from open_webui.models.auths import Auth
from open_webui.models.chats import Chat, Chats
from open_webui.models.users import User
from open_webui.socket.main import sio
from open_webui.utils import subagents, timers
from sqlalchemy import select, update

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.host.seams import replace_function
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.seams import timers as seams
from tests.support import chats as chats_support
from tests.support.chats import chain, chat, message
from tests.support.differential import START, Contract, Pair, open_pair, pocketbase_rows, same
from tests.support.pocketbase import PocketBaseProcess

CHATS = Contract(
    name="Chats",
    tables=("chat", "chat_message"),
    subject=PocketBaseChats,
    bound={"Chats": PocketBaseChats, "ChatMessages": PocketBaseChatMessages},
)
NOW = 1_700_000_000_123_456_789
"""Nanoseconds; not a number that a double can hold."""

PARENT, TIMER, OTHER, LATE = (f"c0000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))


class Application(SimpleNamespace):
    """What timers need of the host's application, and what they did with it."""

    def __init__(self) -> None:
        self.completed: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        super().__init__(state=SimpleNamespace(redis=None, CHAT_COMPLETION_HANDLER=self._complete))

    async def _complete(self, _request: Any, form_data: dict[str, Any], user: Any) -> None:
        self.completed.append(form_data)
        if self.failure:
            raise self.failure


@pytest.fixture
async def pair(pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    for module in (timers, seams, subagents):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: START + 0.5, time_ns=lambda: NOW + 5))

    async def emit(*_args: Any, **_options: Any) -> None:
        """Nobody listens."""

    monkeypatch.setattr(sio, "emit", emit)
    client = pocketbase.client()
    async with open_pair(CHATS, "sqlite", pocketbase, client, tmp_path) as pair:
        yield pair
    await client.aclose()


@contextmanager
def _stock(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with pair.database.active(), _numbered(monkeypatch):
        yield


@contextmanager
def _ours(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    undo = [
        replace_function(timers, seam.function, seam.replacement)
        for seam in CATALOG["chats"].seams
        if "timers" in seam.module
    ]
    assert len(undo) == 4
    try:
        with pair.database.active(), pair.bound(), _numbered(monkeypatch):
            yield
    finally:
        for each in undo:
            each()


@contextmanager
def _numbered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the same ids in the same order each time."""
    numbers = itertools.count(1)
    with monkeypatch.context() as patched:
        for module in (timers, seams, subagents):
            patched.setattr(module, "uuid4", lambda: uuid.UUID(int=next(numbers)))
        yield


async def both(pair: Pair, monkeypatch: pytest.MonkeyPatch, run: Any) -> Any:
    """Run something on both, compare what it returns and what is stored, and return it."""
    with _stock(pair, monkeypatch):
        expected = await run()
    with _ours(pair, monkeypatch):
        actual = await run()
    same("answers", expected, actual)
    await pair._compare_rows("it")
    return actual


def parent(**more: Any) -> Chat:
    messages = chain("a", "b")
    messages["b"]["done"] = True
    body = {"title": "Parent", "history": {"messages": messages, "currentId": "b"}}
    return chat(PARENT, **{"title": "Parent", "chat": body, **more})


def timer(id: str = TIMER, timer_at: int | None = NOW, user: str = "u1", **meta: Any) -> Chat:
    run = {"model_id": "m", "chat_context": {"messages": [{"role": "system", "content": "s"}]}}
    known = {
        "internal": True,
        "type": "timer",
        "parent_chat_id": PARENT,
        "parent_message_id": "b",
        "timer_at": timer_at,
        "status": "pending",
        "timer_task_message_id": "t",
        "cancel_on": ["chat.read"],
        "run": run,
    }
    body = {"title": "Timer", "history": {"messages": {"t": message("t", None, "user")}, "currentId": "t"}}
    return chat(id, user_id=user, title="Timer", chat=body, timer_at=timer_at, meta={**known, **meta})


async def seed(pair: Pair, *chats: Chat) -> None:
    user = {"last_active_at": 1, "updated_at": 1, "created_at": 1, "name": "Ann", "email": "a@b.c", "role": "user"}
    await pair.database.add(User(id="u1", **user), Auth(id="u1", email="a@b.c", password="x", active=True))
    await chats_support.seed(pair, [*chats])


async def test_due_timers_are_claimed_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(
        pair, parent(), timer(), timer(OTHER, NOW - 1), timer(LATE, NOW + 1), timer(PARENT[:-1] + "9", 5, status="x")
    )
    assert await both(pair, monkeypatch, lambda: timers.claim_due_timers(4)) == []
    claims = await both(pair, monkeypatch, lambda: timers.claim_due_timers(NOW))
    assert [claimed for claimed, _ in claims] == [OTHER, TIMER]
    assert await both(pair, monkeypatch, lambda: timers.claim_due_timers(NOW)) == []
    assert await both(pair, monkeypatch, lambda: timers.claim_due_timers(NOW + 2, limit=1))
    rows = {row["id"]: row for row in pocketbase_rows(pair.server.data_dir, "chat")}
    assert rows[TIMER]["meta"]["timer_started_at"] == NOW


async def test_many_workers_claim_each_timer_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"{PARENT[:-2]}{number}" for number in range(10, 40)]
    await seed(pair, *map(timer, ids))
    with _ours(pair, monkeypatch):
        claims = await asyncio.gather(*(timers.claim_due_timers(NOW, limit=3) for _ in range(20)))
    assert sorted(claim[0] for claimed in claims for claim in claimed) == ids


async def test_no_timer_is_one_request_that_reads(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(pair, parent(), timer(LATE, NOW + 1))
    asked = _record(pair.client, monkeypatch)
    with _ours(pair, monkeypatch):
        await timers.claim_due_timers(NOW)
        await timers.cancel_timers_for_chat(PARENT, "chat.user_message", "u1")
    assert asked == ["chats/get_next_timer", "chats/has_timers_to_cancel"]


def _record(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    for name in ("read", "write"):
        method = getattr(client, name)

        async def recorded(path: str, parameters: Any, *, method: Any = method) -> Any:
            asked.append(path)
            return await method(path, parameters)

        monkeypatch.setattr(client, name, recorded)
    return asked


async def test_cancelling(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"{PARENT[:-2]}{number}" for number in range(10, 20)]
    await seed(
        pair,
        parent(),
        timer(ids[0]),
        timer(ids[1], cancel_on=["chat.user_message"]),
        timer(ids[2], cancel_on=None),
        timer(ids[3], status="running"),
        timer(ids[4], None),
        timer(ids[5], user="u2"),
        timer(ids[6], parent_chat_id=OTHER),
        timer(ids[7], cancel_on=["chat.user_message", "chat.read"]),
    )
    for chat_id, user in ((PARENT, "nobody"), ("x", "u1"), (PARENT, "u1"), (PARENT, "u2")):
        for event in ("chat.read", "chat.user_message"):
            await both(pair, monkeypatch, _cancelling(chat_id, event, user))


def _cancelling(*arguments: str) -> Any:
    return lambda: timers.cancel_timers_for_chat(*arguments)


async def test_states(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(pair, timer())
    await both(pair, monkeypatch, lambda: timers._set_timer_state(TIMER, "error", timer_error='a "reason"', more=None))
    await both(pair, monkeypatch, lambda: timers._set_timer_state(TIMER, "done"))
    await both(pair, monkeypatch, lambda: timers._set_timer_state(OTHER, "done"))


async def run_claimed(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, claim: str | None = None, failure: Any = None
) -> Any:
    """Claim the timer and run it."""

    async def run() -> Any:
        application = Application()
        application.failure = failure
        await timers.claim_due_timers(NOW)
        with _numbered(monkeypatch):  # more ids are at hand than there are timers to claim
            await timers.execute_due_timer(application, TIMER, claim)
        return application.completed

    return await both(pair, monkeypatch, run)


async def test_a_timer_adds_its_messages_to_the_chat(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(pair, parent(), timer())
    assert len(await run_claimed(pair, monkeypatch)) == 1
    (chat,) = [row for row in pocketbase_rows(pair.server.data_dir, "chat") if row["id"] == PARENT]
    assert len(chat["chat"]["history"]["messages"]) == 4


@pytest.mark.parametrize(
    ("chats", "options"),
    [
        ([timer()], {}),
        ([parent(user_id="u2"), timer()], {}),
        ([parent(), timer()], {"claim": "another"}),
        ([parent(), timer(status="paused")], {}),
        ([parent(), timer(timer_task_message_id="x")], {}),
        ([parent(), timer(run={})], {}),
        ([parent(chat={}), timer(parent_message_id=None)], {}),
        ([parent(), timer()], {"failure": ValueError("no model")}),
        ([parent()], {}),
    ],
    ids=[
        "no parent",
        "the parent is somebody else's",
        "claimed by another",
        "not pending",
        "no prompt",
        "no model",
        "an empty parent",
        "the completion fails",
        "no timer",
    ],
)
async def test_running(pair: Pair, monkeypatch: pytest.MonkeyPatch, chats: list[Chat], options: Any) -> None:
    copies = [Chat(**{column.name: getattr(chat, column.name) for column in Chat.__table__.columns}) for chat in chats]
    await seed(pair, *copies)
    await run_claimed(pair, monkeypatch, **options)


async def test_a_timer_waits_while_the_chat_is_busy(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_redis: Any, _chat_id: str) -> bool:
        return True

    monkeypatch.setattr(timers, "has_active_tasks", busy)
    await seed(pair, parent(), timer())
    assert await run_claimed(pair, monkeypatch) == []
    (row,) = [row for row in pocketbase_rows(pair.server.data_dir, "chat") if row["id"] == TIMER]
    assert row["timer_at"] == NOW
    with _ours(pair, monkeypatch):  # and the chat is not locked any more
        await Chats.update_chat_title_by_id(PARENT, "free")


async def test_without_the_seams_no_timer_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(pair, parent(), timer())
    async with pair.database.sessions() as session:
        await session.execute(update(Chat).values(timer_at=None))
        await session.commit()
    with pair.database.active(), pair.bound():
        assert await timers.claim_due_timers(NOW) == []
    with _ours(pair, monkeypatch):
        assert len(await timers.claim_due_timers(NOW)) == 1


async def test_subagents_need_no_seam(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = message("c", "b", "user", meta={"internal": True, "type": "subagent", "status": "pending"}, model="m")
    chat = parent()
    chat.chat["history"]["messages"]["b"]["childrenIds"].append("c")
    chat.chat["history"]["messages"]["c"] = waiting
    await seed(pair, chat)

    async def run() -> Any:
        application = Application()
        request = SimpleNamespace(app=application)
        await subagents.process_pending_internal_messages(request, PARENT, "u1", {"model_id": "m"})
        return application.completed

    await both(pair, monkeypatch, run)
    with pair.database.active():
        async with get_async_db() as session:
            stored = (await session.execute(select(Chat.chat).where(Chat.id == PARENT))).scalar_one()
    assert len(stored["history"]["messages"]) > 3  # so it did something
