"""What a request reads of its user at its beginning: fewer requests to PocketBase, and the stock classes' answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from open_webui.models import groups as host_groups
from open_webui.models.groups import GroupForm, GroupUpdateForm

from openwebui_pocketbase import host_request
from openwebui_pocketbase.client.transport import Answer, Transport
from openwebui_pocketbase.host_request import HostRequest, serving
from tests.support.auths import clock_of_users
from tests.support.contracts import AUTHS, ours
from tests.support.differential import IDS, Opened, Pair

CONTRACT = replace(
    AUTHS,
    tables=(*AUTHS.tables, "group", "group_member"),
    bound=ours("Users", "Groups"),
    generated={"group_member": frozenset({"id"})},  # the stock class adds members in the order of a set
)
A, B = IDS[0:4:2]
"""Ids of the users that a test makes; the other ids are their session stamps."""

FEW = 10
"""So many groups are brought along."""

WITH_PERSON = "auths/get_auth_and_person_by_id"
GROUPS = "groups/get_inherited_groups_by_member_ids"
PERMISSIONS = {"workspace": {"models": True}, "n": 1.0}


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refresh(user_ids: Any) -> None:
        pass

    monkeypatch.setattr(host_groups, "refresh_group_sessions", refresh)


@pytest.fixture
async def pair(opened: Opened) -> AsyncIterator[Pair]:
    """A user with an API key, and another one."""
    async with opened(CONTRACT, "sqlite") as pair:
        with clock_of_users(pair):
            for address in ("a@x", "b@x"):
                await pair.call("insert_new_auth", address, "hash", "Name", rows=False)
            await pair.call("Users.update_user_settings_by_id", A, {"ui": {"x": [1]}}, rows=False)
            await pair.call("Users.update_user_api_key_by_id", A, "sk-a", rows=False)
            yield pair


@contextmanager
def request() -> Iterator[HostRequest]:
    """Be within a request to the host, as its middleware makes one."""
    begun = HostRequest()
    token = serving.set(begun)
    try:
        yield begun
    finally:
        serving.reset(token)
        begun.forget()


def paths(requests: list[bytes]) -> list[str]:
    """Return the methods that were called since the last time."""
    found = [head.split()[1].decode().removeprefix("/api/owui/") for head in requests]
    requests.clear()
    return found


async def join(pair: Pair, number: int, user: str = A) -> list[str]:
    """Make somebody a member of so many groups, each with another one above it; return all of them."""
    found = []
    for name in range(number):
        parent = await pair.call("Groups.insert_new_group", B, GroupForm(name=f"p{name}", description=""), rows=False)
        form = GroupForm(name=f"{name}", description="", parent_group_id=parent.id, permissions=PERMISSIONS)
        group = await pair.call("Groups.insert_new_group", B, form, rows=False)
        await pair.call("Groups.add_users_to_group", group.id, [user], rows=False)
        found += [group.id, parent.id]
    return found


async def read(pair: Pair, first: tuple[Any, ...] = ("get_auth_by_id", A), times: int = 2) -> None:
    """Read as the host does at the beginning of a request; every answer is compared."""
    await pair.call(*first, rows=False)
    await pair.call("Users.get_user_by_id", A, rows=False)
    for _ in range(times):
        await pair.call("Groups.get_groups_by_member_id", A, include_inherited=True, rows=False)


@pytest.mark.parametrize("number", [0, 1, FEW // 2, FEW // 2 + 1, 3 * FEW])
@pytest.mark.parametrize(
    ("first", "path"),
    [(("get_auth_by_id", A), WITH_PERSON), (("Users.get_user_by_api_key", "sk-a"), "users/get_person_by_api_key")],
)
async def test_the_first_read_answers_those_behind_it(
    pair: Pair, requests: list[bytes], first: tuple[Any, ...], path: str, number: int
) -> None:
    """Many groups are not brought along, and asked for once."""
    await join(pair, number)
    requests.clear()
    with request():
        await read(pair, first)
    assert paths(requests) == [path, *([GROUPS] if 2 * number > FEW else [])]


async def test_each_request_reads_anew(pair: Pair, requests: list[bytes]) -> None:
    """So it sees what was changed before it began."""
    (group, _) = await join(pair, 1)
    for change in [
        ("Users.update_user_role_by_id", A, "admin"),
        ("Groups.update_group_by_id", group, GroupUpdateForm(name="x", description="", permissions={"a": 1})),
        ("Groups.remove_users_from_group", group, [A]),
        ("update_email_by_id", A, "other@x"),
        ("delete_auth_by_id", A),
    ]:
        await pair.call(*change, rows=False)
        requests.clear()
        with request():
            await read(pair)
        assert paths(requests) == [WITH_PERSON]


async def test_nobody(pair: Pair, requests: list[bytes]) -> None:
    requests.clear()
    for nobody in ("nobody", "", None):
        with request():
            await pair.call("get_auth_by_id", nobody, rows=False)
            await pair.call("Users.get_user_by_id", nobody, rows=False)
    for key in ("", "SK-A", None):
        with request():
            await pair.call("Users.get_user_by_api_key", key, rows=False)
            await pair.call("Users.get_user_by_api_key", key, rows=False)
    assert paths(requests) == [WITH_PERSON] * 3 + ["users/get_person_by_api_key"] * 6


async def test_other_questions_are_asked(pair: Pair, requests: list[bytes]) -> None:
    """Of other users, of direct memberships, and of the credentials themselves."""
    await join(pair, 1)
    requests.clear()
    with request():
        await read(pair)
        assert paths(requests) == [WITH_PERSON]
        await pair.call("Users.get_user_by_id", B, rows=False)
        await pair.call("Groups.get_groups_by_member_id", A, rows=False)
        await pair.call("Groups.get_groups_by_member_id", B, include_inherited=True, rows=False)
        await pair.call("Groups.get_groups_by_member_ids", [A, B], include_inherited=True, rows=False)
        await pair.call("get_auth_by_id", A, rows=False)
        await pair.call("get_auth_by_id", B, rows=False)
        await pair.call("Users.get_user_by_api_key", "sk-b", rows=False)
        await pair.call("Users.get_user_by_id", A, rows=False)
    assert paths(requests) == [
        "users/get_user_by_id",
        "groups/get_groups_by_member_ids",
        GROUPS,
        GROUPS,
        "auths/get_auth_by_id",
        "auths/get_auth_by_id",
        "users/get_user_by_api_key",
        "users/get_user_by_id",
    ]


async def test_the_user_is_given_once(pair: Pair, requests: list[bytes]) -> None:
    """A function that the request runs may change the user over Open WebUI's own API, which is another request."""
    requests.clear()
    with request():
        await read(pair)
        token = serving.set(None)
        await pair.call("Users.update_user_settings_by_id", A, {"ui": {"x": [2]}}, rows=False)
        serving.reset(token)
        requests.clear()
        await pair.call("Users.get_user_by_id", A, rows=False)
    assert paths(requests) == ["users/get_user_by_id"]


async def test_each_caller_gets_objects_of_its_own(pair: Pair) -> None:
    """The host may change what it gets."""
    await join(pair, 1)
    users, groups = (pair._of(f"{name}.x")[1] for name in ("Users", "Groups"))
    with request():
        await pair.call("get_auth_by_id", A, rows=False)
        with pair.bound():
            (await users.get_user_by_id(A)).settings.ui["x"].append(2)
            assert (await users.get_user_by_id(A)).settings.ui["x"] == [1]
            for group in await groups.get_groups_by_member_id(A, include_inherited=True):
                group.permissions = (group.permissions or {}).update(a=1)
            (await groups.get_groups_by_member_id(A, include_inherited=True)).clear()
        await pair.call("Groups.get_groups_by_member_id", A, include_inherited=True, rows=False)


@pytest.mark.parametrize("is_task", [False, True])
@pytest.mark.parametrize(
    "write",
    [
        ("Users.update_user_role_by_id", A, "admin"),
        ("Users.update_user_role_by_id", B, "admin"),
        ("Users.update_user_by_id", A, {"email": "b@x"}),  # which fails
        ("Groups.insert_new_group", B, GroupForm(name="new", description="")),
    ],
)
async def test_whoever_writes_reads_anew(
    pair: Pair, requests: list[bytes], write: tuple[Any, ...], is_task: bool
) -> None:
    await join(pair, 1)
    with request():
        await read(pair)
        written = pair.call(*write, rows=False)
        await (asyncio.create_task(written) if is_task else written)
        requests.clear()
        await pair.call("Users.get_user_by_id", A, rows=False)
        await pair.call("Groups.get_groups_by_member_id", A, include_inherited=True, rows=False)
        await pair.call("get_auth_by_id", A, rows=False)
    assert paths(requests) == ["users/get_user_by_id", GROUPS, "auths/get_auth_by_id"]


async def test_an_answer_from_before_the_own_write_is_not_kept(
    pair: Pair, requests: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, go_on = asyncio.Event(), asyncio.Event()
    send = Transport.send

    async def slowly(self: Transport, head: bytes, body: bytes, **more: bool) -> Answer:
        answer = await send(self, head, body, **more)
        if WITH_PERSON.encode() in head:
            answered.set()
            await go_on.wait()
        return answer

    monkeypatch.setattr(Transport, "send", slowly)
    with request():
        users = pair._of("Users.x")[1]
        with pair.bound():
            reading = asyncio.create_task(pair.subject.get_auth_by_id(A))
            await answered.wait()
            await users.update_user_role_by_id(A, "admin")
            go_on.set()
            assert (await reading).id == A
            assert (await users.get_user_by_id(A)).role == "admin"


async def test_when_somebody_was_active_is_no_reason_to_read_anew(pair: Pair, requests: list[bytes]) -> None:
    """Though it is there behind that: with an API key the host waits for it."""
    requests.clear()
    with request():
        await pair.call("Users.get_user_by_api_key", "sk-a", rows=False)
        await pair.call("Users.update_last_active_by_id", A, rows=False)
        await pair.call("Users.get_user_by_id", A)
    assert paths(requests) == ["users/get_person_by_api_key", "users/update_last_active_by_id"]


async def test_nothing_is_kept_for_long(pair: Pair, requests: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    requests.clear()
    with request():
        await pair.call("get_auth_by_id", A, rows=False)
        monkeypatch.setattr(host_request, "FRESH", 0.0)
        await pair.call("Users.get_user_by_id", A, rows=False)
        await pair.call("get_auth_by_id", A, rows=False)
    assert paths(requests) == [WITH_PERSON, "users/get_user_by_id", WITH_PERSON]


async def test_what_a_request_leaves_behind_reads_by_itself(pair: Pair, requests: list[bytes]) -> None:
    """As what runs without a request does."""
    ended = asyncio.Event()

    async def left_behind() -> None:
        await ended.wait()
        await read(pair, times=1)

    requests.clear()
    with request():
        await pair.call("get_auth_by_id", A, rows=False)
        task = asyncio.create_task(left_behind())
        await asyncio.sleep(0)
    ended.set()
    await task
    alone = ["auths/get_auth_by_id", "users/get_user_by_id", GROUPS]
    assert paths(requests) == [WITH_PERSON, *alone]
    await read(pair, times=1)
    assert paths(requests) == alone


async def test_groups_in_the_sql_database_are_left_to_it(opened: Opened, requests: list[bytes]) -> None:
    contract = replace(CONTRACT, tables=AUTHS.tables, bound=ours("Users"))
    async with opened(contract, "sqlite") as pair:
        with clock_of_users(pair):
            await pair.call("insert_new_auth", "a@x", "hash", "Name", rows=False)
        requests.clear()
        with request():
            await pair.call("get_auth_by_id", A, rows=False)
            assert serving.get().kept.groups is None  # type: ignore[union-attr]
            await pair.call("Users.get_user_by_id", A, rows=False)
        assert paths(requests) == [WITH_PERSON]
