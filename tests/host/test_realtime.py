"""What open browsers hear of changes that others make in PocketBase, over its API as its dashboard does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.outside import PocketBase, id_of, request, settled
from tests.support.processes import eventually
from tests.support.sockets import Listener, listening

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

CHAT = {"chat": {"title": "A chat", "history": {"messages": {}, "currentId": None}, "messages": []}}
People = tuple[str, str, str]


@pytest.fixture
def pocketbase(embedded: OpenWebUI) -> PocketBase:
    return PocketBase(embedded)


@pytest.fixture
def mark() -> str:
    """Part of names that nobody else has."""
    return uuid.uuid4().hex[:8]


@pytest.fixture
def people(mark: str) -> People:
    """Names of people of this test: what was to be told a test before may come a second later."""
    return f"ann-{mark}", f"bob-{mark}", f"carl-{mark}"


@pytest.fixture
async def both(embedded: OpenWebUI, people: People) -> AsyncIterator[list[Listener]]:
    """Sockets of two people."""
    async with listening(embedded, *people[:2]) as listeners:
        yield listeners


@pytest.fixture
async def chat(embedded: OpenWebUI, people: People) -> str:
    return str((await request(embedded, people[0], "POST", "/api/v1/chats/new", CHAT))["id"])


async def test_a_chat_that_others_change(
    embedded: OpenWebUI, pocketbase: PocketBase, chat: str, both: list[Listener], people: People
) -> None:
    ann, bob = both
    await pocketbase.send("PATCH", "owui_chats", chat, title="By others")
    await ann.until(("chat:list", None), ("chat:reload", chat))
    found = await request(embedded, people[0], "GET", f"/api/v1/chats/{chat}")
    assert found["title"] == "By others"
    ann.forget()
    await pocketbase.send("DELETE", "owui_chats", chat)
    await ann.until(("chat:list", None), ("chat:reload", chat))
    await settled(pocketbase, bob, await id_of(embedded, people[1]))
    assert bob.heard == [("chat:tags", None)]


async def test_tags_and_folders(
    embedded: OpenWebUI, pocketbase: PocketBase, both: list[Listener], mark: str, people: People
) -> None:
    ann, bob = both
    user = await id_of(embedded, people[0])
    await pocketbase.send("POST", "owui_tags", key=mark, name=mark, user_id=user)
    await ann.until(("chat:tags", None))
    folder = await pocketbase.send("POST", "owui_folders", name=mark, user_id=user)
    await ann.until(("chat:list", None))
    ann.forget()
    # To somebody else: both see it.
    await pocketbase.send("PATCH", "owui_folders", folder["id"], user_id=await id_of(embedded, people[1]))
    await ann.until(("chat:list", None))
    await bob.until(("chat:list", None))
    bob.forget()
    await pocketbase.send("DELETE", "owui_folders", folder["id"])
    await bob.until(("chat:list", None))


@pytest.fixture
async def channel(embedded: OpenWebUI, mark: str, people: People) -> str:
    """A channel of Ann's and Bob's."""
    form = {"name": mark, "type": "group", "user_ids": [await id_of(embedded, people[1])]}
    return str((await request(embedded, people[0], "POST", "/api/v1/channels/create", form))["id"])


async def test_messages_in_a_channel(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, mark: str, people: People
) -> None:
    async with listening(embedded, *people) as (ann, bob, carl):
        user = await id_of(embedded, people[0])
        made = await pocketbase.send("POST", "owui_messages", channel_id=channel, user_id=user, content=mark)
        message = made["id"]
        for person in (ann, bob):
            await person.until(("message", message))
            event = person.events[-1]
            assert (event["data"]["data"]["content"], event["user"]["id"], event["channel"]["id"]) == (
                mark,
                user,
                channel,
            )
        reply = await pocketbase.send(
            "POST", "owui_messages", channel_id=channel, user_id=user, content="a reply", parent_id=message
        )
        await bob.until(("message", reply["id"]), ("message:reply", message))
        assert bob.events[-1]["data"]["data"]["reply_count"] == 1
        await pocketbase.send("PATCH", "owui_messages", message, content="edited")
        await bob.until(("message:update", message))
        assert bob.events[-1]["data"]["data"]["content"] == "edited"
        reaction = await pocketbase.send(
            "POST", "owui_message_reactions", message_id=message, user_id=user, name="tada"
        )
        await bob.until(("message:reaction:add", message))
        assert bob.events[-1]["data"]["data"]["name"] == "tada"
        await pocketbase.send("DELETE", "owui_message_reactions", reaction["id"])
        await bob.until(("message:reaction:remove", message))
        await pocketbase.send("DELETE", "owui_messages", message)
        await bob.until(("message:delete", message))
        await settled(pocketbase, carl, await id_of(embedded, people[2]))
        assert carl.heard == [("chat:tags", None)]


async def test_who_becomes_a_member_hears_and_who_is_none_any_more_does_not(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, mark: str, people: People
) -> None:
    async with listening(embedded, people[0], people[2]) as (ann, carl):
        carls = await id_of(embedded, people[2])
        made = await pocketbase.send(
            "POST", "owui_channel_members", channel_id=channel, user_id=carls, is_active=True, status="joined"
        )
        await carl.until(("channel:created", None))
        user = await id_of(embedded, people[0])
        first = await pocketbase.send("POST", "owui_messages", channel_id=channel, user_id=user, content=mark)
        await carl.until(("message", first["id"]))
        carl.forget()
        await pocketbase.send("DELETE", "owui_channel_members", made["id"])
        await carl.until(("channel:created", None))
        second = await pocketbase.send("POST", "owui_messages", channel_id=channel, user_id=user, content=mark)
        await ann.until(("message", second["id"]))
        await settled(pocketbase, carl, carls)
        assert carl.heard == [("channel:created", None), ("chat:tags", None)]


async def test_a_channel_that_is_deleted(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, both: list[Listener]
) -> None:
    await pocketbase.send("DELETE", "owui_channels", channel)
    for person in both:
        await person.until(("channel:created", None))


async def test_a_channel_without_grants(embedded: OpenWebUI, pocketbase: PocketBase, mark: str, people: People) -> None:
    """Its owner sees it, and so do administrators; nobody else does."""
    async with listening(embedded, *people[:2], "admin") as (ann, bob, admin):
        user = await id_of(embedded, people[0])
        made = await pocketbase.send("POST", "owui_channels", name=mark, user_id=user)
        for person in (ann, admin):
            await person.until(("channel:created", None))
            person.forget()
        message = await pocketbase.send("POST", "owui_messages", channel_id=made["id"], user_id=user, content=mark)
        await ann.until(("message", message["id"]))
        for person in (ann, admin):
            person.forget()
        await pocketbase.send("DELETE", "owui_channels", made["id"])
        for person in (ann, admin):
            await person.until(("channel:created", None))
        await settled(pocketbase, bob, await id_of(embedded, people[1]))
        assert bob.heard == [("chat:tags", None)]


async def test_access(embedded: OpenWebUI, pocketbase: PocketBase, mark: str) -> None:
    name = f"rt-{mark}"
    async with listening(embedded, name) as (dora,):
        user = await id_of(embedded, name)
        group = await pocketbase.send("POST", "owui_groups", name=mark, user_id=user)
        await pocketbase.send("POST", "owui_group_members", group_id=group["id"], user_id=user)
        await dora.until(("access:updated", None), ("disconnect", None))
    async with listening(embedded, name) as (dora,):
        await pocketbase.send("PATCH", "owui_groups", group["id"], permissions={"chat": {"delete": False}})
        await dora.until(("access:updated", None), ("disconnect", None))
    async with listening(embedded, name) as (dora,):
        await pocketbase.send("PATCH", "owui_users", user, bio="nothing that a socket was given for")
        await settled(pocketbase, dora, user)
        assert dora.heard == [("chat:tags", None)]
        await pocketbase.send("PATCH", "owui_users", user, role="admin")
        await dora.until(("access:updated", None), ("disconnect", None))


async def test_who_has_left_a_channel_stays_outside(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, mark: str, people: People
) -> None:
    """Whatever is edited; and what access is checked for comes before what is told."""
    async with listening(embedded, *people[:2]) as (ann, bob):
        (member,) = await pocketbase.sql(
            f"SELECT id FROM owui_channel_members WHERE channel_id = '{channel}' "
            f"AND user_id = '{await id_of(embedded, people[1])}'"
        )
        await pocketbase.send("PATCH", "owui_channel_members", member["id"], is_active=False, status="left")
        await bob.until(("channel:created", None))
        await pocketbase.send("PATCH", "owui_channels", channel, description=mark)
        await ann.until(("channel:created", None))
        user = await id_of(embedded, people[0])
        made = await pocketbase.send("POST", "owui_messages", channel_id=channel, user_id=user, content=mark)
        await ann.until(("message", made["id"]))
        await settled(pocketbase, bob, await id_of(embedded, people[1]))
        assert "message" not in dict(bob.heard)


async def test_groups_below_one_that_is_deleted(embedded: OpenWebUI, pocketbase: PocketBase, mark: str) -> None:
    name = f"rt-nested-{mark}"
    user = await id_of(embedded, name)
    top = await pocketbase.send("POST", "owui_groups", name=f"top {mark}", user_id=user)
    below = await pocketbase.send("POST", "owui_groups", name=mark, user_id=user, parent_group_id=top["id"])
    await pocketbase.send("POST", "owui_group_members", group_id=below["id"], user_id=user)
    changes: list[tuple[str, dict[str, Any]]] = [("PATCH", {"permissions": {}}), ("DELETE", {})]
    for method, columns in changes:
        async with listening(embedded, name) as (dora,):
            await pocketbase.send(method, "owui_groups", top["id"], **columns)
            await dora.until(("access:updated", None), ("disconnect", None))


async def test_a_session_that_is_ended(embedded: OpenWebUI, pocketbase: PocketBase, mark: str) -> None:
    name = f"rt-session-{mark}"
    async with listening(embedded, name) as (dora,):
        await pocketbase.send("PATCH", "owui_auths", await id_of(embedded, name), session_stamp=mark)
        await dora.until(("disconnect", None))


async def test_a_message_that_gets_another_author(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, both: list[Listener], mark: str, people: People
) -> None:
    ann, user = both[0], await id_of(embedded, people[0])
    made = await pocketbase.send("POST", "owui_messages", channel_id=channel, user_id=user, content=mark)
    await ann.until(("message", made["id"]))
    await pocketbase.send("PATCH", "owui_messages", made["id"], user_id=await id_of(embedded, people[1]))
    await ann.until(("message:update", made["id"]))
    assert ("message:delete", made["id"]) not in ann.heard


async def test_many_deletions_are_all_told(
    embedded: OpenWebUI, pocketbase: PocketBase, channel: str, both: list[Listener], people: People
) -> None:
    user = await id_of(embedded, people[0])
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    columns = "id, channel_id, user_id, content, created_at, updated_at"
    await pocketbase.sql(
        f"INSERT INTO owui_messages ({columns}) {numbers} SELECT '{channel[:8]}-' || i, '{channel}', '{user}', 'x', "
        "'1700000000000000000', '1700000000000000000' FROM n"
    )
    await both[0].until(("message", f"{channel[:8]}-300"))
    await pocketbase.sql(f"DELETE FROM owui_messages WHERE channel_id = '{channel}'")
    await both[0].until(*(("message:delete", f"{channel[:8]}-{number}") for number in range(1, 301)))


async def test_rows_that_nobody_can_understand(
    embedded: OpenWebUI, pocketbase: PocketBase, chat: str, both: list[Listener]
) -> None:
    """What comes behind them is told all the same."""
    await pocketbase.sql(
        "INSERT INTO owui_tags (id, key, name, user_id) VALUES ('odd', 'odd', 'x', CAST(x'ff41' AS TEXT))"
    )
    for concerned in ("{", "5", '["a","b"]', "null"):
        await pocketbase.sql(
            "INSERT INTO owui_changes (collection, record_id, op, at, concerned) "
            f"VALUES ('owui_chat_messages', 'x', 'strange', 'y', '{concerned}')"
        )
    await pocketbase.send("PATCH", "owui_chats", chat, title="Behind them")
    await both[0].until(("chat:reload", chat))
    await pocketbase.sql("DELETE FROM owui_tags WHERE id = 'odd'")


async def test_sql_of_other_programs(
    embedded: OpenWebUI, pocketbase: PocketBase, chat: str, both: list[Listener]
) -> None:
    await pocketbase.sql(f"UPDATE owui_chats SET title = 'By SQL' WHERE id = '{chat}'")
    await both[0].until(("chat:reload", chat))


async def test_what_the_application_does_itself_is_not_told_again(
    embedded: OpenWebUI, pocketbase: PocketBase, both: list[Listener], mark: str, people: People
) -> None:
    """The host's own events come, and nothing else."""
    ann = both[0]
    user = await id_of(embedded, people[0])
    await request(embedded, people[0], "POST", "/api/v1/folders/", {"name": mark})
    chat = (await request(embedded, people[0], "POST", "/api/v1/chats/new", CHAT))["id"]
    await request(embedded, people[0], "POST", f"/api/v1/chats/{chat}", {"chat": {"title": "Mine"}})
    await request(embedded, people[0], "POST", f"/api/v1/chats/{chat}/tags", {"name": mark})
    await request(embedded, people[0], "DELETE", f"/api/v1/chats/{chat}")
    await settled(pocketbase, ann, user)
    assert ann.heard == [("chat:tags", None)]


async def test_a_burst_is_told_in_few_events(
    embedded: OpenWebUI, pocketbase: PocketBase, chat: str, both: list[Listener], people: People
) -> None:
    user = await id_of(embedded, people[0])
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
    await pocketbase.sql(
        "INSERT INTO owui_changes (collection, record_id, op, at, concerned) "
        f"{numbers} SELECT 'owui_chats', '{chat}', 'update', 0, json_array('{user}') FROM n"
    )
    await both[0].until(("chat:reload", chat))
    await settled(pocketbase, both[0], user)
    assert len(both[0].heard) < 20


PIPE = """
class Pipe:
    def pipes(self):
        return [{"id": "a", "name": "first"}]

    def pipe(self, body):
        return ""
"""


async def test_code_that_others_change_is_loaded_anew(embedded: OpenWebUI, pocketbase: PocketBase, mark: str) -> None:
    """What offers models is asked for them when the list is read."""
    name = f"pipe_{mark}"
    form = {"id": name, "name": name, "content": PIPE.replace("first", f"first {mark}"), "meta": {"description": ""}}
    await request(embedded, "admin", "POST", "/api/v1/functions/create", form)
    await request(embedded, "admin", "POST", f"/api/v1/functions/id/{name}/toggle")

    def offered() -> list[str]:
        answer = embedded.request("admin", "GET", "/api/models").raise_for_status().json()
        return [model["name"] for model in answer["data"] if model["id"].startswith(f"{name}.")]

    assert await asyncio.to_thread(offered) == [f"first {mark}"]
    await pocketbase.send("PATCH", "owui_functions", name, content=PIPE.replace("first", f"second {mark}"))
    await asyncio.to_thread(eventually, lambda: offered() == [f"second {mark}"], "the new code runs")
    await pocketbase.send("DELETE", "owui_functions", name)


async def test_pocketbase_is_killed(
    embedded: OpenWebUI, pocketbase: PocketBase, chat: str, both: list[Listener]
) -> None:
    await asyncio.to_thread(embedded.kill_pocketbase)
    await pocketbase.send("PATCH", "owui_chats", chat, title="After the kill")
    await both[0].until(("chat:list", None), ("chat:reload", chat))
    assert ("disconnect", None) not in both[0].heard
