"""References that are relations in PocketBase: picked, expanded and deleted in the dashboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from open_webui.models import chat_messages, tags
from open_webui.models.chats import ChatForm, ChatImportForm
from open_webui.models.folders import FolderForm
from open_webui.models.groups import GroupForm

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import ResponseError
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from openwebui_pocketbase.schema.definitions import statements_of
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.chats import CHAT as C
from tests.support.chats import body
from tests.support.pocketbase import PocketBaseProcess

RECORDS = "/api/collections/{}/records"
CHATS, TAGS, FOLDERS = (RECORDS.format(f"owui_{name}") for name in ("chats", "tags", "folders"))
USER = SimpleNamespace(id="u1")


@pytest.fixture
def admin(own_pocketbase: PocketBaseProcess) -> Any:
    with own_pocketbase.admin() as admin:
        yield admin


@pytest.fixture
async def chats(own_pocketbase: PocketBaseProcess, may_create_chats: None) -> AsyncIterator[PocketBaseChats]:
    """The chat C of u1, with the tags "A b" and "c"."""
    client = own_pocketbase.client()
    chats = PocketBaseChats()
    chats.pocketbase = client
    given: dict[str, Any] = {"pocketbase": client}
    undo = [
        bind(tags, "Tags", "openwebui_pocketbase.repositories.tags:PocketBaseTags", given),
        bind(
            chat_messages,
            "ChatMessages",
            "openwebui_pocketbase.repositories.chats.message_rows:PocketBaseChatMessages",
            given,
        ),
    ]
    await chats.insert_new_chat(C, "u1", ChatForm(chat=body("a", "b")))
    await chats.update_chat_tags_by_id(C, ["A b", "c"], USER)
    yield chats
    for each in undo:
        each()
    await client.aclose()


def tag(admin: AdminClient, key: str, user: str = "u1") -> str:
    (row,) = admin.sql(f"SELECT id FROM owui_tags WHERE key = '{key}' AND user_id = '{user}'")
    return str(row["id"])


def entries(admin: AdminClient, after: int = 0) -> list[tuple[str, str]]:
    rows = admin.sql(f"SELECT collection, op FROM owui_changes WHERE seq > {after} ORDER BY seq")
    return [(row["collection"].removeprefix("owui_"), row["op"]) for row in rows]


def last(admin: AdminClient) -> int:
    return int(admin.sql("SELECT max(seq) AS seq FROM owui_changes")[0]["seq"])


async def names(chats: PocketBaseChats) -> list[str]:
    return [tag.name for tag in await chats.get_chat_tags_by_id_and_user_id(C, "u1")]


async def test_a_tag_is_picked_in_the_dashboard(chats: PocketBaseChats, admin: AdminClient) -> None:
    await chats.add_chat_tag_by_id_and_user_id_and_tag_name("x", "u1", "Third")
    new, old = tag(admin, "third"), tag(admin, "c")
    record = admin.send("PATCH", f"{CHATS}/{C}?expand=tags", {"tags+": new})
    assert [each["name"] for each in record["expand"]["tags"]] == ["A b", "c", "Third"]
    assert record["meta"]["tags"] == ["a_b", "c", "third"]
    assert await names(chats) == ["A b", "c", "Third"]
    assert [chat.id for chat in await chats.get_chat_list_by_user_id_and_tag_name("u1", "Third")] == [C]
    assert await chats.count_chats_by_tag_ids_and_user_id(["third", "c"], "u1") == {"third": 1, "c": 1}
    record = admin.send("PATCH", f"{CHATS}/{C}", {"tags-": old})
    assert record["meta"]["tags"] == ["a_b", "third"]
    assert await names(chats) == ["A b", "Third"]
    assert await chats.count_chats_by_tag_ids_and_user_id(["third", "c"], "u1") == {"third": 1, "c": 0}
    chat = await chats.get_chat_by_id(C)
    assert chat is not None
    assert chat.meta["tags"] == ["a_b", "third"]


async def test_chats_are_filtered_by_their_tags(chats: PocketBaseChats, admin: AdminClient) -> None:
    for name, number in [("A b", 1), ("c", 1), ("d", 0)]:
        found = admin.send("GET", f"{CHATS}?expand=tags&filter=tags.name%3F%3D%22{name.replace(' ', '%20')}%22")
        assert found["totalItems"] == number
    (record,) = admin.send("GET", f"{CHATS}?expand=tags&filter=tags.key%3F%3D%22c%22")["items"]
    assert [each["name"] for each in record["expand"]["tags"]] == ["A b", "c"]


async def test_a_chat_made_in_the_dashboard(chats: PocketBaseChats, admin: AdminClient) -> None:
    given = {"user_id": "u1", "title": "New", "chat": {"history": {}}, "tags": [tag(admin, "c")]}
    record = admin.send("POST", CHATS, given)
    assert record["meta"] == {"tags": ["c"]}
    assert await chats.count_chats_by_tag_ids_and_user_id(["c"], "u1") == {"c": 2}


async def test_tags_of_others_are_refused(chats: PocketBaseChats, admin: AdminClient) -> None:
    await chats.add_chat_tag_by_id_and_user_id_and_tag_name("x", "u2", "c")
    with pytest.raises(ResponseError) as caught:
        admin.send("PATCH", f"{CHATS}/{C}", {"tags+": tag(admin, "c", "u2")})
    assert caught.value.status == 400
    assert "tags" in caught.value.data
    assert await names(chats) == ["A b", "c"]


async def test_what_the_host_deletes_stays_in_meta(chats: PocketBaseChats, admin: AdminClient) -> None:
    """A tag without a record is named by `meta` only, as with stock; so PocketBase never has a dangling relation."""
    repository = PocketBaseTags()
    repository.pocketbase = chats.pocketbase
    await repository.delete_tag_by_name_and_user_id("c", "u1")
    record = admin.send("GET", f"{CHATS}/{C}")
    assert (record["tags"], record["meta"]["tags"]) == ([tag(admin, "a_b")], ["a_b", "c"])
    admin.send("PATCH", f"{CHATS}/{C}", {"title": "Renamed"})
    await repository.insert_new_tag("c", "u1")
    assert admin.send("GET", f"{CHATS}/{C}")["tags"] == [tag(admin, "a_b"), tag(admin, "c")]


async def test_a_renamed_tag(chats: PocketBaseChats, admin: AdminClient) -> None:
    """Its chats follow; and the name that it had is free."""
    admin.send("PATCH", f"{TAGS}/{tag(admin, 'c')}", {"key": "new", "name": "New"})
    assert await names(chats) == ["A b", "New"]
    await chats.add_chat_tag_by_id_and_user_id_and_tag_name(C, "u1", "c")
    assert await names(chats) == ["A b", "c", "New"]
    assert admin.send("GET", f"{CHATS}/{C}")["meta"]["tags"] == ["a_b", "new", "c"]


async def test_a_tag_without_an_id_gets_the_one_of_its_name(chats: PocketBaseChats, admin: AdminClient) -> None:
    made = admin.send("POST", TAGS, {"user_id": "u1", "name": "New Ö"})
    assert made["key"] == "new_ö"
    await chats.add_chat_tag_by_id_and_user_id_and_tag_name(C, "u1", "New Ö")
    assert [each["id"] for each in admin.send("GET", f"{CHATS}/{C}?expand=tags")["expand"]["tags"]].count(
        made["id"]
    ) == 1
    assert admin.send("PATCH", f"{TAGS}/{made['id']}", {"key": "", "name": "Old"})["key"] == "old"
    assert await names(chats) == ["A b", "c", "Old"]


async def test_deleting_a_tag_looks_at_its_chats_only(chats: PocketBaseChats, admin: AdminClient) -> None:
    """PocketBase itself would look through all chats: it would find the one that was hidden from our triggers."""
    await chats.insert_new_chat("d", "u1", ChatForm(chat=body("a", "b")))
    doomed = tag(admin, "c")
    trigger = next(sql for sql in statements_of(TABLES["chat"]) if "owui_chats_tags_relate " in sql)
    admin.sql("DROP TRIGGER owui_chats_tags_relate")
    admin.sql(f"UPDATE owui_chats SET tags = json_array('{doomed}') WHERE id = 'd'")
    admin.sql(trigger)
    before = last(admin)
    admin.send("DELETE", f"{TAGS}/{doomed}")
    assert admin.sql("SELECT id, tags FROM owui_chats ORDER BY id DESC") == [
        {"id": "d", "tags": f'["{doomed}"]'},
        {"id": C, "tags": f'["{tag(admin, "a_b")}"]'},
    ]
    assert entries(admin, before) == [("chats", "update"), ("tags", "delete")]
    assert await names(chats) == ["A b"]


async def test_an_administrators_own_relations_are_cleaned_up(chats: PocketBaseChats, admin: AdminClient) -> None:
    ids = {name: admin.collections()[f"owui_{name}"]["id"] for name in ("tags", "chats")}
    fields = [
        {"name": name, "type": "relation", "collectionId": collection, "cascadeDelete": name == "chats", "maxSelect": 1}
        for name, collection in ids.items()
    ]
    admin.import_collections([{"name": "bookmarks", "type": "base", "fields": fields}])
    bookmark = admin.send("POST", RECORDS.format("bookmarks"), {"tags": tag(admin, "c"), "chats": C})
    admin.send("DELETE", f"{TAGS}/{tag(admin, 'c')}")
    assert admin.send("GET", f"{RECORDS.format('bookmarks')}/{bookmark['id']}")["tags"] == ""
    assert await names(chats) == ["A b"]
    admin.send("DELETE", f"{CHATS}/{C}")
    assert admin.sql("SELECT id FROM bookmarks") == []


TRIGGERS = [sql for sql in statements_of(TABLES["chat"]) if sql.startswith("CREATE TRIGGER") and "owui_tags" in sql]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda sql: sql.split()[5])
def test_triggers_look_at_few_rows(trigger: str, fresh_pocketbase: PocketBaseProcess) -> None:
    """Each statement looks up the chat, or the chats of the tag, and their tags."""
    body = trigger[trigger.index(" BEGIN ") + 7 :].removesuffix(" END")
    statements = [re.sub(r"\b(?:NEW|OLD)\.(\w+)", "'x'", text) for text in body.split(";") if text.strip()]
    assert statements
    with fresh_pocketbase.admin() as admin:
        for statement in statements:
            steps = [row["detail"] for row in admin.sql(f"EXPLAIN QUERY PLAN {statement}")]
            scans = [step for step in steps if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
            assert not [step for step in scans if re.match(r"SCAN (t|o|owui_\w+)\b", step)], steps


async def test_each_write_is_entered_once(chats: PocketBaseChats, admin: AdminClient) -> None:
    counted = "CREATE TRIGGER counted_{0} AFTER {0} ON owui_chat_tags BEGIN INSERT INTO counted VALUES ('{0}'); END"
    admin.sql("CREATE TABLE counted (what TEXT)")
    admin.sql(
        "CREATE TRIGGER counted_tags AFTER UPDATE OF tags, meta ON owui_chats BEGIN INSERT INTO counted VALUES (1); END"
    )
    for operation in ("INSERT", "DELETE"):
        admin.sql(counted.format(operation))
    before = last(admin)
    await chats.upsert_message_to_chat_by_id_and_message_id(C, "b", {"content": "more"})
    await chats.update_chat_title_by_id(C, "New title")
    assert admin.sql("SELECT * FROM counted") == []
    assert set(entries(admin, before)) == {("chat_messages", "update"), ("chats", "update")}

    def since(what: str) -> list[tuple[str, str]]:
        nonlocal before
        found, before = entries(admin, before), last(admin)
        return found

    since("the messages")
    await chats.update_chat_tags_by_id(C, ["c", "d", "e"], USER)
    assert since("tags") == [("tags", "create"), ("tags", "create"), ("chats", "update"), ("tags", "delete")]
    await chats.add_chat_tag_by_id_and_user_id_and_tag_name(C, "u1", "f")
    assert since("a tag") == [("tags", "create"), ("chats", "update")]
    admin.send("PATCH", f"{CHATS}/{C}", {"tags-": tag(admin, "f")})
    assert since("in the dashboard") == [("chats", "update")]
    admin.send("PATCH", f"{CHATS}/{C}", {"meta": '{"tags":["d","c"]}'})
    assert since("meta in the dashboard") == [("chats", "update")]
    admin.sql("UPDATE owui_chats SET meta = '{}'")
    admin.sql(f"UPDATE owui_chats SET tags = json_array('{tag(admin, 'c')}')")
    assert since("SQL") == [("chats", "update")] * 2


async def test_new_chats_are_written_once(chats: PocketBaseChats, admin: AdminClient) -> None:
    before = last(admin)
    await chats.import_chats("u1", [ChatImportForm(chat=body("a"), meta={"tags": ["c", "unknown", "c", "a_b"]})])
    assert entries(admin, before).count(("chats", "create")) == 1
    assert ("chats", "update") not in entries(admin, before)
    (row,) = admin.sql(f"SELECT tags FROM owui_chats WHERE id != '{C}'")
    assert row["tags"] == f'["{tag(admin, "c")}","{tag(admin, "a_b")}"]'


async def test_a_chat_deleted_in_the_dashboard(chats: PocketBaseChats, admin: AdminClient) -> None:
    """Its messages and links go with it, as in Open WebUI."""
    record = admin.send("GET", f"{RECORDS.format('owui_chat_messages')}?expand=chat_id&perPage=1")["items"][0]
    assert record["expand"]["chat_id"]["id"] == C
    await chats.insert_shared_chat_by_chat_id(C)
    admin.send("DELETE", f"{CHATS}/{C}")
    for table in ("owui_chats", "owui_chat_messages", "owui_shared_chats", "owui_chat_tags"):
        assert admin.sql(f"SELECT * FROM {table}") == []
    assert await chats.get_chat_by_id(C) is None


async def test_folders_in_the_dashboard(own_pocketbase: PocketBaseProcess, admin: AdminClient) -> None:
    folders = PocketBaseFolders()
    folders.pocketbase = own_pocketbase.client()

    async def new(name: str, parent: str | None, user: str = "u1") -> str:
        folder = await folders.insert_new_folder(user, FolderForm(name=name), parent)
        assert folder is not None
        folder_id: str = folder.id
        return folder_id

    top = await new("top", None)
    middle = await new("middle", top)
    leaf, other = await new("leaf", middle), await new("other", middle, "u2")
    record = admin.send("GET", f"{FOLDERS}/{leaf}?expand=parent_id.parent_id")
    assert record["expand"]["parent_id"]["expand"]["parent_id"]["name"] == "top"

    admin.send("PATCH", f"{FOLDERS}/{leaf}", {"parent_id": ""})
    found = await folders.get_folder_by_id(leaf)
    assert found is not None
    assert found.parent_id is None
    admin.send("PATCH", f"{FOLDERS}/{leaf}", {"parent_id": middle})
    assert [folder.id for folder in await folders.get_folders_by_parent_id_and_user_id(middle, "u1")] == [leaf]

    # Those of others stay, without a parent, as in Open WebUI.
    admin.send("DELETE", f"{FOLDERS}/{top}")
    assert [folder.id for folder in await folders.get_folders_by_ids([top, middle, leaf, other])] == [other]
    found = await folders.get_folder_by_id(other)
    assert found is not None
    assert found.parent_id == middle
    await folders.pocketbase.aclose()


async def test_a_group_deleted_in_the_dashboard(own_pocketbase: PocketBaseProcess, admin: AdminClient) -> None:
    groups = PocketBaseGroups()
    groups.pocketbase = own_pocketbase.client()
    group = await groups.insert_new_group("u1", GroupForm(name="G", description=""))
    assert group is not None
    await groups.add_users_to_group(group.id, ["u1", "u2"])
    members = RECORDS.format("owui_group_members")
    (record, _) = admin.send("GET", f"{members}?expand=group_id")["items"]
    assert record["expand"]["group_id"]["name"] == "G"
    admin.send("DELETE", f"{RECORDS.format('owui_groups')}/{group.id}")
    assert admin.send("GET", members)["totalItems"] == 0
    await groups.pocketbase.aclose()


async def test_a_chat_with_tags_is_given_to_somebody_else(chats: PocketBaseChats, admin: AdminClient) -> None:
    """It loses them, as they are not that user's."""
    assert admin.send("PATCH", f"{CHATS}/{C}", {"user_id": "u2"})["tags"] == []


async def test_what_other_programs_do_to_tags_is_followed_soon(
    own_pocketbase: PocketBaseProcess, admin: AdminClient, chats: PocketBaseChats
) -> None:
    """A worker that waits for changes has the tags of chats set right."""
    admin.sql("INSERT INTO owui_tags (id, user_id, key) VALUES ('0123456789abcdef', 'u1', 'new')")
    admin.sql(f'UPDATE owui_chats SET meta = \'{{"tags":["new","c"]}}\' WHERE id = \'{C}\'')
    admin.sql("DELETE FROM owui_tags WHERE key = 'c'")
    assert admin.sql("SELECT chat_id, is_new FROM owui_stale_tags") == [{"chat_id": C, "is_new": "0"}]
    await chats.pocketbase.read("changes/get_changes", {"since": "0", "limit": 1, "wait": 0})
    assert admin.sql("SELECT * FROM owui_stale_tags") == []
    assert admin.sql(f"SELECT tags FROM owui_chats WHERE id = '{C}'") == [{"tags": '["0123456789abcdef"]'}]


@pytest.mark.parametrize(
    ("statement", "longest"),
    [
        ("INSERT INTO owui_tags (id, user_id, key) VALUES ('a', 'b', 'c')", 200),
        ("DELETE FROM owui_tags WHERE user_id = 'b' AND key = 'c'", 200),
        ("INSERT INTO owui_chats (id, meta) VALUES ('a', '{}')", 500),
        ("UPDATE owui_chats SET title = 'a' WHERE id = 'b'", 200),
        ("UPDATE owui_chat_messages SET entry = '{}' WHERE id = 'b'", 400),
    ],
)
def test_frequent_writes_are_not_compiled_with_long_triggers(admin: AdminClient, statement: str, longest: int) -> None:
    """SQLite compiles a statement with all triggers that it may set off, anew each time."""
    assert len(admin.sql(f"EXPLAIN {statement}")) < longest
