"""Records of any collection that are made and edited over PocketBase's API while Open WebUI writes."""

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
from openwebui_pocketbase.schema.tables import TABLES, Column, Table
from tests.support.pocketbase import PocketBaseProcess, clone

ID = "e0000000-0000-4000-8000-000000000001"
HASHED = "e" * 32
MEANWHILE = """onRecordUpdateRequest((e) => {
  const sql = e.requestInfo().headers.x_meanwhile;
  if (sql) {
    e.app.nonconcurrentDB().newQuery(sql).execute();
  }
  return e.next();
});"""
"""A hook outside of ours: PocketBase has read the record, and something is written before the edit is."""

EDITED = {"text": "edited", "int": 5, "int64": "5"}
NO_OBJECTS = ["x", 5, 0.5, True, [], [{}]]
NO_LISTS = ["x", 5, 0.5, True, {}, {"a": []}]
DOCUMENTS = {"object": '{"z":1.0,"big":9007199254740993,"a":[]}', "list": "[1.0,9007199254740993]", "": "1.5"}
WRITTEN: dict[str, Any] = {
    "text": "meanwhile",
    "bool": 1,
    "int": 7,
    "int64": "0000000000000000007",
    "date": "2001-02-03",
}


@pytest.fixture(scope="module")
def admin(prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminClient]:
    directory = tmp_path_factory.mktemp("edits")
    hooks = directory / "hooks"
    shutil.copytree(HOOKS_DIR, hooks)
    ours = hooks / "owui.pb.js"
    ours.write_text(f"{MEANWHILE}\n{ours.read_text()}")  # files are loaded in any order
    server = PocketBaseProcess(clone(prepared_pocketbase, directory), hooks_dir=hooks)
    server.start()
    with server.admin() as admin:
        yield admin
    server.stop()


@pytest.fixture(params=[*TABLES])
def table(admin: AdminClient, request: pytest.FixtureRequest) -> Iterator[Table]:
    """A table with one record, `path`."""
    table = TABLES[request.param]
    admin.send("POST", path(table), start(table) | {"id": of(table)})
    yield table
    admin.sql(f"DELETE FROM {table.collection}")


def of(table: Table) -> str:
    return HASHED if table.hashed_id else ID


def path(table: Table, id: str = "") -> str:
    return f"/api/collections/{table.collection}/records/{id}".rstrip("/")


def start(table: Table) -> dict[str, Any]:
    """Return the fields that a new record has to have."""
    more = {"owui_users": {"password": "12345678", "passwordConfirm": "12345678"}}
    relations = {c.field: "" for c in table.columns if c.relation}
    return relations | {"user_id": "u1", **more.get(table.collection, {})}


def row(admin: AdminClient, table: Table) -> dict[str, Any]:
    """Return the row as the hooks give it."""
    fields = ", ".join(column.field for column in table.columns)
    (found,) = admin.sql(f"SELECT json_array({fields}, nulls) AS json FROM {table.collection} WHERE id = '{of(table)}'")
    return codec_of(table.name).decode(json.loads(found["json"]))


def value(column: Column) -> Any:
    """Return what Open WebUI writes meanwhile."""
    return DOCUMENTS[column.holds] if column.type == "json" else WRITTEN[column.type]


def test_a_record_has_times(admin: AdminClient, table: Table) -> None:
    """Without them Open WebUI would show it as of 1970."""
    times = [c for c in table.columns if c.name in ("created_at", "updated_at") and c.type in ("int", "int64")]
    (found,) = admin.sql(f"SELECT * FROM {table.collection}")
    for column in times:
        seconds = int(found[column.field]) // (10**9 if column.type == "int64" else 1)
        assert abs(seconds - time.time()) < 60, column.name


def test_the_dashboard_leaves_the_spelling_of_json_alone(admin: AdminClient, table: Table) -> None:
    """It sends the whole record, whatever was edited, and JSON in the order and spelling of its own."""
    documents = {column.field: value(column) for column in table.columns if column.type == "json"}
    texts = [column.field for column in table.columns if column.type == "text" and not column.relation]
    edited = next((field for field in texts if field not in ("id", "key", "email")), texts[0])
    if documents:
        sets = ", ".join(f"{field} = '{written}'" for field, written in documents.items())
        admin.sql(f"UPDATE {table.collection} SET {sets} WHERE id = '{of(table)}'")
    record = admin.send("GET", path(table, of(table)))
    sent = json.loads(json.dumps(record, sort_keys=True), parse_float=float, parse_int=lambda text: int(float(text)))
    admin.send("PATCH", path(table, of(table)), sent | {edited: "edited"})
    (found,) = admin.sql(f"SELECT * FROM {table.collection}")
    assert {field: found[field] for field in documents} == documents
    assert found[edited] == "edited"


def test_an_edit_leaves_alone_what_is_written_meanwhile(admin: AdminClient, table: Table) -> None:
    kept = {"id", "key", "user_id", "app_id", "email", "title"}  # a chat's body has its title, too
    edited, *others = sorted(
        (column for column in table.columns if column.field not in kept and not column.relation),
        key=lambda column: ["text", "int", "int64"].index(column.type) if column.type in EDITED else 3,
    )
    values = {column.field: value(column) for column in others}
    sets = ", ".join([f"{field} = '{written}'" for field, written in values.items()] or ["user_id = user_id"])
    sql = f"UPDATE {table.collection} SET {sets} WHERE id = '{of(table)}'"
    admin.send("PATCH", path(table, of(table)), {edited.field: EDITED[edited.type]}, {"X-Meanwhile": sql})
    (found,) = admin.sql(f"SELECT * FROM {table.collection}")
    if table.group == "messages":
        values.pop("updated_at", None)  # the edit sets it
    assert {field: found[field] for field in values} == {field: str(written) for field, written in values.items()}
    assert found[edited.field].lstrip("0") == str(EDITED[edited.type])


def test_an_edit_of_a_record_that_is_gone_makes_none(admin: AdminClient) -> None:
    table = TABLES["message"]
    admin.send("POST", path(table), start(table) | {"id": ID})
    gone = {"X-Meanwhile": "DELETE FROM owui_messages"}
    admin.send("PATCH", path(table, ID), {"content": "x"}, gone)
    assert admin.sql("SELECT id FROM owui_messages") == []


def test_json_is_of_the_kind_that_the_models_take(admin: AdminClient, table: Table) -> None:
    before = row(admin, table)
    for column in table.columns:
        for wrong in {"object": NO_OBJECTS, "list": NO_LISTS, "": []}[column.holds]:
            for method, place in (("POST", path(table)), ("PATCH", path(table, of(table)))):
                with pytest.raises(ResponseError, match=f"400.*must be a JSON {column.holds}") as raised:
                    admin.send(method, place, {**start(table), column.field: wrong})
                assert column.field in str(raised.value).lower()
    assert row(admin, table) == before


def test_an_emptied_document_is_none(admin: AdminClient, table: Table) -> None:
    documents = [column for column in table.columns if column.holds]
    admin.send("PATCH", path(table, of(table)), {c.field: json.loads(DOCUMENTS[c.holds]) for c in documents})
    assert all(row(admin, table)[column.name] for column in documents)
    admin.send("PATCH", path(table, of(table)), {column.field: "" for column in documents})
    found = row(admin, table)
    for column in documents:  # without some, the host's models cannot be read
        empty: Any = [] if column.holds == "list" else {}
        assert found[column.name] == (empty if column.required or not column.null else None)


def test_what_is_stored_already_does_not_hinder_an_edit(admin: AdminClient) -> None:
    table = TABLES["channel"]
    admin.send("POST", path(table), start(table) | {"id": ID})
    admin.sql("UPDATE owui_channels SET data = '[1]', nulls = '\"x\"'")
    admin.send("PATCH", path(table, ID), {"is_private": True})
    assert admin.sql("SELECT data, nulls, is_private FROM owui_channels") == [
        {"data": "[1]", "nulls": '"x"', "is_private": "1"}
    ]
    admin.sql("DELETE FROM owui_channels")


@pytest.mark.parametrize("is_new", [False, True], ids=["edited", "made"])
def test_a_list_of_columns_that_are_none_is_one(admin: AdminClient, table: Table, is_new: bool) -> None:
    """Columns that are empty and can be; not those that the host's models need, which would make lists unreadable."""
    can_be = {column.name for column in table.columns if column.null and column.type != "json"}
    needed = {column.name for column in table.columns if column.required}
    for nulls in (["name"], "x", {"a": 1}, 5, [1, None], ["nothing"], [], None):
        if is_new:
            admin.sql(f"DELETE FROM {table.collection}")
            admin.send("POST", path(table), {**start(table), "id": of(table), "nulls": nulls})
        else:
            admin.send("PATCH", path(table, of(table)), {"nulls": nulls})
        (found,) = admin.sql(f"SELECT nulls FROM {table.collection}")
        assert set(json.loads(found["nulls"] or "null") or []) <= can_be - needed, nulls
        assert not {name for name in needed if row(admin, table)[name] is None}, nulls


def test_columns_that_open_webui_has_as_none_stay(admin: AdminClient) -> None:
    """Where it stores None in a column that its models need, only a value changes that."""
    table = TABLES["channel"]
    admin.send("POST", path(table), start(table) | {"id": ID})
    admin.sql("UPDATE owui_channels SET name = '', type = '', nulls = '[\"name\", \"type\"]'")
    admin.send("PATCH", path(table, ID), {"nulls": ["name", "description"]})
    found = row(admin, table)
    assert (found["name"], found["type"], found["description"]) == (None, "", None)
    assert found["deleted_at"] is None  # an empty number always is
    admin.sql("DELETE FROM owui_channels")
