"""Calls that change thousands of rows, on one backend, while somebody else writes as well.

The name of a case, under ``do`` in a line of JSON, is answered by a line with what `bench.masses.Mass` has.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from itertools import count
from typing import Any

import uvloop
from open_webui.models.auths import Auths
from open_webui.models.chats import Chats
from open_webui.models.groups import GroupForm, Groups
from open_webui.models.tags import Tags
from open_webui.models.users import Users

from bench.chat_data import Chat
from bench.data import identifier
from bench.groups import load
from bench.groups.users import PASSWORD
from bench.measure import forget_garbage, percentile
from bench.operations import Item
from bench.stores import Store
from bench.worker import OPEN, claim_standard_output

PAUSE = 0.005
"""Seconds between two writes of somebody else."""

# The numbers in the names of the cases.
MEMBERS = 10_000
NAMES = 1_000
SIGN_INS = 20
NEWCOMERS, AT_ONCE = 500, 8

Call = Callable[[], Awaitable[Any]]


async def _group(name: str) -> str:
    group = await Groups.insert_new_group("admin", GroupForm(name=name, description=""))
    assert group is not None
    return str(group.id)


def _people(name: str, number: int) -> list[str]:
    return [identifier(f"{name} {each}") for each in range(number)]


async def _adding(_store: Store) -> Call:
    group, people = await _group("add"), _people("member", MEMBERS)
    return lambda: Groups.add_users_to_group(group, people)


async def _replacing(_store: Store) -> Call:
    group = await _group("replace")
    await Groups.add_users_to_group(group, _people("former", MEMBERS))
    return lambda: Groups.set_group_user_ids_by_id(group, _people("latter", MEMBERS))


async def _removing(_store: Store) -> Call:
    group, people = await _group("remove"), _people("member", MEMBERS)
    await Groups.add_users_to_group(group, people)
    return lambda: Groups.remove_users_from_group(group, people)


async def _deleting_group(_store: Store) -> Call:
    group = await _group("delete")
    await Groups.add_users_to_group(group, _people("member", MEMBERS))
    return lambda: Groups.delete_group_by_id(group)


async def _names() -> list[str]:
    names = [f"Synchronised {number}" for number in range(NAMES)]
    await Groups.create_groups_by_group_names("admin", names)
    return names


async def _creating(_store: Store) -> Call:
    names = [f"Created {number}" for number in range(NAMES)]
    return lambda: Groups.create_groups_by_group_names("admin", names)


async def _signing_in(_store: Store) -> Call:
    names = await _names()
    return lambda: Groups.sync_groups_by_group_names("somebody", names)


async def _signing_in_at_once(_store: Store) -> Call:
    names = await _names()

    async def sign_in(number: int) -> None:
        await Groups.sync_groups_by_group_names(f"new {number}", names)

    return lambda: asyncio.gather(*map(sign_in, range(SIGN_INS)), return_exceptions=True)


async def _in_turn(calls: Iterable[Callable[[], Awaitable[Any]]]) -> None:
    waiting = iter(calls)

    async def caller() -> None:
        for call in waiting:
            await call()

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


async def _signing_up(_store: Store) -> Call:
    def new(number: int) -> Call:
        return lambda: Auths.insert_new_auth(f"auth{number}@example.com", PASSWORD, f"Newcomer {number}")

    return lambda: _in_turn(map(new, range(NEWCOMERS)))


async def _inserting_users(_store: Store) -> Call:
    def new(number: int) -> Call:
        id_ = identifier(f"newcomer {number}")
        return lambda: Users.insert_new_user(id_, f"Newcomer {number}", f"user{number}@example.com")

    return lambda: _in_turn(map(new, range(NEWCOMERS)))


def _deleting(name: str, chats: int, messages: int) -> Callable[[Store], Coroutine[Any, Any, Call]]:
    async def prepare(store: Store) -> Call:
        user = identifier(name)

        def items() -> Iterator[Item]:
            return (Chat(user, number, messages).item for number in range(chats))

        await store.insert(load("chats"), items())
        await store.settle()
        if chats == 1:
            return lambda: Chats.delete_chat_by_id(Chat(user, 0).id)
        return lambda: Chats.delete_chats_by_user_id(user)

    return prepare


CASES: dict[str, Callable[[Store], Coroutine[Any, Any, Call]]] = {
    "add 10,000 members": _adding,
    "replace 10,000 members": _replacing,
    "remove 10,000 members": _removing,
    "delete a group of 10,000": _deleting_group,
    "create 1,000 groups": _creating,
    "sign in with 1,000 groups": _signing_in,
    "20 sign in with 1,000 groups": _signing_in_at_once,
    "500 users, 8 at a time": _inserting_users,
    "500 sign up, 8 at a time": _signing_up,
    "delete 20,000 chats of 2": _deleting("20000", 20000, 2),
    "delete a chat of 20,000": _deleting("long", 1, 20000),
}
"""Case -> what prepares it, and returns the call."""


async def _timed(call: Call) -> tuple[Any, float]:
    result = await call()
    return result, time.perf_counter()


async def _measure(store: Store, name: str) -> dict[str, Any]:
    for group in ("groups", "chats"):
        load(group).prepare()
    call = await CASES[name](store)
    forget_garbage()
    began = time.perf_counter()
    working = asyncio.ensure_future(_timed(call))
    meanwhile = await _waits(f"{name} {{}}", working)
    result, ended = await working
    # What it leaves to do makes nobody wait either.
    afterwards = await _waits(f"after {name} {{}}", asyncio.ensure_future(store.rest()))
    errors = sum(isinstance(each, Exception) for each in result) if isinstance(result, list) else 0
    p99 = max(percentile(waits, 99) for waits in (meanwhile, afterwards))
    return {"seconds": ended - began, "p99": p99, "errors": errors}


async def _waits(name: str, working: asyncio.Future[Any]) -> list[float]:
    """Return how long somebody else's writes took until something was done."""
    waits = []
    for number in count():
        start = time.perf_counter()
        await Tags.insert_new_tag(name.format(number), "other")
        waits.append(time.perf_counter() - start)
        if working.done():
            break
        await asyncio.sleep(PAUSE)
    return waits


def main(backend: str) -> None:
    """Answer each line until there are no more."""
    answers = claim_standard_output()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        store = runner.run(OPEN[backend]())
        try:
            for line in sys.stdin:
                measured = runner.run(_measure(store, json.loads(line)["do"]))
                print(json.dumps(measured), file=answers, flush=True)
        finally:
            runner.run(store.close())


if __name__ == "__main__":
    main(sys.argv[1])
