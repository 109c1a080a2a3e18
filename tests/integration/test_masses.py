"""Calls that change thousands of records: how many requests and records they are, and what others see in between."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from open_webui.models import groups as host_groups
from open_webui.models.groups import GroupForm

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.repositories.chats import PocketBaseChatMessages, PocketBaseChats
from openwebui_pocketbase.repositories.chats._parts import wire_of
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.schema.unmirrored import count_unmirrored
from tests.support.chats import chain, chat, columns_of, row
from tests.support.pocketbase import PocketBaseProcess, clone

MEMBERS = 1000
"""Memberships that begin, or end, in one transaction."""

SIGN_IN = 500
"""Groups that somebody joins, or leaves, in one transaction."""

STEP = 200
MESSAGES = 1000
"""Messages deleted in one step of a transaction, and in one transaction at most; fewer where steps are slow."""

CHATS = 500
"""Chats that are deleted in one transaction at most."""

SEARCH = "owui_chat_messages_search"


class Client:
    """Passes requests on, and notes of each write its method and number of changes, and the jobs to begin."""

    def __init__(self, client: PocketBaseClient) -> None:
        self.client = client
        self.written: list[tuple[str, int]] = []
        self.jobs: list[str] = []
        self.read = client.read
        self.read_bytes = client.read_bytes

    async def write(
        self, path: str, parameters: Mapping[str, Any], *, is_urgent: bool = True, is_large: bool = False
    ) -> Any:
        reply = await self.client.submit(path, parameters, is_large=is_large)
        changes = 0
        if reply.first is not None:
            assert reply.last is not None
            changes = reply.last - reply.first + 1
        self.written.append((path.partition("/")[2], changes))
        return reply.answer

    async def start_job(self, name: str) -> None:
        self.jobs.append(name)


@pytest.fixture
def own_pocketbase(prepared_pocketbase: Path, tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """A server of the test's own, whose job for what remains does not begin by itself."""
    hooks = shutil.copytree(HOOKS_DIR, tmp_path / "hooks") / "owui.pb.js"
    every_minute = 'cronAdd("owui_remains", "* * * * *"'
    assert every_minute in hooks.read_text()
    hooks.write_text(hooks.read_text().replace(every_minute, 'cronAdd("owui_remains", "0 0 30 2 *"'))
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path), hooks_dir=hooks.parent)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[Client]:
    client = own_pocketbase.client()
    yield Client(client)
    await client.aclose()


@pytest.fixture
def groups(client: Client, monkeypatch: pytest.MonkeyPatch) -> PocketBaseGroups:
    monkeypatch.setattr(host_groups, "refresh_group_sessions", lambda _users: asyncio.sleep(0))
    groups = PocketBaseGroups()
    groups.pocketbase = client
    return groups


@pytest.fixture
def chats(client: Client, monkeypatch: pytest.MonkeyPatch) -> PocketBaseChats:
    for name in ("_named_by_automations", "_forget_in_automations"):  # which are in SQL
        monkeypatch.setattr(f"openwebui_pocketbase.repositories.chats.delete.{name}", lambda *_: asyncio.sleep(0))
    chats = PocketBaseChats()
    chats.pocketbase = client
    return chats


def count(server: PocketBaseProcess, rest: str) -> int:
    with server.admin() as admin:
        return int(admin.sql(f"SELECT count(*) AS n FROM {rest}")[0]["n"])


async def fill(client: Client, user_id: str, *messages: int) -> list[str]:
    """Insert chats with so many messages, at once."""
    wires: dict[str, list[Any]] = {"chats": [], "messages": []}
    for number in messages:
        ids = [f"m{each}" for each in range(number)]
        made = chat(str(uuid4()), chain(*ids), user_id=user_id)
        rows = [row(made.id, each, user_id=user_id, role="assistant", model_id="m") for each in ids]
        for name, records in wire_of(columns_of(made), [*map(columns_of, rows)]).items():
            wires[name] += records
    await client.client.write("chats/insert_chats", wires)
    return [each["id"] for each in wires["chats"]]


def clear(server: PocketBaseProcess) -> None:
    """Have PocketBase delete what remains, and wait for it."""
    with server.admin() as admin:
        admin.send("POST", "/api/crons/owui_remains")
    until_locks(server, lambda number: not number)


def until_locks(server: PocketBaseProcess, are_so_many: Callable[[int], bool]) -> None:
    """Wait for so many chats of which something remains."""
    deadline = time.monotonic() + 30
    while not are_so_many(count(server, "owui_chat_locks")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Members of groups


async def test_many_members_are_a_few_statements_in_parts(
    client: Client, groups: PocketBaseGroups, own_pocketbase: PocketBaseProcess
) -> None:
    group = await groups.insert_new_group("u", GroupForm(name="g", description=""))
    assert group is not None
    people = [f"user {number:04}" for number in range(MEMBERS + 10)]
    client.written.clear()
    await groups.add_users_to_group(group.id, people)
    await groups.set_group_user_ids_by_id(group.id, [*people[10:], "another"])
    await groups.remove_users_from_group(group.id, people)
    assert client.written == [
        ("add_users_to_group", 1 + MEMBERS),
        ("add_users_to_group", 1 + 10),
        ("set_group_user_ids_by_id", 1 + 1 + 10),
        ("set_group_user_ids_by_id", 1),
        ("remove_users_from_group", 1 + MEMBERS - 10),
        ("remove_users_from_group", 1 + 10),
    ]
    assert await groups.get_group_user_ids_by_id(group.id) == ["another"]
    await groups.delete_group_by_id(group.id)
    assert count(own_pocketbase, "owui_group_members") == 0


@pytest.mark.parametrize("kept", [[], ["user 0500"], [f"user {number:04}" for number in range(5, 2105)]], ids=len)
async def test_others_leave_in_parts_wherever_their_ids_are(
    kept: list[str], client: Client, groups: PocketBaseGroups, own_pocketbase: PocketBaseProcess
) -> None:
    group = await groups.insert_new_group("u", GroupForm(name="g", description=""))
    assert group is not None
    former = ["", *(f"user {number:04}é" for number in range(MEMBERS + 10))]
    await groups.add_users_to_group(group.id, [*former, *kept[:3]])
    client.written.clear()
    await groups.set_group_user_ids_by_id(group.id, kept)
    assert await groups.get_group_user_ids_by_id(group.id) == kept
    assert max(changes for _, changes in client.written) <= 1 + 2 * MEMBERS
    assert sum(changes - 1 for _, changes in client.written) == len(former) + len(kept[3:])


async def test_a_large_group_loses_its_members_before_it_is_gone(
    client: Client, groups: PocketBaseGroups, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[str] = set()

    async def refresh(users: set[str]) -> None:
        told.update(users)

    monkeypatch.setattr(host_groups, "refresh_group_sessions", refresh)
    group = await groups.insert_new_group("u", GroupForm(name="g", description=""))
    assert group is not None
    people = [f"user {number:04}" for number in range(MEMBERS + 10)]
    await groups.add_users_to_group(group.id, people)
    client.written.clear()
    told.clear()
    await groups.delete_group_by_id(group.id)
    assert client.written == [("delete_group_by_id", MEMBERS), ("delete_group_by_id", 10 + 1)]
    assert told == set(people)
    assert count(own_pocketbase, "owui_group_members") == 0


async def test_what_was_broken_off_is_finished_by_the_same_call(
    client: Client, groups: PocketBaseGroups, own_pocketbase: PocketBaseProcess
) -> None:
    group = await groups.insert_new_group("u", GroupForm(name="g", description=""))
    assert group is not None
    people = [f"user {number:04}" for number in range(MEMBERS + 10)]
    await client.write("groups/add_users_to_group", {"id": group.id, "user_ids": people[:MEMBERS], "updated_at": 1})
    await groups.add_users_to_group(group.id, people)
    assert count(own_pocketbase, "owui_group_members") == len(people)


async def test_a_sign_in_with_many_groups_is_few_requests(client: Client, groups: PocketBaseGroups) -> None:
    names = [f"group {number}" for number in range(SIGN_IN + 100)]
    assert [group.name for group in await groups.create_groups_by_group_names("u", names)] == names
    assert max(changes for _, changes in client.written) <= 250
    client.written.clear()
    await groups.sync_groups_by_group_names("u1", names)
    await groups.sync_groups_by_group_names("u1", names[1:])
    await groups.sync_groups_by_group_names("u1", names[1:])
    # A membership and the time of its group; of those that stay nothing.
    numbers = (2 * SIGN_IN, 200, 2, 0)
    assert client.written == [("sync_groups_by_group_names", changes) for changes in numbers]
    client.written.clear()
    await groups.sync_groups_by_group_names("u1", [])
    assert [changes for _, changes in client.written] == [2 * SIGN_IN, 2 * 99]
    assert await groups.get_groups_by_member_id("u1") == []


async def test_a_name_that_is_given_twice_makes_two_groups(client: Client, groups: PocketBaseGroups) -> None:
    names = [f"group {number % 299}" for number in range(300)]
    assert [group.name for group in await groups.create_groups_by_group_names("u", names)] == names


async def test_of_large_writes_one_is_sent_at_a_time(
    own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = own_pocketbase.client()
    sent = most = 0
    attempt = client._attempt

    async def counted(*args: Any) -> bytes:
        nonlocal sent, most
        sent += 1
        most = max(most, sent)
        try:
            return await attempt(*args)
        finally:
            sent -= 1

    monkeypatch.setattr(client, "_attempt", counted)
    parameters = {"user_ids": ["u"], "updated_at": 1}
    for is_large, at_once in ((True, 1), (False, 8)):
        most = 0
        write = [client.write("groups/remove_user_from_all_groups", parameters, is_large=is_large) for _ in range(8)]
        await asyncio.gather(*write)
        assert most == at_once
    await client.aclose()


# Chats


async def test_a_long_chat_is_gone_at_once_and_its_messages_go_in_parts(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    short, long = await fill(client, "u1", 2, 2 * MESSAGES + 1)
    assert await chats.delete_chat_by_id(long)
    ((method, changes),) = client.written
    assert method == "delete_chat_by_id"
    assert 1 + STEP <= changes <= 1 + MESSAGES
    assert client.jobs == ["owui_remains"]
    assert await chats.get_chat_by_id(long) is None
    assert count(own_pocketbase, "owui_chat_messages") == 2 + 2 * MESSAGES + 1 - (changes - 1)
    clear(own_pocketbase)
    assert count(own_pocketbase, f"owui_chat_messages WHERE chat_id = '{short}'") == 2
    assert count(own_pocketbase, "owui_chat_messages") == 2


async def test_a_long_chat_that_is_deleted_in_the_dashboard(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    (long,) = await fill(client, "u1", MESSAGES + 1)
    with own_pocketbase.admin() as admin:
        admin.send("DELETE", f"/api/collections/owui_chats/records/{long}")
    assert count(own_pocketbase, "owui_chats") == 0
    assert 1 <= count(own_pocketbase, "owui_chat_messages") <= 1 + MESSAGES - STEP
    clear(own_pocketbase)
    assert count(own_pocketbase, "owui_chat_messages") == 0


async def test_a_short_chat_is_deleted_whole(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    (short,) = await fill(client, "u1", STEP - 1)
    assert await chats.delete_chat_by_id(short)
    assert client.jobs == []
    assert count(own_pocketbase, "owui_chat_messages") == count(own_pocketbase, "owui_chat_locks") == 0


@pytest.mark.parametrize("folder", [None, "f"])
async def test_many_chats_are_gone_before_their_messages(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess, folder: str | None
) -> None:
    await fill(client, "u1", *[2] * (CHATS + 10), 0)
    await fill(client, "u2", 2)
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chats SET folder_id = 'f'")
    if folder:
        assert await chats.delete_chats_by_user_id_and_folder_id("u1", folder)
    else:
        assert await chats.delete_chats_by_user_id("u1")
    # Of the feed: each chat, and none of their messages.
    parts = [changes for method, changes in client.written if "delete_chats_by" in method]
    assert sum(parts) == CHATS + 11
    assert 1 < len(parts) <= 6
    assert max(parts) <= CHATS
    assert client.jobs == ["owui_remains"]
    assert count(own_pocketbase, "owui_chat_messages") == 2 * (CHATS + 10) + 2
    assert count(own_pocketbase, "owui_chat_locks") == CHATS + 10
    clear(own_pocketbase)
    assert count(own_pocketbase, "owui_chat_messages") == 2


async def test_what_is_deleted_in_one_transaction_is_bounded_by_bytes_as_well(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    (long,) = await fill(client, "u1", 5)
    await fill(client, "u2", *[1] * 5)
    with own_pocketbase.admin() as admin:
        large = "json_quote(hex(zeroblob(5 << 20)))"  # 10 MB
        admin.sql(f"UPDATE owui_chat_messages SET content = {large} WHERE chat_id = '{long}'")
        admin.sql(f"UPDATE owui_chats SET chat = {large} WHERE user_id = 'u2'")
    assert await chats.delete_chat_by_id(long)
    assert await chats.delete_chats_by_user_id("u2")
    assert [changes for method, changes in client.written if method.startswith("delete_chat")] == [3, 2, 2, 1]


async def test_the_job_deletes_parts_and_tells_nobody_of_the_messages(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    await fill(client, "u1", *[1] * 10, MESSAGES, MESSAGES)
    await chats.delete_chats_by_user_id("u1")
    client.written.clear()
    part = {"token": "new-x", "ids": [], "inserted": []}
    while await client.write("chats/abandon_import", part):
        pass
    parts = [changes for _, changes in client.written]
    assert sum(parts) == 2 * MESSAGES + 10
    assert max(parts) <= MESSAGES
    of_messages = "owui_changes WHERE collection = 'owui_chat_messages' AND op = 'delete'"
    assert count(own_pocketbase, of_messages) == 2 * MESSAGES + 10
    assert count(own_pocketbase, f"{of_messages} AND concerned != ''") == 0


async def test_a_client_that_begins_the_job_does_not_wait_for_it(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    await fill(client, "u1", *[MESSAGES] * 5)
    await chats.delete_chats_by_user_id("u1")
    await asyncio.gather(*(client.client.start_job("owui_remains") for _ in range(5)))
    assert count(own_pocketbase, "owui_chat_messages") > MESSAGES
    until_locks(own_pocketbase, lambda number: not number)
    assert count(own_pocketbase, "owui_chat_messages") == 0


def test_the_job_begins_every_minute_by_itself(pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        assert {"id": "owui_remains", "expression": "* * * * *"} in admin.send("GET", "/api/crons")


async def test_a_job_that_cannot_be_begun_is_no_failure(
    client: Client, chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_name: str) -> None:
        raise UnavailableError("no", url="")

    monkeypatch.setattr(client, "start_job", fails)
    await fill(client, "u1", 1)
    assert await chats.delete_chats_by_user_id("u1")


async def test_what_remains_when_pocketbase_dies_goes_when_it_is_back(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    await fill(client, "u1", *[MESSAGES] * 5)
    await fill(client, "u2", 2)
    await chats.delete_chats_by_user_id("u1")
    await client.client.start_job("owui_remains")
    until_locks(own_pocketbase, lambda number: number < 5)
    own_pocketbase.kill()
    own_pocketbase.start()
    assert count(own_pocketbase, "owui_chat_messages") > 2
    clear(own_pocketbase)
    assert count(own_pocketbase, "owui_chat_messages") == 2


ZONE = {"zone": [[0, 0]], "size": 86400, "now": 2_000_000_000}
USAGE = (
    "get_chat_ids_by_model_id get_analytics_summary get_message_count_by_model get_model_analytics"
    " get_token_usage_by_model get_user_analytics get_message_count_by_user get_message_count_by_chat"
    " get_user_usage_summary get_user_first_message_created_at get_user_daily_usage get_user_top_models"
    " get_user_top_tools get_usage_over_time_by_model get_messages_by_user_id get_messages_by_model_id"
)
ROWS = "get_message_by_id has_unfinished_assistant_by_chat_id get_messages_by_chat_id get_messages_map_by_chat_id"
PAGE = {"skip": 0, "limit": 10}


async def seen(client: Client, chat_id: str) -> dict[str, Any]:
    """What all reads say that look at messages without their chats."""
    key = f"{chat_id}-m1"
    asked: dict[str, dict[str, Any]] = {
        **{f"chat_messages/{name}": {"user_id": "u1", "model_id": "m", **PAGE, **ZONE} for name in USAGE.split()},
        **{f"chat_messages/{name}": {"chat_id": chat_id, "id": key} for name in ROWS.split()},
        "chat_messages/get_keys_by_chat_id": {"chat_id": chat_id},
        "chats/get_draft": {"id": chat_id, "keys": None},
        "chats/get_draft of some": {"id": chat_id, "keys": [key]},
        "chats/get_message_by_id_and_message_id": {"id": chat_id, "message_id": "m1", "key": key},
        "chats/get_message_metadata": {"id": chat_id, "key": key, "name": "files"},
        "migrate/get_size_of_owui_chat_messages": {},
        "migrate/get_keys_of_owui_chat_messages": {"after": 0},
        "migrate/get_known_of_owui_chat_messages": {"keys": [[key]]},
        "migrate/get_rows_of_owui_chat_messages": {"keys": [[key]], "is_checked": False},
        "migrate/get_ids_of_messages_without_chat": {"after": ""},
        "migrate/get_chats_of_messages": {"keys": [[chat_id]]},
        "migrate/get_chats": {"keys": [[chat_id]], "is_checked": False},
    }
    return {path: await client.read(path.partition(" ")[0], parameters) for path, parameters in asked.items()}


async def test_nobody_sees_messages_of_deleted_chats(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    (chat_id,) = await fill(client, "u1", 3)
    with own_pocketbase.admin() as admin:
        admin.sql('UPDATE owui_chat_messages SET done = FALSE, output = \'[{"type":"function_call","name":"x"}]\'')
        before = await seen(client, chat_id)
        await chats.delete_chats_by_user_id("u1")
        assert count(own_pocketbase, "owui_chat_messages") == 3
        remaining = await seen(client, chat_id)
        assert count_unmirrored(admin, ["chats"]) == {}
        clear(own_pocketbase)
        assert remaining == await seen(client, chat_id)
    # There were none without a chat.
    assert [path for path in before if before[path] == remaining[path]] == ["migrate/get_ids_of_messages_without_chat"]


async def test_a_chat_with_the_id_of_a_deleted_one_has_none_of_its_messages(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    ids = await fill(client, "u1", *[3] * 4)
    await chats.delete_chats_by_user_id("u1")

    def wire(chat_id: str) -> dict[str, Any]:
        return wire_of(columns_of(chat(chat_id, chain("m1"), user_id="u2")), [])

    await client.write("chats/insert_chats", wire(ids[0]))
    token = "new-1"
    await client.write("chats/begin_import", {"token": token, "ids": [ids[1]], "milliseconds": 60_000})
    await client.write("chats/finish_import", {**wire(ids[1]), "token": token, "count": 1})
    with own_pocketbase.admin() as admin:
        admin.send("POST", "/api/collections/owui_chats/records", {"id": ids[2], "user_id": "u2", "title": "t"})
    clear(own_pocketbase)
    found = [await chats.get_chat_by_id(each) for each in ids]
    assert [each and [*each.chat.get("history", {}).get("messages", {})] for each in found] == [
        ["m1"],
        ["m1"],
        [],
        None,
    ]
    assert count(own_pocketbase, "owui_chat_messages") == 2


async def test_a_message_that_is_written_after_its_chat_was_deleted_stays(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """As in SQL, where nothing asks for the chat."""
    (chat_id,) = await fill(client, "u1", 3)
    await chats.delete_chats_by_user_id("u1")
    rows = PocketBaseChatMessages()
    rows.pocketbase = client
    await rows.upsert_message("m1", chat_id, "u1", {"role": "assistant", "content": "late", "done": True})
    clear(own_pocketbase)
    assert [each.content for each in await rows.get_messages_by_chat_id(chat_id)] == ["late"]


async def test_the_index_is_cleared_of_deleted_messages_later(
    client: Client, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """Merging the index takes five times as long as all the rest of a deletion."""
    await fill(client, "u1", 400)
    await fill(client, "u2", 400)
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chat_messages SET doc = -doc, waits = FALSE WHERE doc < 0")
        words = "INSERT INTO {0} (rowid, words) SELECT doc, 'some words ' || position FROM owui_chat_messages"
        admin.sql(words.format(SEARCH))

        def marked() -> int:
            return count(own_pocketbase, f"{SEARCH}_data WHERE id >= 1 << 53")

        def found() -> int:
            return count(own_pocketbase, f"{SEARCH} WHERE {SEARCH} MATCH 'some'")

        await chats.delete_chats_by_user_id("u1")
        clear(own_pocketbase)
        assert marked()
        assert found() == 400
        for rest in (400, 0):
            admin.send("POST", "/api/crons/owui_prune")
            deadline = time.monotonic() + 20
            while marked():
                assert time.monotonic() < deadline
            assert found() == rest
            await chats.delete_chats_by_user_id("u2")
            clear(own_pocketbase)
            assert found() == 0
