"""Changing a chat's messages: read, run the host's code, write; without losing what others write meanwhile."""

from __future__ import annotations

import asyncio
import functools
import random
import secrets
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any, ParamSpec, TypeVar

from open_webui.models.chats import Chat
from sqlalchemy.orm.exc import StaleDataError

from openwebui_pocketbase.data_urls import marked
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.repositories.base import LARGE, PocketBaseRepository, Requests, in_thread_if
from openwebui_pocketbase.repositories.chats._cache import ChatCache, cache_of
from openwebui_pocketbase.repositories.chats._draft import Draft
from openwebui_pocketbase.repositories.errors import is_outage

__all__ = ["ChatWriter", "given_draft", "raises_outages", "working_on"]

T = TypeVar("T")
P = ParamSpec("P")

LEASE = 30_000
"""Milliseconds for which a chat stays locked at most, when the process that locked it crashes."""

_given: ContextVar[Draft | None] = ContextVar("given", default=None)
"""What a method of the host's that is one edit finds in the place of its transaction."""

_in_stock_method: ContextVar[bool] = ContextVar("in_stock_method", default=False)
"""Whether the host's code around a transaction swallows whatever exception it meets."""


class _Outage(BaseException):
    """Carries an outage through the host's ``except Exception``: "not found" would be a lie."""

    def __init__(self, error: OpenWebUIPocketBaseError) -> None:
        super().__init__()
        self.error = error


def raises_outages(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let outages out of a method of the host's that swallows its exceptions; see `default_on_error`."""

    @functools.wraps(method)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _in_stock_method.set(True)
        try:
            return await method(*args, **kwargs)
        except _Outage as outage:
            raise outage.error from None
        finally:
            _in_stock_method.reset(before)

    return wrapper


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except OpenWebUIPocketBaseError as error:
        if _in_stock_method.get() and is_outage(error):
            raise _Outage(error) from error
        raise


@contextmanager
def working_on(draft: Draft) -> Iterator[None]:
    """Within the block, give this draft to a method of the host's that begins a transaction; see `ChatWriter._edit`."""
    before = _given.set(draft)
    try:
        yield
    finally:
        _given.reset(before)


def given_draft(chat_id: str) -> Draft | None:
    """Return the draft of a chat that a method of the host's is working on; None if it works on none."""
    draft = _given.get()
    return draft if draft is not None and draft.chat_id == chat_id else None


class _Turns:
    """Locks, per event loop and chat, that serialise the writers of this process."""

    def __init__(self) -> None:
        self._loops: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.WeakValueDictionary[str, asyncio.Lock]
        ] = weakref.WeakKeyDictionary()

    def of(self, chat_id: str) -> asyncio.Lock:
        locks = self._loops.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
        return locks.setdefault(chat_id, asyncio.Lock())


_TURNS: weakref.WeakKeyDictionary[Requests, _Turns] = weakref.WeakKeyDictionary()


class ChatWriter(PocketBaseRepository):
    """What the repositories that write messages have in common: those of chats and of their messages' rows.

    Within a process, writes to one chat wait for each other. Between processes a write is refused if the chat has
    changed since it was read, and made anew. Only where the host's code awaits something between reading and writing
    is the chat locked in PocketBase: that code cannot be run twice.
    """

    @property
    def _cache(self) -> ChatCache:
        return cache_of(self.pocketbase)

    def _turn(self, chat_id: str) -> asyncio.Lock:
        return _TURNS.setdefault(self.pocketbase, _Turns()).of(chat_id)

    async def _edit(
        self, chat_id: str, keys: Collection[str], edit: Callable[[Draft], T | Awaitable[T]], *, with_row: bool = False
    ) -> T:
        """Change a chat and some of its messages.

        Args:
            chat_id: Id of the chat; there need not be one.
            keys: Ids of the messages that are needed; those that these name as parents are read as well.
            edit: Changes a draft and returns the result; called again if the chat has changed meanwhile, as it shows
                also in what it raises. It says what is to be written with `Draft.put`, `Draft.delete` and, if it
                changed the chat, as ``edited``.
            with_row: Whether the draft gets the chat's columns as they are then: others may have changed some.

        Raises:
            StaleDataError: The chat was deleted meanwhile.
        """
        async with self._turn(chat_id):
            draft = self._cache.take_draft(chat_id, keys)
            delays = _delays()
            is_fresh = False
            while True:
                if draft is None:
                    wire = await self.pocketbase.read("chats/get_draft", _of_messages(chat_id, keys))
                    draft = Draft(chat_id, wire, keys)
                    is_fresh = True
                try:
                    made = edit(draft)
                    result = await made if isawaitable(made) else made
                except Exception:
                    if is_fresh:
                        raise
                    draft = None  # it may be right by now
                    continue
                changes = draft.changes()
                if changes is None and not is_fresh:
                    draft = None  # others may have changed what this would have written
                    continue
                state = await self._save(draft, changes, with_row=with_row)
                if state is None:
                    return result
                if state == "locked":
                    await asyncio.sleep(next(delays))
                elif state == "gone" and is_fresh:
                    raise StaleDataError(f"Chat {chat_id} was deleted.")
                draft = None

    async def _save(
        self, draft: Draft, changes: dict[str, Any] | None, token: str | None = None, *, with_row: bool = False
    ) -> str | None:
        """Write what has changed; return why nothing was written, or None."""
        if changes is None:
            if token is not None:
                await self._unlock(draft.chat_id, token)
            return None
        marked_changes = await in_thread_if(_size_of(changes) >= LARGE, lambda: _with_marks(changes))
        written = {**marked_changes, "token": token, "with_row": with_row}
        reply = await self.pocketbase.write("chats/save_chat", written)
        if isinstance(reply, str):
            return reply
        draft.saved(reply if with_row else None)
        self._cache.left(draft)
        return None

    def _chat_transaction(self, id: str) -> AbstractAsyncContextManager[tuple[Any, Chat | None]]:
        """Lock a chat, give it to the caller, and write what the caller has changed; see `_locked`."""
        draft = given_draft(id)
        return self._locked(id, None) if draft is None else _edited(draft)

    @asynccontextmanager
    async def _locked(self, id: str, keys: Collection[str] | None) -> AsyncIterator[tuple[Any, Chat | None]]:
        """Lock a chat, give it to the caller, and write what the caller has changed.

        Args:
            id: Id of the chat.
            keys: Ids of the messages that are needed; None for all.

        Yields:
            What stands in for the database session, and the chat as an object without database; None if there is no
            chat.

        Raises:
            StaleDataError: The chat was deleted meanwhile, or the caller took longer than the lock holds and somebody
                else wrote.
        """
        async with self._turn(id):
            token = secrets.token_hex(8)
            with _outages():
                draft = await self._lock(id, token, keys)
            if draft is None:
                yield Draft(id, [None, 0, 0, []], ()), None
                return
            self._cache.forget_draft(id)
            try:
                draft.edited = draft.chat()
                yield draft, draft.edited
                with _outages():
                    state = await self._save(draft, draft.changes(), token)
            except BaseException:
                # If this fails as well, the lock ends by itself.
                with suppress(OpenWebUIPocketBaseError):
                    await self._unlock(id, token)
                raise
            if state is not None:
                raise StaleDataError(f"Chat {id} was changed by somebody else.")

    async def _lock(self, chat_id: str, token: str, keys: Collection[str] | None) -> Draft | None:
        delays = _delays()
        parameters = {**_of_messages(chat_id, keys), "token": token, "milliseconds": LEASE}
        while True:
            request = asyncio.ensure_future(self.pocketbase.write("chats/lock_chat", parameters))
            try:
                wire = await asyncio.shield(request)
            except asyncio.CancelledError:
                # The lock may be taken all the same: nobody else could write until it ends by itself.
                with suppress(OpenWebUIPocketBaseError):
                    await request
                    await self._unlock(chat_id, token)
                raise
            if wire == "gone":
                return None
            if wire == "locked":
                await asyncio.sleep(next(delays))
                continue
            return Draft(chat_id, wire, keys)

    async def _unlock(self, chat_id: str, token: str) -> None:
        await self.pocketbase.write("chats/unlock_chat", {"id": chat_id, "token": token})


@asynccontextmanager
async def _edited(draft: Draft) -> AsyncIterator[tuple[Any, Chat | None]]:
    """Give a draft and its chat to the caller, as `ChatWriter._locked` does; whoever has given the draft writes it."""
    draft.edited = None if draft.version is None else draft.chat()
    yield draft, draft.edited


def _of_messages(chat_id: str, keys: Collection[str] | None) -> dict[str, Any]:
    """Return the parameters that ask for a draft; see `Draft`."""
    return {"id": chat_id, "keys": None if keys is None else [f"{chat_id}-{key}" for key in keys]}


def _with_marks(changes: dict[str, Any]) -> dict[str, Any]:
    """Return what ``chats/save_chat`` is to write with marks for data URLs, and these."""
    found: dict[str, str] = {}

    def mark(fields: dict[str, Any]) -> dict[str, Any]:
        return marked("chat_message", fields, found)

    return {
        **changes,
        "changes": marked("chat", changes["changes"], found),
        "messages": [mark(fields) for fields in changes["messages"]],
        "updated": [{**group, "rows": [mark(row) for row in group["rows"]]} for group in changes["updated"]],
        "data_urls": found,
    }


def _size_of(changes: dict[str, Any]) -> int:
    """Return how many characters the texts have that marks are looked for in."""
    rows = [changes["changes"], *changes["messages"], *(row for group in changes["updated"] for row in group["rows"])]
    return sum(len(value) for row in rows for value in row.values() if isinstance(value, str))


def _delays() -> Iterator[float]:
    """Seconds between attempts to lock; those who wait do not try at the same time."""
    delay = 0.002
    while True:
        yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        delay = min(delay * 2, 0.1)
