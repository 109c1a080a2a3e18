"""Channels, their members and messages that are made, changed and deleted in PocketBase's dashboard, or by a script."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import ResponseError
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.pocketbase import PocketBaseProcess, clone

CHANNEL = "d0000000-0000-4000-8000-000000000001"
MESSAGE = "d0000000-0000-4000-8000-000000000002"
OF_CHANNELS = [table.name for table in TABLES.values() if table.group == "messages"]


@pytest.fixture
def admin(own_pocketbase: PocketBaseProcess) -> Iterator[AdminClient]:
    with own_pocketbase.admin() as admin:
        yield admin


def path(table: str, id: str = "") -> str:
    return f"/api/collections/{TABLES[table].collection}/records/{id}".rstrip("/")


def make(admin: AdminClient, table: str, **fields: Any) -> dict[str, Any]:
    """Make a record as the dashboard does, and return the row as the host reads it."""
    made: dict[str, Any] = admin.send("POST", path(table), fields)
    return row(admin, table, made["id"])


def edit(admin: AdminClient, table: str, id: str, **fields: Any) -> dict[str, Any]:
    admin.send("PATCH", path(table, id), fields)
    return row(admin, table, id)


def row(admin: AdminClient, table: str, id: str) -> dict[str, Any]:
    """Return a row as the hooks give it."""
    fields = ", ".join(column.field for column in TABLES[table].columns)
    select = f"SELECT json_array({fields}, nulls) AS json FROM {TABLES[table].collection} WHERE id = '{id}'"
    (found,) = admin.sql(select)
    return codec_of(table).decode(json.loads(found["json"]))


def channel(admin: AdminClient, **fields: Any) -> dict[str, Any]:
    return make(admin, "channel", **{"id": CHANNEL, "user_id": "u1", "name": "general"} | fields)


def message(admin: AdminClient, **fields: Any) -> dict[str, Any]:
    usual = {"id": MESSAGE, "user_id": "u1", "channel_id": CHANNEL, "content": "ÄRGER"}
    return make(admin, "message", **usual | fields)


def by_adapter(admin: AdminClient, table: str, **columns: Any) -> None:
    """Write a row as the hooks do, in SQL."""
    record = codec_of(table).record({**dict.fromkeys(column.name for column in TABLES[table].columns), **columns})
    values = ", ".join("'{}'".format(f"{value}".replace("'", "''")) for value in record.values())
    admin.sql(f"INSERT INTO {TABLES[table].collection} ({', '.join(record)}) VALUES ({values})")


def is_now(nanoseconds: int) -> bool:
    return abs(nanoseconds - time.time_ns()) < 60 * 10**9


def test_what_is_left_empty_gets_what_it_needs(admin: AdminClient) -> None:
    made = channel(admin)
    assert is_now(made["created_at"])
    assert is_now(made["updated_at"])
    assert (made["type"], made["deleted_at"], made["archived_at"], made["data"]) == (None, None, None, None)
    written = message(admin)
    assert is_now(written["created_at"])
    assert is_now(written["updated_at"])
    assert (written["parent_id"], written["reply_to_id"], written["pinned_at"]) == (None, None, None)
    reaction = make(admin, "message_reaction", user_id="u1", message_id=MESSAGE, name="ok")
    assert is_now(reaction["created_at"])
    webhook = make(admin, "channel_webhook", channel_id=CHANNEL, user_id="u1", name="W")
    assert len(webhook["token"]) == 43
    assert is_now(webhook["created_at"])
    file = make(admin, "channel_file", channel_id=CHANNEL, user_id="u1", file_id="f")
    assert abs(file["created_at"] - time.time()) < 60  # seconds
    for made in admin.sql("SELECT created_at FROM owui_channels UNION ALL SELECT created_at FROM owui_messages"):
        assert len(made["created_at"]) == 19


def test_what_is_given_stays(admin: AdminClient) -> None:
    made = channel(admin, created_at="5", updated_at="1700000000123456789", archived_at="-9223372036854775807")
    assert (made["created_at"], made["updated_at"], made["archived_at"]) == (5, 1700000000123456789, -1)
    assert admin.sql("SELECT created_at FROM owui_channels") == [{"created_at": "5".zfill(19)}]


def test_what_is_made_with_a_time_of_its_own_was_not_edited(admin: AdminClient) -> None:
    made = channel(admin, created_at="1700000000123456789")
    assert (made["created_at"], made["updated_at"]) == (1700000000123456789,) * 2


@pytest.mark.parametrize(
    "given",
    [
        *("yesterday", "2026-01-01 00:00:00", "1.5", "99999999999999999999", "9" * 19, "-5"),
        *("1795963772", "1795963772000", "1795963772000000"),
    ],
)
def test_what_is_no_time_is_refused(admin: AdminClient, given: str) -> None:
    """A list with such a record in it could not be read."""
    with pytest.raises(ResponseError, match="400"):
        channel(admin, created_at=given)
    channel(admin)
    with pytest.raises(ResponseError, match="400"):
        edit(admin, "channel", CHANNEL, deleted_at=given)


def test_a_new_member_is_there(admin: AdminClient) -> None:
    """Unless it has left: the dashboard sends false for a switch that nobody has touched."""
    channel(admin, type="group")
    made = make(admin, "channel_member", channel_id=CHANNEL, user_id="u1", is_active=False)
    assert (made["is_active"], made["status"], made["app_id"], made["left_at"]) == (True, "joined", None, None)
    assert is_now(made["joined_at"])
    left = make(admin, "channel_member", channel_id=CHANNEL, user_id="u2", left_at="7")
    assert (left["is_active"], left["status"], left["left_at"]) == (False, None, 7)
    hidden = edit(admin, "channel_member", made["id"], is_active=False)
    assert not hidden["is_active"]
    assert hidden["updated_at"] > made["updated_at"]


@pytest.mark.parametrize("whose", [{}, {"user_id": "u1", "app_id": "a1"}])
def test_a_member_is_either_a_user_or_an_app(admin: AdminClient, whose: dict[str, str]) -> None:
    channel(admin)
    with pytest.raises(ResponseError, match="400"):
        make(admin, "channel_member", channel_id=CHANNEL, **whose)
    assert make(admin, "channel_member", channel_id=CHANNEL, app_id="a1")["user_id"] is None


def test_an_edited_message_has_another_etag_and_waits_for_the_index(admin: AdminClient) -> None:
    channel(admin)
    made = message(admin)
    state = "SELECT content_folded, waits, doc < 0 AS unindexed FROM owui_messages"
    assert admin.sql(state) == [{"content_folded": "ärger", "waits": "1", "unindexed": "1"}]
    admin.sql("UPDATE owui_messages SET waits = FALSE, doc = -doc")  # as the indexer does
    pinned = edit(admin, "message", MESSAGE, is_pinned=True, pinned_at="9")
    assert (pinned["updated_at"], pinned["is_pinned"], pinned["pinned_at"]) == (made["updated_at"], True, 9)
    assert admin.sql(state) == [{"content_folded": "ärger", "waits": "0", "unindexed": "0"}]
    edited = edit(admin, "message", MESSAGE, content="Ö")
    assert edited["updated_at"] > made["updated_at"]
    assert admin.sql(state) == [{"content_folded": "ö", "waits": "1", "unindexed": "1"}]
    with_data = edit(admin, "message", MESSAGE, data={"files": []})
    assert with_data["updated_at"] > edited["updated_at"]
    ahead = edit(admin, "message", MESSAGE, updated_at="9000000000000000000")
    assert ahead["updated_at"] == 9 * 10**18
    assert edit(admin, "message", MESSAGE, content="later")["updated_at"] == 9 * 10**18 + 1
    assert edit(admin, "message", MESSAGE, updated_at="", content="emptied")["updated_at"] < 9 * 10**18


@pytest.mark.parametrize(
    "webhook", ["x", 5, True, [1], {"id": 5}, {"id": [1]}, {"id": {"a": 1}}, {"id": True}], ids=str
)
def test_a_webhook_that_sends_has_an_id(admin: AdminClient, webhook: Any) -> None:
    """A page with another one could not be read."""
    channel(admin)
    with pytest.raises(ResponseError, match="Webhook must be a JSON object"):
        message(admin, meta={"webhook": webhook})
    message(admin)
    with pytest.raises(ResponseError, match="Webhook must be a JSON object"):
        edit(admin, "message", MESSAGE, meta={"webhook": webhook})


def test_webhooks_that_are_none_or_stored_already_stay(admin: AdminClient) -> None:
    channel(admin)
    message(admin)
    for webhook in (None, "", 0, False, {}, {"id": None}, {"id": ""}, {"id": "w"}, {"name": "w"}):
        assert edit(admin, "message", MESSAGE, meta={"webhook": webhook})["meta"] == {"webhook": webhook}
    admin.sql("""UPDATE owui_messages SET meta = '{"webhook":5}'""")
    assert edit(admin, "message", MESSAGE, content="other")["meta"] == {"webhook": 5}


def test_what_is_emptied_is_none(admin: AdminClient) -> None:
    """A message that was taken out of its thread is one of the channel's own."""
    channel(admin)
    times = {"created_at": 1, "updated_at": 2}
    by_adapter(admin, "message", id=MESSAGE, channel_id=CHANNEL, user_id="u1", content="x", is_pinned=True, **times)
    admin.sql("UPDATE owui_messages SET parent_id = 'p', reply_to_id = '', pinned_at = '0000000000000000005'")
    admin.sql("""UPDATE owui_messages SET nulls = '["app_id"]'""")
    edited = edit(admin, "message", MESSAGE, parent_id="", pinned_at="", is_pinned=False)
    assert (edited["parent_id"], edited["pinned_at"], edited["app_id"]) == (None, None, None)
    assert edited["reply_to_id"] == ""  # as it was
    assert edited["updated_at"] == 2
    assert edit(admin, "channel", CHANNEL, name="other")["type"] is None


def test_scripts_of_administrators(prepared_pocketbase: Path, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    shutil.copytree(HOOKS_DIR, hooks)
    (hooks / "own.pb.js").write_text("""routerAdd("POST", "/own", (e) => {
      const made = new Record($app.findCollectionByNameOrId("owui_channels"), { user_id: "u1", name: "Own" });
      $app.save(made);
      made.set("name", "Other");
      $app.save(made);
      const message = new Record($app.findCollectionByNameOrId("owui_messages"),
        { user_id: "u1", channel_id: made.id, content: "HELLO" });
      $app.save(message);
      return e.json(200, [made.id, message.id]);
    })""")
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path), hooks_dir=hooks)
    server.start()
    try:
        with server.admin() as admin:
            channel_id, message_id = admin.send("POST", "/own", {})
            made = row(admin, "channel", channel_id)
            assert made["updated_at"] > made["created_at"]
            assert is_now(row(admin, "message", message_id)["created_at"])
            assert admin.sql("SELECT content_folded FROM owui_messages") == [{"content_folded": "hello"}]
    finally:
        server.stop()


def counts(admin: AdminClient) -> dict[str, int]:
    return {
        name: int(admin.sql(f"SELECT count(*) AS n FROM {TABLES[name].collection}")[0]["n"])
        for name in [*OF_CHANNELS, "access_grant"]
    }


def fill(admin: AdminClient, channel_id: str, number: int) -> None:
    """Give a channel one of everything, and this many messages with words in the full-text index."""
    admin.sql(
        f"WITH RECURSIVE n(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM n WHERE n < {number}) "
        "INSERT INTO owui_messages (id, user_id, channel_id, content, content_folded, doc) "
        f"SELECT '{channel_id}-' || n, 'u1', '{channel_id}', 'Hello', 'hello', "
        "n + (SELECT coalesce(max(doc), 0) FROM owui_messages) FROM n"
    )
    of_channel = f"(SELECT doc FROM owui_messages WHERE channel_id = '{channel_id}')"
    words = "hello these are the words of one message each of which is in the index"
    admin.sql(f"INSERT INTO owui_messages_search (rowid, words) SELECT doc, '{words}' FROM {of_channel}")
    admin.sql(
        "INSERT INTO owui_message_reactions (id, user_id, message_id, name) "
        f"SELECT 'r' || id, 'u1', id, 'ok' FROM owui_messages WHERE channel_id = '{channel_id}' AND rowid % 2"
    )
    for table, columns in {
        "channel_member": {"user_id": "u1"},
        "channel_file": {"user_id": "u1", "file_id": "f"},
        "channel_webhook": {"user_id": "u1", "name": "W"},
    }.items():
        make(admin, table, channel_id=channel_id, **columns)
    for resource in ("channel", "model"):
        grant = {"resource_type": resource, "resource_id": channel_id, "permission": "read"}
        make(admin, "access_grant", principal_type="user", principal_id="*", **grant)


def test_a_deleted_channel_leaves_nothing(admin: AdminClient) -> None:
    kept, deleted = CHANNEL, CHANNEL[:-1] + "9"
    channel(admin)
    channel(admin, id=deleted)
    fill(admin, kept, 4)
    before = counts(admin)
    fill(admin, deleted, 4)
    (last,) = admin.sql("SELECT max(seq) AS seq FROM owui_changes")
    admin.send("DELETE", path("channel", deleted))
    assert counts(admin) == {**before, "channel": 1, "access_grant": before["access_grant"] + 1}  # the model's
    assert admin.sql(f"SELECT id FROM owui_channels WHERE id = '{deleted}'") == []
    changed = f"FROM owui_changes WHERE seq > {last['seq']}"
    told = admin.sql(f"SELECT collection, count(*) AS n {changed} AND op = 'delete' GROUP BY collection ORDER BY 1")
    assert {row["collection"]: int(row["n"]) for row in told}["owui_messages"] == 4
    assert len(told) == 7
    assert admin.sql(f"SELECT seq {changed} AND op != 'delete'") == []
    found = admin.sql("SELECT count(*) AS n FROM owui_messages_search WHERE owui_messages_search MATCH 'hello'")
    assert found == [{"n": "4"}]


def test_a_deleted_message_takes_its_reactions_along(admin: AdminClient) -> None:
    channel(admin)
    message(admin)
    reply = message(admin, id="", parent_id=MESSAGE)
    quote = message(admin, id="", reply_to_id=MESSAGE)
    for each in (MESSAGE, reply["id"]):
        make(admin, "message_reaction", user_id="u1", message_id=each, name="ok")
    admin.send("DELETE", path("message", MESSAGE))
    assert {row["id"] for row in admin.sql("SELECT id FROM owui_messages")} == {reply["id"], quote["id"]}
    assert row(admin, "message", reply["id"])["parent_id"] == MESSAGE
    assert row(admin, "message", quote["id"])["reply_to_id"] == MESSAGE
    assert admin.sql("SELECT message_id FROM owui_message_reactions") == [{"message_id": reply["id"]}]


def test_a_channel_of_many_messages_is_deleted_in_one_go(admin: AdminClient) -> None:
    channel(admin)
    fill(admin, CHANNEL, 10_000)
    admin.send("DELETE", path("channel", CHANNEL))
    assert set(counts(admin).values()) == {0, 1}
