"""The host's timers, which go to the table ``chat`` directly, with the chats in PocketBase.

The hooks are in ``owui/seams/timers.js``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import FunctionType, SimpleNamespace
from typing import Any
from uuid import uuid4

from open_webui.models.chats import ChatModel, Chats

from openwebui_pocketbase.changes.next_timer import next_timer
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats._codecs import CHAT
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["cancelling", "claiming", "executing", "setting_state"]

Timers = Callable[..., Awaitable[Any]]


def claiming(_stock: FunctionType) -> Timers:
    """Return `claim_due_timers`: no request as long as none can be due, and no timer is claimed twice."""

    async def claim_due_timers(now_ns: int, limit: int = 10) -> list[tuple[str, str]]:
        requests = _chats().pocketbase
        due = CHAT.changes({"timer_at": now_ns})["changes"]["timer_at"]
        if not next_timer.may_be_due(due):
            return []
        moment = next_timer.moment()
        at = await requests.read("chats/get_next_timer", {})
        next_timer.note(at, moment)
        if at is None or at > due:
            return []
        claims = await requests.write(
            "chats/claim_due_timers",
            {
                "due": due,
                "limit": limit,
                "claims": [str(uuid4()) for _ in range(limit)],
                "members": [["status", "running"], ["timer_started_at", now_ns]],
                **_columns(timer_at=None),
            },
        )
        return list(claims.items())

    return claim_due_timers


def cancelling(_stock: FunctionType) -> Timers:
    """Return `cancel_timers_for_chat`: one cheap request if no timer waits for that."""

    async def cancel_timers_for_chat(parent_chat_id: str, event: str, user_id: str) -> None:
        requests = _chats().pocketbase
        which = {"parent_chat_id": parent_chat_id, "event": event, "user_id": user_id}
        if await requests.read("chats/has_timers_to_cancel", which):
            members = {"status": "cancelled", "timer_cancelled_at": time.time_ns(), "timer_cancelled_by": event}
            changes = {"members": [*members.items()], **_columns(timer_at=None)}
            await requests.write("chats/cancel_timers_for_chat", which | changes)

    return cancel_timers_for_chat


def setting_state(_stock: FunctionType) -> Timers:
    """Return `_set_timer_state`: one request."""

    async def _set_timer_state(timer_id: str, status: str, **fields: Any) -> None:
        members = [*{"status": status, **fields}.items()]
        await _chats().pocketbase.write("chats/update_timer", {"id": timer_id, "members": members, **_columns()})

    return _set_timer_state


def executing(stock: FunctionType) -> Timers:
    """Return `execute_due_timer`, which runs as it is, over a session that knows the chat and the timer."""

    async def execute_due_timer(app: Any, timer_id: str, claim_id: str | None = None) -> None:
        # A copy per call: the module's other functions may be replaced at any time.
        await rebound(stock, get_async_db=_session)(app, timer_id, claim_id)

    return execute_due_timer


@asynccontextmanager
async def _session() -> AsyncIterator[_Session]:
    async with AsyncExitStack() as locks:
        yield _Session(locks)


class _Session:
    """What `execute_due_timer` needs of a database session: to lock one chat, and to change that and a timer."""

    bind = SimpleNamespace(dialect=SimpleNamespace(name="pocketbase"))

    def __init__(self, locks: AsyncExitStack) -> None:
        self._locks = locks
        self._timers: list[ChatModel] = []

    async def execute(self, statement: Any) -> SimpleNamespace:
        """Lock the chat of a user that the statement selects, until the session commits or ends."""
        wanted = statement.compile().params
        _, chat = await self._locks.enter_async_context(_chats()._locked(wanted["id_1"], None))  # noqa: SLF001
        found = chat if chat is not None and chat.user_id == wanted["user_id_1"] else None
        return SimpleNamespace(scalar_one_or_none=lambda: found)

    async def get(self, _table: Any, timer_id: str) -> ChatModel | None:
        """Return a timer, to be changed."""
        timer = await _chats().get_chat_by_id(timer_id)
        self._timers += [timer] if timer else []
        return timer

    async def commit(self) -> None:
        """Write what has changed: the chat first, for what it would lose nobody would say again."""
        await self._locks.aclose()
        for timer in self._timers:
            changes = CHAT.changes({"meta": timer.meta, "timer_at": timer.timer_at, "updated_at": timer.updated_at})
            await _chats().pocketbase.write("chats/update_timer", {"id": timer.id, **changes})


def _columns(**changed: Any) -> dict[str, Any]:
    return CHAT.changes({"updated_at": int(time.time()), **changed})


def _chats() -> PocketBaseChats:
    assert isinstance(Chats, PocketBaseChats)  # noqa: S101 - the seams are there only then
    return Chats
