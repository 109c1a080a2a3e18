"""Prompts and their versions, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.prompts import PromptForm

from tests.support.written_through import Compared

GROUPS = ("prompts",)

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}


def form(command: str, content: str = "text", **more: Any) -> PromptForm:
    return PromptForm(**{"command": command, "name": f"Name of {command}", "content": content, **more})


async def test_life_of_a_prompt(both: Compared) -> None:
    prompt = await both.call("Prompts.insert_new_prompt", "u1", form("a", access_grants=[READ_BY_GROUP]))
    for again in (form("a"), form("a", "other")):
        await both.call("Prompts.insert_new_prompt", "u2", again)  # the command is taken
    other = await both.call("Prompts.insert_new_prompt", "u1", form("b", tags=["x", "ü"], data={"d": 1}, meta={"m": 1}))
    for update in (
        form("a", "second", commit_message="why"),
        form("a", "second"),
        form("a2", "third", tags=["y"], is_production=False),
        form("b", "fourth"),
    ):
        await both.call("Prompts.update_prompt_by_id", prompt.id, update, "u2")
        await both.call("Prompts.get_prompt_by_id", prompt.id)
    await both.call("Prompts.update_prompt_by_command", "b", form("b", "fifth", data={"d": 2}), "u2")
    await both.call("Prompts.update_prompt_by_command", "b", form("c", "fifth", data={"d": 2}), "u2")
    for command in ("", "unknown", None):
        await both.call("Prompts.update_prompt_by_command", command, form("b"), "u2")
    await both.call("Prompts.update_prompt_metadata", prompt.id, "N", "n", ["t"])
    await both.call("Prompts.update_prompt_metadata", prompt.id, "N", "b")
    await both.call("Prompts.update_prompt_metadata", "unknown", "N", "n")
    for each in (prompt.id, prompt.id, "unknown", ""):
        await both.call("Prompts.toggle_prompt_active", each)
    for command in ("n", "b", "a", "unknown"):
        await both.call("Prompts.get_prompt_by_command", command)
    await both.call("Prompts.delete_prompt_by_command", "unknown")
    await both.call("Prompts.delete_prompt_by_command", "b")
    await both.call("PromptHistories.get_history_by_prompt_id", other.id)
    await both.call("Prompts.delete_prompt_by_id", "unknown")
    await both.call("Prompts.delete_prompt_by_id", prompt.id)


async def test_lists(both: Compared) -> None:
    for n in range(4):
        grants = [READ_BY_GROUP] if n % 2 else []
        await both.call(
            "Prompts.insert_new_prompt", f"u{n % 3 + 1}", form(f"c{n}", tags=["x", f"T{n}"], access_grants=grants)
        )
    await both.call("Prompts.toggle_prompt_active", (await both.call("Prompts.get_prompt_by_command", "c2")).id)
    await both.call("Prompts.get_prompts")
    await both.call("Prompts.get_tags")
    for user in ("u1", "u2", "u3"):
        await both.call("Prompts.get_prompts_by_user_id", user)
        await both.call("Prompts.get_prompts_by_user_id", user, "read")
        await both.call("Prompts.get_tags_by_user_id", user)
    for asked in (
        {},
        {"query": "c1"},
        {"tag": "t1"},
        {"tag": "x", "order_by": "name", "direction": "asc"},
        {"view_option": "created", "order_by": "created_at"},
        {"view_option": "shared", "order_by": "updated_at", "direction": "asc"},
    ):
        rights = {"user_id": "u2", "group_ids": ["g"]}
        await both.call("Prompts.search_prompts", "u2", {**rights, **asked} if asked else {}, limit=2)


async def test_versions(both: Compared) -> None:
    prompt = await both.call("Prompts.insert_new_prompt", "u1", form("a", "one\ntwo"))
    other = await both.call("Prompts.insert_new_prompt", "u1", form("b"))
    for content in ("one\nthree", "four"):
        await both.call("Prompts.update_prompt_by_id", prompt.id, form("a", content), "u2")
    entries = await both.call("PromptHistories.get_history_by_prompt_id", prompt.id)
    await both.call("PromptHistories.get_history_by_prompt_id", prompt.id, limit=1, offset=1)
    newest, middle, first = [entry.id for entry in entries]
    await both.call("PromptHistories.get_history_count", prompt.id)
    await both.call("PromptHistories.get_latest_history_entry", prompt.id)
    await both.call("PromptHistories.get_latest_history_entry", "unknown")
    for each in (first, "unknown"):
        await both.call("PromptHistories.get_history_entry_by_id", each)
        await both.call("PromptHistories.compute_diff", each, newest, prompt.id)
        await both.call("Prompts.update_prompt_version", prompt.id, each)
    await both.call("Prompts.update_prompt_version", other.id, first)
    await both.call("Prompts.update_prompt_version", "unknown", first)
    await both.call("PromptHistories.delete_history_entry", middle, other.id)
    await both.call("PromptHistories.delete_history_entry", middle, prompt.id)
    await both.call("PromptHistories.delete_history_entry", first, prompt.id)
    await both.call("PromptHistories.create_history_entry", prompt.id, {"content": "x"}, "u3", newest, "message")
    await both.call("PromptHistories.create_history_entry", "unknown", {}, "")
    await both.call("PromptHistories.create_history_entry", prompt.id, None, None)
    await both.call("PromptHistories.delete_history_by_prompt_id", prompt.id)
    await both.call("PromptHistories.delete_history_by_prompt_id", "unknown")
