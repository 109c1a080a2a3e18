"""Tools and their versions, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.tools import ToolForm, ToolMeta

from tests.support.written_through import Compared

GROUPS = ("tools",)

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}
SPECS = [{"name": "f", "parameters": {"type": "object", "properties": {}}}]


def form(tool_id: str, content: str = "code", **more: Any) -> ToolForm:
    return ToolForm(**{"id": tool_id, "name": tool_id, "content": content, "meta": ToolMeta(description="ä"), **more})


async def test_life_of_a_tool(both: Compared) -> None:
    await both.call("Tools.insert_new_tool", "u1", form("a", access_grants=[READ_BY_GROUP]), SPECS)
    await both.call("Tools.insert_new_tool", "u2", form("a"), SPECS)  # the id is taken
    await both.call("Tools.insert_new_tool", "u2", form("b", "", commit_message="why"), [])
    for updated in (
        {"name": "A", "content": "second", "commit_message": "second"},
        {"name": "A"},
        {"meta": {"description": "x", "manifest": {"title": "t"}}, "specs": []},
        {"access_grants": [], "version_id": "ignored"},
        {"no_such_column": 1},
    ):
        await both.call("Tools.update_tool_by_id", "a", updated, user_id="u2")
    await both.call("Tools.update_tool_by_id", "a", {"content": "third"}, allow_code_changes=False)
    await both.call("Tools.update_tool_by_id", "unknown", {"name": "x"})
    for valves in ({"key": "secret", "n": 1}, {}, None):
        await both.call("Tools.update_tool_valves_by_id", "a", valves)
        await both.call("Tools.get_tool_valves_by_id", "a")
    await both.call("Tools.update_tool_valves_by_id", "unknown", {"key": 1})
    await both.call("Tools.get_tool_valves_by_id", "unknown")
    for user in ("u1", "unknown"):
        await both.call("Tools.get_user_valves_by_id_and_user_id", "a", user)
        await both.call("Tools.update_user_valves_by_id_and_user_id", "a", user, {"key": "mine"})
        await both.call("Tools.get_user_valves_by_id_and_user_id", "a", user)
    for each in ("b", "b", "unknown"):
        await both.call("Tools.delete_tool_by_id", each)
    await both.call("Tools.get_tool_by_id", "b")


async def test_lists(both: Compared) -> None:
    for n, grants in enumerate([[], [READ_BY_GROUP], None]):
        await both.call("Tools.insert_new_tool", f"u{n + 1}", form(f"t{n}", access_grants=grants), SPECS)
    await both.call("Tools.get_tool_by_id", "t1")
    for ids in ([], ["t2", "t0", "unknown"]):
        await both.call("Tools.get_tools_by_ids", ids)
    for defer in (False, True):
        await both.call("Tools.get_tools", defer)
        await both.call("Tools.get_tools", defer, user_id="u2", permission="read")
        for user in ("u1", "u2", "u3"):
            await both.call("Tools.get_tools_by_user_id", user, "read", defer)
    await both.call("Tools.get_tools", user_id="u1", user_group_ids={"g"})


async def test_versions(both: Compared) -> None:
    await both.call("Tools.insert_new_tool", "u1", form("a", "one"), SPECS)
    await both.call("Tools.insert_new_tool", "u1", form("b", "other"), SPECS)
    for content in ("two", "three"):
        await both.call("Tools.update_tool_by_id", "a", {"content": content}, user_id="u3")
    newest, middle, first = [entry.id for entry in await both.call("ToolHistories.get_history_by_tool_id", "a")]
    await both.call("ToolHistories.get_history_by_tool_id", "a", 2)
    for tool, entry in (("a", first), ("b", first), ("a", "unknown")):
        await both.call("ToolHistories.get_history_by_id", tool, entry)
    saved = {"name": "a", "content": "one", "meta": {"description": "ä"}}
    await both.call("Tools.update_tool_by_id", "a", saved, version_id=first)
    await both.call("Tools.update_tool_by_id", "a", saved, version_id=newest)
    await both.call("Tools.update_tool_by_id", "a", saved, version_id="unknown")
    for tool, entry in (("a", first), ("a", middle), ("a", middle), ("b", newest), ("unknown", first)):
        await both.call("ToolHistories.delete_history_entry", tool, entry)
    await both.call("Tools.delete_tool_by_id", "a")
