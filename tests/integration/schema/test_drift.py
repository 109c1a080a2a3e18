"""What somebody has removed or changed by hand on a filled server is set right at the next start."""

from __future__ import annotations

from typing import Any

import pytest

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import SchemaError
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from tests.support.pocketbase import PocketBaseProcess

C = "c0000000-0000-4000-8000-000000000001"


@pytest.fixture
def admin(own_pocketbase: PocketBaseProcess) -> Any:
    with own_pocketbase.admin() as admin:
        admin.sql("INSERT INTO owui_tags (id, key, name, user_id) VALUES ('0123456789abcdef', 'a', 'A', 'u1')")
        admin.sql(f"INSERT INTO owui_chats (id, user_id, meta) VALUES ('{C}', 'u1', '{{\"tags\":[\"a\"]}}')")
        yield admin


def fields(admin: AdminClient, collection: str) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in admin.collections()[collection]["fields"]}


def change(admin: AdminClient, collection: str, without: str = "", **options: Any) -> None:
    """Remove a field, and give options to all others, as the dashboard does."""
    kept = [field | options for name, field in fields(admin, collection).items() if name != without]
    admin.send("PATCH", f"/api/collections/{collection}", {"fields": kept})


@pytest.mark.parametrize("table", ["owui_changes", "owui_chat_locks", "owui_idempotency"])
def test_a_table_of_ours(admin: AdminClient, table: str) -> None:
    admin.sql(f"DROP TABLE {table}")
    assert table in inspect(admin).lacks
    bring_up(admin)
    assert inspect(admin).problems() == []


def test_a_field(admin: AdminClient) -> None:
    change(admin, "owui_chats", "summary")
    assert inspect(admin).lacks == ("owui_chats.summary text",)
    bring_up(admin)
    assert "summary" in fields(admin, "owui_chats")


@pytest.mark.parametrize("how", ["in SQL", "in the dashboard"])
def test_an_index(admin: AdminClient, how: str) -> None:
    name = "idx_owui_tags_user_id_key"
    if how == "in SQL":
        admin.sql(f"DROP INDEX {name}")
    else:
        kept = [index for index in admin.collections()["owui_tags"]["indexes"] if name not in index]
        admin.send("PATCH", "/api/collections/owui_tags", {"indexes": kept})
    bring_up(admin)
    assert admin.sql(f"SELECT name FROM sqlite_master WHERE name = '{name}'")


def test_an_index_that_records_contradict(admin: AdminClient) -> None:
    admin.sql("DROP INDEX idx_owui_tags_user_id_key")
    admin.sql("INSERT INTO owui_tags (id, key, name, user_id) VALUES ('1123456789abcdef', 'a', 'A', 'u1')")
    with pytest.raises(SchemaError, match=r"UNIQUE constraint failed|lacks"):
        bring_up(admin)


@pytest.mark.parametrize(
    "removed",
    ["TABLE owui_chat_tags", "TRIGGER owui_chats_tags_update", "TRIGGER owui_chats_tags_relate"],
)
def test_tags_written_meanwhile(admin: AdminClient, removed: str) -> None:
    admin.sql("INSERT INTO owui_tags (id, key, name, user_id) VALUES ('1123456789abcdef', 'b', 'B', 'u1')")
    admin.sql(f"DROP {removed}")
    if "TABLE" not in removed:
        admin.sql(f"UPDATE owui_chats SET meta = '{{\"tags\":[\"b\"]}}' WHERE id = '{C}'")
    bring_up(admin)
    tag, record = ("a", "0123456789abcdef") if "TABLE" in removed else ("b", "1123456789abcdef")
    assert admin.sql("SELECT tag FROM owui_chat_tags") == [{"tag": tag}]
    assert admin.sql("SELECT tags FROM owui_chats") == [{"tags": f'["{record}"]'}]


def test_titles_written_meanwhile(admin: AdminClient) -> None:
    admin.sql(f"UPDATE owui_chats SET title_folded = 'horse', doc = 1 WHERE id = '{C}'")
    admin.sql("DROP TRIGGER owui_chats_search_update")
    admin.sql(f"UPDATE owui_chats SET title_folded = 'zebra' WHERE id = '{C}'")
    bring_up(admin)
    assert admin.sql("SELECT doc FROM owui_chats") == [{"doc": "-1"}]  # it is looked through until it is indexed


def test_what_an_administrator_has_hidden_or_made(admin: AdminClient) -> None:
    change(admin, "owui_chats", hidden=True, presentable=True)
    admin.sql('CREATE TRIGGER "owui_audit" AFTER DELETE ON owui_tags BEGIN SELECT 1; END')
    admin.sql("CREATE TABLE mine (a TEXT)")
    admin.sql("CREATE INDEX idx_owui_mine ON mine (a)")
    admin.sql("DROP TRIGGER owui_chats_tags_update")
    bring_up(admin)
    assert fields(admin, "owui_chats")["meta"]["hidden"]
    assert admin.sql("SELECT count(*) AS n FROM sqlite_master WHERE name IN ('owui_audit', 'idx_owui_mine')") == [
        {"n": "2"}
    ]
    assert inspect(admin).problems() == []
