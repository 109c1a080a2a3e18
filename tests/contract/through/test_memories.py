"""Memories, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from tests.support.written_through import Compared

GROUPS = ("memories",)


async def test_life_of_a_memory(both: Compared) -> None:
    memory = await both.call("Memories.insert_new_memory", "u1", "likes tea", "user", "/a", {"n": 1})
    other = await both.call("Memories.insert_new_memory", "u1", "", "nonsense")
    await both.call("Memories.insert_new_memory", "u2", "of another one")
    updates: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
        ("u1", "likes coffee", {}),
        ("u1", None, {"memory_type": "context", "path": None, "update_path": True, "meta": {"m": [2]}}),
        ("u2", "not theirs", {}),
    )
    for user, content, more in updates:
        await both.call("Memories.update_memory_by_id_and_user_id", memory.id, user, content, **more)
    await both.call("Memories.update_memory_by_id_and_user_id", "unknown", "u1", "x")
    await both.call("Memories.get_memories", sort=True)
    for user in ("u1", "u2", "u3"):
        await both.call("Memories.get_memories_by_user_id", user, sort=True)
    for each in (memory.id, "unknown"):
        await both.call("Memories.get_memory_by_id", each)
        await both.call("Memories.delete_memory_by_id_and_user_id", each, "u2")
        await both.call("Memories.delete_memory_by_id_and_user_id", each, "u1")
    await both.call("Memories.delete_memory_by_id", other.id)
    await both.call("Memories.delete_memory_by_id", other.id)
    await both.call("Memories.delete_memories_by_user_id", "u2")
    await both.call("Memories.delete_memories_by_user_id", "u3")


async def test_several_operations_in_one_transaction(both: Compared) -> None:
    first = await both.call("Memories.insert_new_memory", "u1", "first")
    second = await both.call("Memories.insert_new_memory", "u1", "second")
    await both.call(
        "Memories.apply_memory_operations",
        "u1",
        [
            {"action": "add", "content": " third ", "type": "user", "meta": {"a": 1}},
            {"action": "add", "content": "first"},
            {"action": "replace", "id": first.id, "content": "changed", "path": "/p", "meta": {"b": 2}},
            {"action": "move", "id": second.id, "path": "/q"},
            {"action": "remove", "id": second.id},
        ],
    )
    # What came before the one that fails is undone.
    for failing in ({"action": "remove", "id": "unknown"}, {"action": "nonsense"}, {"action": "add", "content": 1}):
        await both.call(
            "Memories.apply_memory_operations",
            "u1",
            [{"action": "add", "content": "undone"}, {"action": "remove", "id": first.id}, failing],
        )
    await both.call("Memories.apply_memory_operations", "u1", [])
