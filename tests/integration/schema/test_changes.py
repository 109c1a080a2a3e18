"""The change feed has every change, whoever makes it."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from openwebui_pocketbase.exceptions import ConflictError
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import INSERTS, changes


def call(server: PocketBaseProcess, path: str, body: dict[str, Any]) -> Any:
    """Call a hook as the adapter does."""

    async def send() -> Any:
        client = server.client()
        try:
            return await client.write(path, body)
        finally:
            await client.aclose()

    return asyncio.run(send())


def test_changes_are_recorded_in_the_order_of_their_commits(own_pocketbase: PocketBaseProcess) -> None:
    records = "/api/collections/owui_tags/records"
    ids = {name: name.ljust(15, "0") for name in ("api", "sql", "batch1", "batch2", "undone")}
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 50, "timeout": 3}})
        admin.send("POST", records, {"id": ids["api"], "key": "api", "user_id": "u"})
        admin.sql(f"INSERT INTO owui_tags (id, key, user_id) VALUES ('{ids['sql']}', 'sql', 'u')")
        tag = {"id": "hook", "name": "Hook", "user_id": "u", "meta": None}
        call(own_pocketbase, "tags/insert_new_tag", {"tag": tag})
        hook_id = hashlib.sha256(b'["u","hook"]').hexdigest()[:32]
        admin.send(
            "POST",
            "/api/batch",
            {
                "requests": [
                    {"method": "POST", "url": records, "body": {"id": ids["batch1"], "key": "b1", "user_id": "u"}},
                    {"method": "PATCH", "url": f"{records}/{ids['sql']}", "body": {"name": "changed"}},
                    {"method": "POST", "url": records, "body": {"id": ids["batch2"], "key": "b2", "user_id": "u"}},
                ]
            },
        )
        admin.send("PATCH", f"{records}/{ids['api']}", {"name": "changed"})
        admin.sql(f"UPDATE owui_tags SET name = 'changed' WHERE id = '{ids['batch1']}'")
        admin.sql(f"DELETE FROM owui_tags WHERE id = '{ids['sql']}'")
        call(own_pocketbase, "tags/delete_tags_by_ids_and_user_id", {"ids": ["hook"], "user_id": "u"})
        admin.send("DELETE", f"{records}/{ids['batch2']}")
        found = changes(admin)
    assert found == [
        ("owui_tags", record_id, op)
        for record_id, op in [
            (ids["api"], "create"),
            (ids["sql"], "create"),
            (hook_id, "create"),
            (ids["batch1"], "create"),
            (ids["sql"], "update"),
            (ids["batch2"], "create"),
            (ids["api"], "update"),
            (ids["batch1"], "update"),
            (ids["sql"], "delete"),
            (hook_id, "delete"),
            (ids["batch2"], "delete"),
        ]
    ]


def test_what_is_undone_leaves_no_change(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        body = {"ids": ["a", "a"], "names": ["A", "A"], "user_id": "u"}
        with pytest.raises(ConflictError):
            call(own_pocketbase, "tags/ensure_tags_exist", body)
        assert changes(admin) == []
        assert admin.sql("SELECT id FROM owui_tags") == []


def test_times_of_changes_are_milliseconds(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        admin.sql(INSERTS["owui_folders"])
        (row,) = admin.sql("SELECT at, unixepoch() * 1000 AS now FROM owui_changes")
    assert abs(int(row["now"]) - int(row["at"])) < 5000


def test_numbers_of_changes_only_grow(own_pocketbase: PocketBaseProcess) -> None:
    """The newest change is never pruned, so its number is not given again."""
    with own_pocketbase.admin() as admin:
        for statement in (INSERTS["owui_folders"], "DELETE FROM owui_folders", INSERTS["owui_tags"]):
            admin.sql(statement)
        numbers = [int(row["seq"]) for row in admin.sql("SELECT seq FROM owui_changes ORDER BY seq")]
    assert numbers == [1, 2, 3]
