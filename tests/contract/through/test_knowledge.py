"""Knowledge, its directories and files, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.knowledge import KnowledgeForm

from tests.support.written_through import Compared

GROUPS = ("knowledge",)

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}


async def base(both: Compared, name: str = "K", user: str = "u1") -> str:
    form = KnowledgeForm(name=name, description="ü", access_grants=[READ_BY_GROUP])
    found: str = (await both.call("Knowledges.insert_new_knowledge", user, form)).id
    return found


async def directory(both: Compared, knowledge: str, name: str, parent: str | None = None) -> str:
    found: str = (await both.call("Knowledges.create_directory", knowledge, name, "u1", parent)).id
    return found


async def test_bases(both: Compared) -> None:
    one, two = await base(both), await base(both, "Other", "u2")
    await both.call("Knowledges.add_file_to_knowledge_by_id", one, "f1", "u1")
    await both.call("Knowledges.update_knowledge_by_id", one, KnowledgeForm(name="New", description=""))
    await both.call("Knowledges.update_knowledge_meta_by_id", two, {"source": "external", "n": [None]})
    await both.call("Knowledges.update_knowledge_by_id", "unknown", KnowledgeForm(name="", description=""))
    await both.call("Knowledges.update_knowledge_meta_by_id", "unknown", {})
    for user in ("u1", "u2", "u3"):
        for permission in ("read", "write"):
            await both.call("Knowledges.check_access_by_user_id", one, user, permission)
    await both.call("Knowledges.check_access_by_user_id", "unknown", "u1")
    await both.call("Knowledges.get_knowledge_bases")
    rights: dict[str, Any] = {"user_id": "u2", "group_ids": ["g"]}
    for asked in (
        {"query": "new"},
        {"source": "external"},
        {"source": "local", "view_option": "shared"},
        {"view_option": "created", "order_by": "name", "direction": "asc"},
    ):
        await both.call("Knowledges.search_knowledge_bases", "u2", rights | asked)
    for more in ({}, {"query": "FILE"}, {"query": "text of", "include_content": True}):
        await both.call("Knowledges.search_knowledge_files", {**rights, **more})
    for each in (one, "unknown"):
        await both.call("Knowledges.get_knowledge_by_id", each)
        await both.call("Knowledges.delete_knowledge_by_id", each)
    for _ in range(2):
        await both.call("Knowledges.delete_all_knowledge")


async def test_files(both: Compared) -> None:
    one, two = await base(both), await base(both, "Other")
    docs = await directory(both, one, "docs")
    for knowledge, file, place in ((one, "f1", None), (one, "f2", docs), (two, "f1", None), (one, "f1", docs)):
        await both.call("Knowledges.add_file_to_knowledge_by_id", knowledge, file, "u1", place)
    for knowledge, file in ((one, "f1"), (one, "f3"), ("unknown", "f1")):
        await both.call("Knowledges.has_file", knowledge, file)
    for knowledge in (one, two, "unknown"):
        for method in ("get_files_by_id", "get_file_metadatas_by_id", "get_files_with_directory_ids"):
            await both.call(f"Knowledges.{method}", knowledge, sort=True)
        await both.call("Knowledges.get_files_by_id_and_directory_id", knowledge, docs, sort=True)
    await both.call("Knowledges.get_knowledges_by_file_id", "f1", sort=True)
    for asked in (
        None,
        {"directory_id": docs},
        {"directory_id": None, "query": "file", "view_option": "created"},
        {"query": "text", "include_content": True, "order_by": "name", "direction": "asc"},
        {"order_by": "created_at", "view_option": "shared"},
    ):
        await both.call("Knowledges.search_files_by_id", one, "u1", asked)
    for file, place in (("f1", docs), ("f2", None), ("unknown", docs)):
        await both.call("Knowledges.move_file_to_directory", one, file, place)
    for file in ("f1", "f1", "unknown"):
        await both.call("Knowledges.remove_file_from_knowledge_by_id", one, file)
    await both.call("Knowledges.add_file_to_knowledge_by_id", one, "f1", "u1", docs)
    for knowledge, along in ((one, False), (one, True), ("unknown", True)):
        await both.call("Knowledges.reset_knowledge_by_id", knowledge, along)


async def test_directories(both: Compared) -> None:
    one, two = await base(both), await base(both, "Other")
    a = await directory(both, one, "a")
    b = await directory(both, one, "b", a)
    c = await directory(both, one, "c", b)
    await directory(both, two, "a")
    await both.call("Knowledges.create_directory", one, "b", "u1", a)  # the name is taken
    await both.call("Knowledges.add_file_to_knowledge_by_id", one, "f1", "u1", b)
    await both.call("Knowledges.add_file_to_knowledge_by_id", one, "f2", "u1", c)
    for knowledge, parent in ((one, None), (one, a), (one, "unknown"), (two, None)):
        await both.call("Knowledges.get_directories", knowledge, parent)
    await both.call("Knowledges.get_all_directories", one)
    for each in (c, "unknown"):
        await both.call("Knowledges.get_directory_by_id", each)
        await both.call("Knowledges.get_directory_breadcrumbs", one, each)
    await both.call("Knowledges.get_directory_breadcrumbs", two, c)
    await both.call("Knowledges.get_directory_breadcrumbs", one, None)
    for each, name in ((b, "B"), (b, None), ("unknown", "x")):
        await both.call("Knowledges.rename_directory", each, name)
    for each, parent in ((a, c), (c, a), (c, None), ("unknown", a), (c, a)):
        await both.call("Knowledges.move_directory", each, parent)
    await both.call("Knowledges.update_directory", c, "B", a)  # the name is taken
    await both.call("Knowledges.update_directory", c, "C", None)
    await both.call("Knowledges.update_directory", c, parent_id=b)
    await both.call("Knowledges.update_directory", c)
    await both.call("Knowledges.delete_directory", b)
    await both.call("Knowledges.delete_directory", a, move_files_to_parent=False)
    await both.call("Knowledges.delete_directory", "unknown")
    await both.call("Knowledges.delete_knowledge_by_id", one)
