"""The collections of a PocketBase are what the tables' declaration says, and open to nobody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from openwebui_pocketbase.assets import TABLES_FILE
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Table
from tests.support.pocketbase import PocketBaseProcess
from tests.support.schema import COLLECTIONS, collections


@pytest.fixture(scope="module")
def definitions(pocketbase: PocketBaseProcess) -> dict[str, dict[str, Any]]:
    with pocketbase.admin() as admin:
        return collections(admin)


def test_collections_are_those_declared(definitions: dict[str, dict[str, Any]]) -> None:
    assert sorted(definitions) == COLLECTIONS


def declared(name: str) -> Table:
    (table,) = (table for table in TABLES.values() if table.collection == name)
    return table


@pytest.mark.parametrize("name", COLLECTIONS)
def test_only_superusers_have_access(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    rules = {option: value for option, value in definitions[name].items() if option.endswith("Rule")}
    names = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"]
    assert rules == dict.fromkeys([*names, *(["authRule", "manageRule"] if declared(name).auth else [])])


def test_nobody_can_sign_in_as_one_of_the_users(definitions: dict[str, dict[str, Any]]) -> None:
    (users,) = (definition for definition in definitions.values() if definition["type"] == "auth")
    assert users["name"] == "owui_users"
    ways = ("passwordAuth", "oauth2", "otp", "mfa", "authAlert")
    assert {way: users[way]["enabled"] for way in ways} == dict.fromkeys(ways, False)


def test_secrets_are_hidden_whatever_rules_there_will_be(definitions: dict[str, dict[str, Any]]) -> None:
    hidden = {
        f"{name}.{field['name']}"
        for name, definition in definitions.items()
        for field in definition["fields"]
        if field["hidden"] and not field["system"]
    }
    assert hidden == {
        "owui_api_keys.key",
        "owui_apps.api_key",
        "owui_auths.mfa",
        "owui_auths.password",
        "owui_auths.session_stamp",
        "owui_channel_webhooks.token",
        "owui_config.value",
        "owui_functions.valves",
        "owui_oauth_sessions.token",
        "owui_tools.valves",
    }


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fields_follow_the_conventions(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    table = declared(name)
    fields = {field["name"]: field for field in definitions[name]["fields"]}
    folded = [f"{column.field}_folded" for column in table.columns if column.folded]
    of_pocketbase = ["password", "tokenKey", "email", "emailVisibility", "verified"] if table.auth else []
    extras = [extra.name for extra in table.extras] + (["doc"] if table.search else [])
    expected = {"id", "nulls", "created", "updated", *(column.field for column in table.columns), *folded, *extras}
    assert set(fields) == {*expected, *of_pocketbase}
    assert fields["nulls"]["type"] == "json"
    times = {
        key: (field["onCreate"], field["onUpdate"]) for key, field in fields.items() if field["type"] == "autodate"
    }
    assert times == {"created": (True, False), "updated": (True, True)}
    for key, field in fields.items():
        if field["type"] == "text":
            assert field["max"] > 0, f"{key} would be limited to 5,000 characters"
        if field["type"] == "json":
            assert field["maxSize"] > 0, f"{key} would be limited to 1 MiB"


@pytest.mark.parametrize("name", COLLECTIONS)
def test_what_a_person_looks_for_comes_first(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    table = declared(name)
    found = [field["name"] for field in definitions[name]["fields"]]
    assert found[: len(table.shown)] == list(table.shown)
    assert found[len(table.shown)] == "id"
    of_columns = [column.field for column in table.columns if column.field not in {"id", *table.shown}]
    assert [field for field in found[len(table.shown) + 1 :] if field in of_columns] == of_columns


@pytest.mark.parametrize("name", COLLECTIONS)
def test_records_are_shown_by_what_stands_for_them(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    table = declared(name)
    shown = {field["name"] for field in definitions[name]["fields"] if field["presentable"]}
    assert shown == {column.field for column in table.columns if column.presentable}
    targets = {column.relation for other in TABLES.values() for column in other.columns}
    targets |= {extra.relation for other in TABLES.values() for extra in other.extras}
    assert shown or (table.name not in targets and not {"name", "title"} & {column.name for column in table.columns})


@pytest.mark.parametrize("name", COLLECTIONS)
def test_custom_ids_have_an_index_without_case(name: str, definitions: dict[str, dict[str, Any]]) -> None:
    """PocketBase looks ids up without case unless their pattern is its own."""
    (id_field,) = (field for field in definitions[name]["fields"] if field["name"] == "id")
    indexes = [index for index in definitions[name]["indexes"] if "`id` COLLATE NOCASE" in index]
    assert len(indexes) == (id_field["pattern"] != "^[a-z0-9]+$")


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_change_is_recorded_by_a_trigger(name: str, pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        found = admin.sql(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{name}'")
    recording = [row for row in found if "INSERT INTO owui_changes" in row["sql"]]
    events = {row["name"]: re.findall(r"AFTER (\w+)(?: OF [\w, ]+)? ON", row["sql"]) for row in recording}
    # Of chats it enters what the trigger for updates leaves to it: see schema/tags.py.
    further = {"owui_chats_tags_relate": ["UPDATE"]} if name == "owui_chats" else {}
    expected = {f"{name}_create": ["INSERT"], f"{name}_update": ["UPDATE"], f"{name}_delete": ["DELETE"]}
    assert events == expected | further


def test_declaration_is_valid_for_both_sides() -> None:
    declared = json.loads(TABLES_FILE.read_text())
    assert declared["schema"] == SCHEMA_VERSION
    assert {name: table["collection"] for name, table in declared["tables"].items()} == {
        name: table.collection for name, table in TABLES.items()
    }
