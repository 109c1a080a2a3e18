"""Skills and their versions, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.skills import SkillForm, SkillMeta

from tests.support.written_through import Compared

GROUPS = ("skills",)

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}


def form(skill_id: str, content: str | None = "text", **more: Any) -> SkillForm:
    return SkillForm(**{"id": skill_id, "name": f"Name of {skill_id}", "content": content, **more})


async def test_life_of_a_skill(both: Compared) -> None:
    meta = SkillMeta(tags=["ü"], i18n={"de": {"name": "N"}})
    skill = await both.call(
        "Skills.insert_new_skill", "u1", form("a", description="d", meta=meta, access_grants=[READ_BY_GROUP])
    )
    await both.call("Skills.insert_new_skill", "u2", form("a"))  # the id is taken
    await both.call("Skills.insert_new_skill", "u2", form("b", name=skill.name))  # the name is taken
    await both.call("Skills.insert_new_skill", "u2", form("b", is_active=False, access_grants=[]))
    files = [{"path": "SKILL.md", "content": "x"}, {"path": "more/a.txt", "content": "y"}]
    await both.call("Skills.insert_new_skill", "u2", form("c", None, files=files, commit_message="first"))
    for updated in (
        {"content": "second", "commit_message": "why"},
        {"content": "second"},
        {"name": "Name of b"},
        {"is_active": False, "description": None},
        {"files": files},
        {"files": files, "expected_version_id": "another"},
    ):
        await both.call("Skills.update_skill_by_id", "a", updated, user_id="u2")
    current = (await both.call("Skills.get_skill_by_id", "a")).version_id
    await both.call("Skills.update_skill_by_id", "a", {"files": files, "expected_version_id": current})
    await both.call("Skills.update_skill_by_id", "unknown", {"name": "x"})
    for each in ("b", "b", "unknown"):
        await both.call("Skills.toggle_skill_by_id", each)
    for each in ("b", "b", "unknown"):
        await both.call("Skills.delete_skill_by_id", each)
        await both.call("Skills.get_skill_by_id", each)
    await both.call("Skills.insert_new_skill", "u3", form("again", name="Name of b"))


async def test_lists(both: Compared) -> None:
    for n, grants in enumerate([[], [READ_BY_GROUP], None, []]):
        await both.call("Skills.insert_new_skill", f"u{n % 3 + 1}", form(f"s{n}", access_grants=grants))
    for name in ("Name of s1", "unknown"):
        await both.call("Skills.get_skill_by_name", name)
    await both.call("Skills.get_skills")
    await both.call("Skills.get_skills", ids=["s2", "unknown", "s0"])
    for user in ("u1", "u2", "u3"):
        await both.call("Skills.get_skills", user)
    for asked in (
        {"query": "S1"},
        {"view_option": "created", "order_by": "name", "direction": "asc"},
        {"view_option": "shared", "order_by": "created_at"},
        {"order_by": "updated_at", "direction": "asc"},
    ):
        await both.call("Skills.search_skills", "u2", {"user_id": "u2", "group_ids": ["g"], **asked}, limit=2)
    await both.call("Skills.search_skills", "u1", skip=1)


async def test_versions(both: Compared) -> None:
    both.step = 0  # several saves in a second
    await both.call("Skills.insert_new_skill", "u1", form("a", "one"))
    await both.call("Skills.insert_new_skill", "u1", form("b", "other"))
    for content in ("two", "three"):
        await both.call("Skills.update_skill_by_id", "a", {"content": content}, user_id="u3")
    newest, middle, first = [entry.id for entry in await both.call("SkillHistories.get_history_by_skill_id", "a")]
    await both.call("SkillHistories.get_history_by_skill_id", "a", 2)
    for skill, entry in (("a", first), ("b", first), ("a", "unknown")):
        await both.call("SkillHistories.get_history_by_id", skill, entry)
    for skill, entry, expected in (
        ("a", first, middle),
        ("a", first, newest),
        ("a", "unknown", first),
        ("b", first, newest),
        ("unknown", first, newest),
    ):
        await both.call("Skills.update_skill_version", skill, entry, expected)
    for skill, entry in (("a", first), ("a", middle), ("a", middle), ("b", newest), ("unknown", first)):
        await both.call("SkillHistories.delete_history_entry", skill, entry)
    await both.call("Skills.delete_skill_by_id", "a")
