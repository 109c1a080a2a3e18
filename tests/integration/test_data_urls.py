"""Data URLs of chats: each is stored once, goes in small requests, stays as long as somebody has it, and no longer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.chats import ChatForm, ChatImportForm

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.client import data_urls as of_client
from openwebui_pocketbase.data_urls import LARGE, PREFIX, marked
from openwebui_pocketbase.exceptions import InvalidRequestError, UnavailableError
from openwebui_pocketbase.migrate.pocketbase.records import encoded
from openwebui_pocketbase.repositories.chats import PocketBaseChats, _parts, _transaction
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from tests.support.chats import body, chain, key
from tests.support.pocketbase import PocketBaseProcess
from tests.support.processes import eventually

MEGABYTE = 1 << 20


class Counting(PocketBaseClient):
    """Notes what is sent, and how many bytes of it, and what comes."""

    sent: list[tuple[str, int, int]]
    longest_headers = 0

    async def _attempt(self, method: str, path: str, content: bytes, headers: str, *more: Any) -> bytes:
        self.longest_headers = max(self.longest_headers, len(headers))
        answer = await super()._attempt(method, path, content, headers, *more)
        self.sent.append((path.removeprefix("/api/owui/"), len(content), len(answer)))
        return answer

    @property
    def paths(self) -> list[str]:
        paths = [path for path, _, _ in self.sent]
        self.sent.clear()
        return paths


@pytest.fixture
async def client(own_pocketbase: PocketBaseProcess) -> AsyncIterator[Counting]:
    made = own_pocketbase.client(retry=1.0)
    made.__class__ = Counting
    assert isinstance(made, Counting)
    made.sent = []
    yield made
    await made.aclose()


@pytest.fixture
def chats(client: Counting, may_create_chats: None) -> PocketBaseChats:
    chats = PocketBaseChats()
    chats.pocketbase = client
    return chats


def url(letter: str, size: int = LARGE) -> str:
    return f"data:image/png;base64,{letter * size}"


def of(*urls: str, ids: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    """A chat as browsers save it, whose first message has these pictures."""
    messages = chain(*ids)
    messages["a"]["files"] = [{"type": "image", "url": each} for each in urls]
    return body(history={"messages": messages, "currentId": ids[-1]}, messages=[*messages.values()])


async def add_parts(client: Counting, *parts: tuple[str, int, int, str]) -> None:
    await client._write_as_is("data_urls/add_parts", of_client.body_of(parts))


def count(server: PocketBaseProcess, table: str) -> int:
    with server.admin() as admin:
        return int(admin.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def prune(server: PocketBaseProcess, *, seen: bool = False) -> None:
    """Run the job of PocketBase that deletes what nobody has, and again an hour later unless all was seen just now."""
    run_job(server)
    if not seen:
        with server.admin() as admin:
            admin.sql("UPDATE owui_data_urls SET seen = 1")
        run_job(server)


def run_job(server: PocketBaseProcess) -> None:
    with server.admin() as admin:
        # Its former run may not have ended: what is looked at last, and then what is deleted in one step with the rest.
        for insert, table in (
            ("(owner, since, version) VALUES ('~', 1, 1)", "owui_data_url_unsure WHERE owner = '~'"),
            ("(name, part, parts, at, text) VALUES ('~', 0, 2, 1, '')", "owui_data_url_parts WHERE name = '~'"),
        ):
            admin.sql(f"INSERT INTO {table.partition(' ')[0]} {insert}")
            admin.send("POST", "/api/crons/owui_prune")
            eventually(lambda table=table: not admin.sql(f"SELECT 1 FROM {table}"), "the job has run")  # type: ignore[misc]


async def test_each_is_stored_once(client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess) -> None:
    pictures = [url(letter, MEGABYTE // 3) for letter in "xy"]
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(*pictures, pictures[0])))
    assert client.paths == ["data_urls/get_key", "data_urls/add_parts", "chats/insert_chats"]
    await chats.import_chats("u2", [ChatImportForm(chat=of(*pictures)) for _ in range(5)])
    assert client.paths == ["chats/insert_chats"]
    assert count(own_pocketbase, "owui_data_urls") == len(pictures)
    with own_pocketbase.admin() as admin:
        size = "SELECT sum(octet_length(chat)) + (SELECT sum(octet_length(entry) + octet_length(files)) FROM"
        (row,) = admin.sql(f"{size} owui_chat_messages) AS n FROM owui_chats")
    assert int(row["n"]) < 6 * 4000


async def test_requests_are_small(client: Counting, chats: PocketBaseChats) -> None:
    """However large a picture is; and what is there is neither sent nor fetched again."""
    picture = url("x", 20 * MEGABYTE)
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(picture)))
    assert max(sent for _, sent, _ in client.sent) < 5 * MEGABYTE
    assert client.paths == [
        "data_urls/get_key", "data_urls/find_missing", *["data_urls/add_parts"] * 6, "chats/insert_chats",
    ]  # fmt: skip
    chat = await chats.get_chat_by_id(key(1))
    assert chat is not None
    assert chat.chat == of(picture)
    assert max(came for _, _, came in client.sent) < 13 * MEGABYTE
    assert client.paths == ["chats/get_chat_by_id", *["data_urls/get_parts"] * 3]
    await chats.update_chat_title_by_id(key(1), "another")
    await chats.toggle_chat_pinned_by_id(key(1))
    await chats.add_message_status_to_chat_by_id_and_message_id(key(1), "b", {"description": "a step"})
    assert sum(sent + came for _, sent, came in client.sent) < 20_000
    assert "data_urls/get_parts" not in client.paths


async def test_an_import_has_few_of_them_in_memory(
    client: Counting, chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Besides those that it was given: a part has some, and the next ones are made ready while it is sent."""
    monkeypatch.setattr(_parts, "DATA_URLS", 3 * LARGE)
    forms = [ChatImportForm(chat=of(url(letter))) for letter in "abcdefgh"]
    await chats.import_chats("u1", forms)
    sent = client.paths
    assert sent.count("chats/insert_chats") >= 4
    assert sent.index("chats/insert_chats") < sent.index("data_urls/add_parts", 3)
    found = await chats.get_chats_by_user_id("u1")
    assert sorted(str(each.chat["history"]["messages"]["a"]["files"]) for each in found.items) == sorted(
        str(form.chat["history"]["messages"]["a"]["files"]) for form in forms
    )


async def test_they_stay_as_long_as_somebody_has_them(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    shared = PocketBaseSharedChats()
    shared.pocketbase = client
    for number in (1, 2):
        await chats.insert_new_chat(key(number), "u1", ChatForm(chat=of(url("x"))))
    await chats.insert_new_chat(key(3), "u1", ChatForm(chat=of(url("y"))))
    snapshot = await shared.create(key(3), "u1")
    assert snapshot is not None

    await client.write("chats/delete_chat_by_id", {"id": key(1)})
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_urls") == 2
    for number, letter in ((2, "x"), (3, "y")):
        chat = await chats.get_chat_by_id(key(number))
        assert chat is not None
        assert chat.chat == of(url(letter))

    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chats SET chat = '{}'")  # the list of messages
        admin.sql(f"UPDATE owui_chat_messages SET entry = '{{}}', files = '' WHERE chat_id = '{key(2)}'")
        admin.sql(f"DELETE FROM owui_chat_messages WHERE chat_id = '{key(3)}'")
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_urls") == 1  # the snapshot's
    found = await shared.get_by_id(snapshot.id)
    assert found is not None
    assert found.chat["history"]["messages"]["a"]["files"][0]["url"] == url("y")
    await shared.delete_by_id(snapshot.id)
    prune(own_pocketbase, seen=True)
    assert count(own_pocketbase, "owui_data_urls") == 1  # somebody may be about to use it
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_urls") == count(own_pocketbase, "owui_data_url_parts") == 0
    assert count(own_pocketbase, "owui_data_url_uses") == count(own_pocketbase, "owui_data_url_unsure") == 0


async def test_json_that_was_never_set_hides_no_mark(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """PocketBase's JSON fields are NULL until then, as in records that were made over its API."""
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    with own_pocketbase.admin() as admin:
        admin.sql("DELETE FROM owui_data_url_unsure")
        admin.sql("UPDATE owui_chats SET chat = '{}'")
        admin.sql("UPDATE owui_chat_messages SET output = NULL, sources = NULL")
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_url_uses") == 1
    assert count(own_pocketbase, "owui_data_urls") == 1


async def test_any_number_goes_through_a_proxy(client: Counting, chats: PocketBaseChats) -> None:
    """A proxy refuses headers of more than some kilobytes."""
    urls = [url(f"{number:x}") for number in range(300)]
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(*urls)))
    assert client.longest_headers < 1000
    chat = await chats.get_chat_by_id(key(1))
    assert chat is not None
    assert chat.chat == of(*urls)


async def test_what_was_never_complete_goes(client: Counting, own_pocketbase: PocketBaseProcess) -> None:
    await add_parts(client, ("0" * 40, 0, 2, "data:"))
    assert await client.write("data_urls/find_missing", {"names": ["0" * 40]}) == ["0" * 40]
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_data_url_parts SET at = 1")
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_url_parts") == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"parts":[{"name":"n","part":0,"parts":1,"length":5}],\n"text":"data"}',
        b'{"parts":[{"name":"n","part":0,"parts":1,"length":3}],\n"text":"data"}',
        b'{"parts":[{"name":"n","part":0,"parts":1,"text":"data"}]}',
        b"{}",
    ],
)
async def test_parts_of_another_length_are_refused(
    client: Counting, own_pocketbase: PocketBaseProcess, body: bytes
) -> None:
    with pytest.raises(InvalidRequestError):
        await client._write_as_is("data_urls/add_parts", body)
    assert count(own_pocketbase, "owui_data_url_parts") == 0


async def test_the_first_part_of_long_ago_stays_when_the_others_come(
    client: Counting, own_pocketbase: PocketBaseProcess
) -> None:
    parts = [("n", number, 2, f"data:{number}") for number in range(2)]
    await add_parts(client, parts[0])
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_data_url_parts SET at = 1")
    await add_parts(client, parts[0])
    prune(own_pocketbase)
    await add_parts(client, parts[1])
    assert count(own_pocketbase, "owui_data_url_parts") == 2
    assert count(own_pocketbase, "owui_data_urls") == 1


async def test_one_whose_parts_are_lost_meanwhile_is_sent_again(
    client: Counting,
    chats: PocketBaseChats,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by a restore: its last part does not make it complete."""
    monkeypatch.setattr(of_client, "PART", LARGE)
    picture = url("x", 3 * LARGE)
    write, written = client._write_as_is, []

    async def losing(path: str, content: bytes) -> Any:
        answer = await write(path, content)
        written.append(path)
        if len(written) == 1:
            with own_pocketbase.admin() as admin:
                admin.sql("DELETE FROM owui_data_url_parts")
        return answer

    monkeypatch.setattr(client._data_urls, "_write", losing)
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(picture)))
    assert written[0] == "data_urls/add_parts"
    chat = await chats.get_chat_by_id(key(1))
    assert chat is not None
    assert chat.chat == of(picture)


async def test_what_is_written_while_the_job_looks_is_looked_at_again(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """The job reads a chat outside of a transaction: it may have been changed since."""
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    with own_pocketbase.admin() as admin:
        (before,) = admin.sql("SELECT * FROM owui_data_url_unsure")
        admin.sql("UPDATE owui_chat_messages SET files = files || ' '")
        (after,) = admin.sql("SELECT * FROM owui_data_url_unsure")
    assert before["owner"] == after["owner"] == key(1)
    assert before["version"] != after["version"]


async def test_what_was_copied_and_not_looked_at_yet_stays(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """In PocketBase, as by a script: nobody says that it is wanted, and who had it is gone."""
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    prune(own_pocketbase)
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_data_urls SET seen = 1")
        admin.sql(
            "INSERT INTO owui_shared_chats (id, chat_id, user_id, title, chat) "
            "SELECT 's1', 'c2', 'u1', '', entry FROM owui_chat_messages WHERE instr(entry, 'owui-data-url:')"
        )
    await client.write("chats/delete_chat_by_id", {"id": key(1)})
    run_job(own_pocketbase)
    assert count(own_pocketbase, "owui_data_urls") == 1
    with own_pocketbase.admin() as admin:
        assert admin.sql("SELECT owner FROM owui_data_url_uses") == [{"owner": "s1"}]


async def test_marks_in_texts_that_are_no_json_count(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    with own_pocketbase.admin() as admin:
        admin.sql("UPDATE owui_chat_messages SET files = '{' || files")
    prune(own_pocketbase)
    assert count(own_pocketbase, "owui_data_url_uses") == count(own_pocketbase, "owui_data_urls") == 1


async def test_a_long_message_is_looked_through_in_a_thread(
    chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=body("a")))
    threads = []

    def noting(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return marked(*arguments)

    monkeypatch.setattr(_transaction, "marked", noting)
    for content in ("short", "long " * 100_000):
        threads.clear()
        await chats.upsert_message_to_chat_by_id_and_message_id(key(1), "a", {"content": content})
        assert (set(threads) == {threading.get_ident()}) == (content == "short")


async def test_a_chat_that_is_given_another_id_keeps_them(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """As by a script in SQL: of messages only the column of their chat changes."""
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    prune(own_pocketbase)
    with own_pocketbase.admin() as admin:
        admin.sql(f"UPDATE owui_chats SET id = '{key(2)}'")
        admin.sql(f"UPDATE owui_chat_messages SET chat_id = '{key(2)}'")
    prune(own_pocketbase)
    chat = await chats.get_chat_by_id(key(2))
    assert chat is not None
    assert chat.chat == of(url("x"))
    with own_pocketbase.admin() as admin:
        (use,) = admin.sql("SELECT owner FROM owui_data_url_uses")
    assert use["owner"] == key(2)


@pytest.mark.parametrize("lost", [("owui_data_urls", "owui_data_url_parts"), ("owui_data_urls",)])
async def test_a_process_that_is_mistaken_sends_them_again(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess, lost: tuple[str, ...]
) -> None:
    """After a restore, or somebody's SQL, PocketBase has not what a process knows to be there."""
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    with own_pocketbase.admin() as admin:
        for table in lost:
            admin.sql(f"DELETE FROM {table}")
    client.sent.clear()
    message = {"id": "c", "role": "user", "content": "", "parentId": "b", "files": [{"url": url("x")}]}
    await chats.upsert_message_to_chat_by_id_and_message_id(key(1), "c", message)
    assert client.paths[-2:] == ["data_urls/add_parts", "chats/save_chat"]
    fresh = own_pocketbase.client()
    chats.pocketbase = fresh
    chat = await chats.get_chat_by_id(key(1))
    await fresh.aclose()
    assert chat is not None
    assert [each["files"] for each in chat.chat["history"]["messages"].values() if "files" in each] == [
        [{"type": "image", "url": url("x")}],
        [{"url": url("x")}],
    ]


async def test_what_is_missing_each_time_is_not_sent_for_ever(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    with own_pocketbase.admin() as admin:
        admin.sql(
            "CREATE TRIGGER gone AFTER INSERT ON owui_data_urls BEGIN "
            "DELETE FROM owui_data_urls WHERE name = NEW.name; END"
        )
    with pytest.raises(UnavailableError, match="does not keep"):
        await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    assert client.paths.count("data_urls/add_parts") == 3


async def test_a_superuser_gets_what_a_mark_stands_for(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x"))))
    with own_pocketbase.admin() as admin:
        (stored,) = admin.sql("SELECT name FROM owui_data_urls")
        parts = admin.send("POST", "/api/owui/data_urls/get_parts", {"names": [stored["name"]]})
    assert parts == [[stored["name"], 0, 1, url("x")]]


async def test_readers_at_once_fetch_once(client: Counting, chats: PocketBaseChats) -> None:
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(url("x", MEGABYTE))))
    client.sent.clear()
    found = await asyncio.gather(*(chats.get_chat_by_id(key(1)) for _ in range(8)))
    assert all(chat is not None and chat.chat == of(url("x", MEGABYTE)) for chat in found)
    assert client.paths.count("data_urls/get_parts") == 1


async def test_what_is_cached_is_bounded(
    client: Counting, chats: PocketBaseChats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_client, "CACHE_BYTES", 3 * LARGE)
    monkeypatch.setattr(of_client, "KNOWN", 3)
    urls = [url(letter) for letter in "abcdefgh"]
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(*urls)))
    chat = await chats.get_chat_by_id(key(1))
    assert chat is not None
    assert chat.chat == of(*urls)
    held = client._data_urls
    assert sum(map(len, held._cache.values())) <= 3 * LARGE
    assert len(held._known) == 3


async def test_a_mark_of_nothing_stays(client: Counting, chats: PocketBaseChats) -> None:
    mark = PREFIX + "f" * 40
    await chats.insert_new_chat(key(1), "u1", ChatForm(chat=of(mark)))
    chat = await chats.get_chat_by_id(key(1))
    assert chat is not None
    assert chat.chat == of(mark)


async def test_only_where_triggers_look(
    client: Counting, chats: PocketBaseChats, own_pocketbase: PocketBaseProcess
) -> None:
    """Elsewhere nobody would notice that a record has a mark, and what it stands for would be deleted."""
    meta = {"picture": url("x")}
    await chats.import_chats("u1", [ChatImportForm(chat=body("a"), meta=meta)])
    assert count(own_pocketbase, "owui_data_url_parts") == 0
    assert encoded("model", ["id", {"profile_image_url": url("x")}])[1] == {}
    assert encoded("shared_chat", [*[""] * 6, {"picture": url("x")}, *[""] * 9])[1] != {}
