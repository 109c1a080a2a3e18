"""What PocketBase's own realtime clients are told of writes of the adapter."""

from __future__ import annotations

import json
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from open_webui.models.chats import ChatForm
from open_webui.models.files import FileForm, FileUpdateForm
from open_webui.models.folders import FolderForm
from open_webui.models.groups import GroupForm

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import AdminClient, PocketBaseClient, Reply
from openwebui_pocketbase.exceptions import ResponseError
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.channel_messages import insert as insert_message
from tests.support.channel_messages import message
from tests.support.chats import CHAT, body
from tests.support.contracts import ours
from tests.support.differential import IDS
from tests.support.listening import Event, Listener, listening
from tests.support.pocketbase import PocketBaseProcess, clone

EVERYTHING = [f"{table.collection}/*" for table in TABLES.values()]
USER = SimpleNamespace(id="u1")

MESSAGE = IDS[-1]
"""Id of the message of a channel."""


class Recorded(PocketBaseClient):
    """Keeps the replies of its writes."""

    replies: list[Reply]

    async def submit(self, path: str, parameters: Any, **more: Any) -> Reply:
        reply = await super().submit(path, parameters, **more)
        self.replies.append(reply)
        return reply


def recorded(server: PocketBaseProcess) -> Recorded:
    client = server.client()
    client.__class__ = Recorded
    assert isinstance(client, Recorded)
    client.replies = []
    return client


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[Recorded]:
    client = recorded(own_pocketbase)
    yield client
    await client.aclose()


@pytest.fixture
def admin(own_pocketbase: PocketBaseProcess) -> Iterator[AdminClient]:
    with own_pocketbase.admin() as admin:
        yield admin


def new_row(table: str, **columns: Any) -> dict[str, Any]:
    return dict.fromkeys(column.name for column in TABLES[table].columns) | columns


def new_user(name: str) -> dict[str, Any]:
    return {"user": new_row("user", id=name, name=name, email=f"{name}@example.com")}


def new_tag(name: str) -> dict[str, Any]:
    return {"tag": {"id": name, "name": name, "user_id": "u1", "meta": None}}


def path_of(collection: str, id: str) -> str:
    return f"/api/collections/{collection}/records/{id}"


def net(admin: AdminClient, replies: list[Reply]) -> Counter[tuple[str, str, str]]:
    """Return what became of each record that each of these writes has changed: action, collection, id."""
    found: Counter[tuple[str, str, str]] = Counter()
    for reply in replies:
        if reply.first is None:
            continue
        span = f"seq BETWEEN {reply.first} AND {reply.last}"
        ops: dict[tuple[str, str], list[str]] = {}
        for change in admin.sql(f"SELECT collection, record_id, op FROM owui_changes WHERE {span} ORDER BY seq"):
            ops.setdefault((change["collection"], change["record_id"]), []).append(change["op"])
        for record, (first, *rest) in ops.items():
            last = rest[-1] if rest else first
            if (first, last) != ("create", "delete"):
                found["delete" if last == "delete" else first, *record] += 1
    return found


class Talk:
    """Writes, and what a listener to everything was told of each."""

    def __init__(self, client: Recorded, admin: AdminClient, listener: Listener) -> None:
        self.client = client
        self._admin = admin
        self._listener = listener
        self.known: dict[tuple[str, ...], dict[str, Any]] = {}

    def send(self, method: str, path: str, fields: dict[str, Any] | None = None) -> None:
        """Write as the dashboard does."""
        newest = "SELECT coalesce(max(seq), 0) AS seq FROM owui_changes"
        before, _, after = self._admin.sql(newest), self._admin.send(method, path, fields), self._admin.sql(newest)
        self.client.replies.append(Reply(None, int(before[0]["seq"]) + 1, int(after[0]["seq"])))

    def check(self, *wanted: tuple[str, str]) -> list[Event]:
        """See that exactly what was written is told, each record once and as it is, or as it was.

        Args:
            wanted: Action and collection of some of it.
        """
        events = self._listener.events()
        replies, self.client.replies = self.client.replies, []
        expected = net(self._admin, replies)
        assert Counter(event.key for event in events) == expected
        assert {(action, collection) for action, collection, _ in expected} >= {*wanted}
        for event in events:
            action, *record = event.key
            if action == "delete":
                assert event.record == self.known.pop(tuple(record))
            else:
                self.known[tuple(record)] = event.record
        for key, told in self.known.items():
            assert told == self._admin.send("GET", path_of(*key))
        return events


@pytest.fixture
def talk(own_pocketbase: PocketBaseProcess, client: Recorded, admin: AdminClient) -> Iterator[Talk]:
    with listening(own_pocketbase, *EVERYTHING) as listener:
        yield Talk(client, admin, listener)


@pytest.fixture
def chats(client: Recorded, may_create_chats: None) -> Any:
    chats = ours("Chats")["Chats"]()
    chats.pocketbase = client
    return chats


async def test_of_chats(talk: Talk, chats: Any) -> None:
    await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a", "b")))
    events = talk.check(("create", "owui_chats"), ("create", "owui_chat_messages"))
    assert len(events) == 3
    await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "b", {"content": "more"})
    talk.check(("update", "owui_chat_messages"))
    await chats.upsert_message_to_chat_by_id_and_message_id(CHAT, "c", {"parentId": "b", "content": "new"})
    talk.check(("create", "owui_chat_messages"))
    await chats.update_chat_title_by_id(CHAT, "Another title")
    (told,) = talk.check()
    assert (told.action, told.record["title"]) == ("update", "Another title")
    await chats.toggle_chat_pinned_by_id(CHAT)
    talk.check(("update", "owui_chats"))
    await chats.update_chat_tags_by_id(CHAT, ["One tag"], USER)
    talk.check(("update", "owui_chats"), ("create", "owui_tags"))
    await talk.client.write("chats/delete_chat_by_id", {"id": CHAT})
    talk.check(("delete", "owui_chats"), ("delete", "owui_chat_messages"))


async def test_of_messages_of_channels(talk: Talk) -> None:
    write = talk.client.write
    row = {name: getattr(message(0, "Hello"), name) for name in new_row("message")}
    await insert_message(talk.client, row)
    talk.check(("create", "owui_messages"))
    await write(
        "messages/update_is_pinned_by_id", {"id": MESSAGE, "changes": {"is_pinned": 1}, "nones": [], "columns": []}
    )
    talk.check(("update", "owui_messages"))
    reaction = {"user_id": "u1", "message_id": MESSAGE, "name": "ok"}
    record = codec_of("message_reaction").record(new_row("message_reaction", id=IDS[0], created_at=1, **reaction))
    await write("messages/add_reaction_to_message", {**reaction, "reactions": [record]})
    talk.check(("create", "owui_message_reactions"))
    await write("messages/remove_reaction", reaction)
    talk.check(("delete", "owui_message_reactions"))
    await write("messages/add_reaction_to_message", {**reaction, "reactions": [record]})
    await write("messages/delete_message_by_id", {"id": MESSAGE, "message_id": MESSAGE})
    talk.check(("delete", "owui_messages"), ("delete", "owui_message_reactions"))


async def test_of_users(talk: Talk) -> None:
    write = talk.client.write
    await write("users/insert_new_user", new_user("u1"))
    talk.check(("create", "owui_users"))
    await write("users/update_user_by_id", {"id": "u1", "changes": {"name": "Ada"}})
    (told,) = talk.check()
    assert (told.action, told.record["name"]) == ("update", "Ada")
    await write("users/update_user_by_id", {"id": "u1", "changes": {"email": "ada@example.com"}})
    (told,) = talk.check()
    assert (told.action, told.record["email"]) == ("update", "ada@example.com")
    await write("users/update_last_active_by_id", {"id": "u1", "last_active_at": 77})
    talk.check()
    await write("users/delete_user_by_id", {"id": "u1"})
    talk.check(("delete", "owui_users"))


async def test_of_records_that_pocketbase_saves_itself(talk: Talk) -> None:
    """Not twice, and what its cascades change with them neither."""
    await talk.client.write("tags/insert_new_tag", new_tag("t"))
    assert len(talk.check(("create", "owui_tags"))) == 1
    folders = ours("Folders")["Folders"]()
    folders.pocketbase = talk.client
    parent = await folders.insert_new_folder("u1", FolderForm(name="A"))
    child = await folders.insert_new_folder("u1", FolderForm(name="B"), parent.id)
    assert len(talk.check(("create", "owui_folders"))) == 2
    await folders.delete_folder_by_id_and_user_id(parent.id, "u1")
    assert {event.record["id"] for event in talk.check()} == {parent.id, child.id}
    groups = ours("Groups")["Groups"]()
    groups.pocketbase = talk.client
    group = await groups.insert_new_group("u1", GroupForm(name="G", description=""))
    await groups.add_users_to_group(group.id, ["u1", "u2"])
    assert len(talk.check(("create", "owui_group_members"), ("update", "owui_groups"))) == 4
    await groups.delete_group_by_id(group.id)
    assert len(talk.check(("delete", "owui_group_members"), ("delete", "owui_groups"))) == 3


async def test_of_files(talk: Talk) -> None:
    files = ours("Files")["Files"]()
    files.pocketbase = talk.client
    await files.insert_new_file("u1", FileForm(id=IDS[0], filename="a.txt", path="/a.txt"))
    await files.update_file_by_id(IDS[0], FileUpdateForm(data={"content": "text"}))
    talk.check(("create", "owui_files"), ("update", "owui_files"))
    await files.delete_file_by_id(IDS[0])
    talk.check(("delete", "owui_files"))


async def test_of_what_goes_with_a_record_that_is_deleted_in_the_dashboard(talk: Talk, chats: Any) -> None:
    await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a", "b")))
    await chats.update_chat_tags_by_id(CHAT, ["One tag"], USER)
    talk.check()
    tag = next(record[1] for record in talk.known if record[0] == "owui_tags")
    talk.send("DELETE", path_of("owui_tags", tag))
    assert len(talk.check(("delete", "owui_tags"), ("update", "owui_chats"))) == 2
    talk.send("DELETE", path_of("owui_chats", CHAT))
    assert len(talk.check(("delete", "owui_chats"), ("delete", "owui_chat_messages"))) == 3
    channel = {"id": CHAT, "user_id": "u1", "name": "general"}
    talk.send("POST", "/api/collections/owui_channels/records", channel)
    posted = {"id": MESSAGE, "user_id": "u1", "channel_id": CHAT, "content": "Hello"}
    talk.send("POST", "/api/collections/owui_messages/records", posted)
    reaction = {"id": IDS[0], "user_id": "u1", "message_id": MESSAGE, "name": "ok"}
    talk.send("POST", "/api/collections/owui_message_reactions/records", reaction)
    assert len(talk.check()) == 3
    talk.send("DELETE", path_of("owui_channels", CHAT))
    assert len(talk.check()) == 3


async def test_a_record_that_takes_the_place_of_another(own_pocketbase: PocketBaseProcess, client: Recorded) -> None:
    """PocketBase deletes the one and makes the other, and tells of both; nothing more is told."""
    with listening(own_pocketbase, *EVERYTHING) as listener:
        for number in range(2):
            key = new_row("api_key", id="key_u1", user_id="u1", key=f"sk-{number}", created_at=1, updated_at=1)
            await client.write("users/update_user_api_key_by_id", {"user_id": "u1", "api_key": key})
        told = listener.events()
    assert Counter(event.action for event in told) == {"create": 2, "delete": 1}


async def test_the_same_as_of_a_record_saved_over_the_api(
    own_pocketbase: PocketBaseProcess, admin: AdminClient, chats: Any
) -> None:
    topics = ["owui_chats/*", f"owui_chats/{CHAT}", "owui_chats", "owui_chats/other", "owui_tags/*"]
    (collection,) = {each["id"] for each in admin.collections().values() if each["name"] == "owui_chats"}
    with listening(own_pocketbase, *topics, f"{collection}/*") as listener:
        await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a")))
        assert {event.action for event in listener.events()} == {"create"}
        await chats.update_chat_title_by_id(CHAT, "A title")
        ours = by_topic(listener)
        admin.send("PATCH", path_of("owui_chats", CHAT), {"title": "A title"})
        theirs = by_topic(listener)
    assert set(ours) == {"owui_chats/*", f"owui_chats/{CHAT}", "owui_chats", f"{collection}/*"}
    changing = {"updated": "", "version": ""}  # of each write
    assert {topic: record | changing for topic, record in ours.items()} == {
        topic: record | changing for topic, record in theirs.items()
    }


def by_topic(listener: Listener) -> dict[str, dict[str, Any]]:
    events = listener.events()
    found = {event.topic: event.record for event in events if event.action == "update"}
    assert len(found) == len(events)
    return found


def options(**query: str) -> str:
    """Return a topic's options, as PocketBase's SDK sends them."""
    return "?" + str(httpx.QueryParams({"options": json.dumps({"query": query})}))


async def test_filters_fields_and_expanded_relations(own_pocketbase: PocketBaseProcess, chats: Any) -> None:
    filtered = "owui_chats/*" + options(filter="pinned = true", fields="id,collectionName,title")
    expanded = "owui_chats/*" + options(expand="tags")
    with listening(own_pocketbase, filtered, expanded, "owui_tags/*") as listener:
        await chats.insert_new_chat(CHAT, "u1", ChatForm(chat=body("a")))
        await chats.update_chat_tags_by_id(CHAT, ["One tag"], USER)
        told = [event for event in listener.events() if event.record["collectionName"] == "owui_chats"]
        assert {event.topic for event in told} == {expanded}
        assert [tag["name"] for tag in told[-1].record["expand"]["tags"]] == ["One tag"]
        await chats.toggle_chat_pinned_by_id(CHAT)
        shown = {"id": CHAT, "collectionName": "owui_chats", "title": "A chat"}
        assert (filtered, "update", shown) in listener.events()
        await chats.pocketbase.write("chats/delete_chat_by_id", {"id": CHAT})
        assert (filtered, "delete", shown) in listener.events()


async def test_guests_are_told_what_a_rule_allows(
    own_pocketbase: PocketBaseProcess, admin: AdminClient, client: Recorded
) -> None:
    with listening(own_pocketbase, "owui_users/*", is_guest=True) as guest:
        await client.write("users/insert_new_user", new_user("u1"))
        admin.send("PATCH", "/api/collections/owui_users", {"listRule": "name = 'open'"})
        await client.write("users/insert_new_user", new_user("closed"))
        await client.write("users/insert_new_user", new_user("open"))
        told = guest.first()
        assert told.record["name"] == "open"
        assert "email" not in told.record


async def test_a_write_that_fails_is_not_announced(own_pocketbase: PocketBaseProcess, client: Recorded) -> None:
    with listening(own_pocketbase, *EVERYTHING) as listener:
        await client.write("users/insert_new_user", new_user("u1"))
        assert len(listener.events()) == 1
        with pytest.raises(ResponseError):
            await client.write("users/insert_new_user", new_user("u1"))
        assert listener.events() == []


async def test_a_repeated_request_is_announced_once(own_pocketbase: PocketBaseProcess, admin: AdminClient) -> None:
    with listening(own_pocketbase, *EVERYTHING) as listener:
        key = {"Idempotency-Key": "a-key"}
        admin.send("POST", "/api/owui/users/insert_new_user", new_user("u1"), key)
        admin.send("POST", "/api/owui/users/update_user_by_id", {"id": "u1", "changes": {"name": "n"}}, key)
        assert [event.action for event in listener.events()] == ["create"]


async def test_writes_of_two_processes(own_pocketbase: PocketBaseProcess, talk: Talk) -> None:
    other = recorded(own_pocketbase)
    await talk.client.write("users/insert_new_user", new_user("u1"))
    await other.write("users/insert_new_user", new_user("u2"))
    talk.client.replies += other.replies
    assert len(talk.check()) == 2
    await other.aclose()


@contextmanager
def stuck(server: PocketBaseProcess, *topics: str) -> Iterator[None]:
    """Have a client that listens to topics, and reads nothing of what it is told."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /api/realtime HTTP/1.1\r\nHost: pocketbase\r\n\r\n")
        greeting = b""
        while not greeting.rstrip().endswith(b"}"):
            greeting += connection.recv(1000)
        client = json.loads(greeting.partition(b"data:")[2].splitlines()[0])["clientId"]
        wanted = {"clientId": client, "subscriptions": topics}
        headers = {"Authorization": server.login()}
        httpx.post(f"{server.url}/api/realtime", json=wanted, headers=headers).raise_for_status()
        yield


async def test_somebody_who_does_not_read_holds_nobody_up(own_pocketbase: PocketBaseProcess, client: Recorded) -> None:
    """Megabytes wait for a client that takes none; writes go on, and others are told."""
    with stuck(own_pocketbase, "owui_users/*"), listening(own_pocketbase, "owui_users/*", "owui_tags/*") as listener:
        await client.write("users/insert_new_user", new_user("u1"))
        for number in range(40):
            changes = {"bio": f"{number}" + "x" * 1_000_000}
            await client.write("users/update_user_by_id", {"id": "u1", "changes": changes})
        told = listener.events()
    assert Counter(event.action for event in told) == {"create": 1, "update": 40}


HOOKS = """
onRecordUpdate((e) => {
  console.log("a hook sees", e.record.getString("name"));
  if (e.record.getString("name") === "refused") {
    throw new BadRequestError("refused");
  }
  e.next();
}, "owui_users");
"""


@pytest.fixture
def server_with_hooks(prepared_pocketbase: Path, tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """A server with a hook of somebody else's."""
    hooks_dir = tmp_path / "hooks"
    shutil.copytree(HOOKS_DIR, hooks_dir)
    (hooks_dir / "theirs.pb.js").write_text(HOOKS)
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path), hooks_dir=hooks_dir)
    server.start()
    yield server
    server.stop()


async def test_hooks_of_others_run_while_somebody_listens(server_with_hooks: PocketBaseProcess) -> None:
    """Nobody listening, nothing is done; and who listens makes no write fail."""
    client = server_with_hooks.client()

    async def rename(name: str) -> None:
        await client.write("users/update_user_by_id", {"id": "u1", "changes": {"name": name}})

    await client.write("users/insert_new_user", new_user("u1"))
    await rename("first")
    with listening(server_with_hooks, "owui_tags/*") as listener:
        await rename("second")
        assert "a hook sees" not in server_with_hooks.log
        listener.subscribe(["owui_tags/*", "owui_users/*"])
        await rename("third")
        await rename("refused")
        assert [event.record["name"] for event in listener.events()] == ["third"]
    with server_with_hooks.admin() as admin:
        assert admin.sql("SELECT name FROM owui_users") == [{"name": "refused"}]
    lines = [line.partition("a hook sees ")[2] for line in server_with_hooks.log.splitlines() if "a hook" in line]
    assert lines == ["third", "refused"]
    await client.aclose()
