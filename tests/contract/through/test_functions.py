"""Functions and their versions, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.functions import FunctionForm, FunctionMeta, FunctionWithValvesModel

from tests.support.differential import START
from tests.support.written_through import Compared

GROUPS = ("functions",)


def form(function_id: str, content: str = "code", **more: Any) -> FunctionForm:
    return FunctionForm(**{"id": function_id, "name": "N", "content": content, "meta": FunctionMeta(), **more})


def whole(function_id: str, kind: str = "filter", **more: Any) -> FunctionWithValvesModel:
    times = {"created_at": START, "updated_at": START}
    columns = {"id": function_id, "name": "W", "type": kind, "content": "whole", "meta": {"description": "d"}, **times}
    return FunctionWithValvesModel(**(columns | more))


async def test_life_of_a_function(both: Compared) -> None:
    await both.call("Functions.insert_new_function", "u1", "filter", form("a"))
    await both.call("Functions.insert_new_function", "u2", "pipe", form("a"))  # the id is taken
    await both.call("Functions.insert_new_function", "u2", "pipe", form("b", commit_message="why"))
    for updated in (
        {"content": "second", "commit_message": "second"},
        {"is_active": True, "is_global": True},
        {"meta": {"manifest": {"title": "ü"}}},
        {"no_such_column": 1},
    ):
        await both.call("Functions.update_function_by_id", "a", updated, user_id="u2")
    await both.call("Functions.update_function_by_id", "unknown", {"name": "x"})
    await both.call("Functions.update_function_metadata_by_id", "a", {"description": "more"}, user_id="u3")
    await both.call("Functions.update_function_metadata_by_id", "unknown", {})
    for valves in ({"key": "secret"}, {}, None):
        await both.call("Functions.update_function_valves_by_id", "a", valves)
        await both.call("Functions.get_function_valves_by_id", "a")
    await both.call("Functions.update_function_valves_by_id", "unknown", {})
    await both.call("Functions.get_function_valves_by_id", "unknown")
    await both.call("Functions.get_function_valves_by_ids", ["a", "b", "unknown"])
    await both.call("Functions.get_function_valves_by_ids", [])
    for user in ("u1", "unknown"):
        await both.call("Functions.get_user_valves_by_id_and_user_id", "a", user)
        await both.call("Functions.update_user_valves_by_id_and_user_id", "a", user, {"key": "mine"})
        await both.call("Functions.get_user_valves_by_id_and_user_id", "a", user)
    await both.call("Functions.deactivate_all_functions")
    for each in ("b", "b", "unknown"):
        await both.call("Functions.delete_function_by_id", each)
        await both.call("Functions.get_function_by_id", each)


async def test_sync_and_lists(both: Compared) -> None:
    await both.call("Functions.insert_new_function", "u1", "pipe", form("gone"))
    await both.call("Functions.insert_new_function", "u1", "filter", form("kept"))
    functions = [
        whole("kept", is_active=True, is_global=True, valves={"key": 1}),
        whole("new", "action", is_active=True, is_global=True),
        whole("local", is_active=True, user_id="u3"),
        whole("off", "pipe"),
    ]
    await both.call("Functions.sync_functions", "u2", functions, sort=True)
    await both.call("Functions.sync_functions", "u2", [functions[0], functions[0]], sort=True)
    await both.call("Functions.sync_functions", "u2", functions, sort=True)
    for ids in ([], ["new", "unknown", "kept"]):
        await both.call("Functions.get_functions_by_ids", ids)
    for active in (False, True):
        await both.call("Functions.get_functions", active, sort=True)
        await both.call("Functions.get_functions", active, True, sort=True)
        for kind in ("filter", "pipe", "action", "unknown"):
            await both.call("Functions.get_functions_by_type", kind, active, sort=True)
    await both.call("Functions.get_function_list", sort=True)
    await both.call("Functions.get_global_filter_functions", sort=True)
    await both.call("Functions.get_global_action_functions", sort=True)
    await both.call("Functions.get_active_filter_ids", sort=True)
    await both.call("Functions.get_active_function_ids_by_type", "action", sort=True)
    await both.call("Functions.sync_functions", "u2", [])


async def test_versions(both: Compared) -> None:
    await both.call("Functions.insert_new_function", "u1", "filter", form("a", "one"))
    await both.call("Functions.insert_new_function", "u1", "filter", form("b", "other"))
    for content in ("two", "three"):
        await both.call("Functions.update_function_by_id", "a", {"content": content}, user_id="u3")
    entries = await both.call("FunctionHistories.get_history_by_function_id", "a")
    newest, middle, first = [entry.id for entry in entries]
    await both.call("FunctionHistories.get_history_by_function_id", "a", 2)
    for function, entry in (("a", first), ("b", first), ("a", "unknown")):
        await both.call("FunctionHistories.get_history_by_id", function, entry)
    saved = {"name": "N", "content": "one", "meta": {"description": None}}
    await both.call("Functions.update_function_by_id", "a", saved, version_id=first)
    await both.call("Functions.update_function_by_id", "a", saved, version_id=newest)
    await both.call("Functions.update_function_by_id", "a", saved, version_id="unknown")
    for function, entry in (("a", first), ("a", middle), ("a", middle), ("b", newest), ("unknown", first)):
        await both.call("FunctionHistories.delete_history_entry", function, entry)
    await both.call("Functions.delete_function_by_id", "a")
