"""Any sequence of calls on folders does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from open_webui.models.folders import FolderForm, FolderModel, FolderUpdateForm

from tests.support.contracts import FOLDERS
from tests.support.differential import HOSTILE_NAMES, IDS, SURROGATES, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

Folder = tuple[str, str]

names = st.one_of(
    st.sampled_from(["a", "A", "a b", "a_b", " A  B", "b"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([*HOSTILE_NAMES.values(), *SURROGATES.values()]),
    st.text(max_size=8),
)
users = st.sampled_from(["u1", "u1", "u1", "u2"])
no_folders = st.none() | st.sampled_from(["", "no id: at/all"])


def objects(value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["a", "b", "", "a.b", "__proto__", "1"]) | names, value, max_size=4)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | objects(inner), max_leaves=8)


forms = st.fixed_dictionaries({}, optional={"data": objects(values), "meta": objects(values)})
changes = st.fixed_dictionaries(
    {}, optional={"name": st.none() | names, "data": st.none() | objects(values), "meta": st.none() | objects(values)}
)


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    with asyncio.Runner() as runner, blocking_pair(runner, FOLDERS, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            known = Bundle("known")  # (id, owner) of folders that were made, deleted ones among them

            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any) -> Any:
                return runner.run(pair.call(method, *args))

            def made(self, folder: Any) -> Any:
                return (folder.id, folder.user_id) if isinstance(folder, FolderModel) else multiple()

            @rule(step=st.integers(0, 1))
            def pass_time(self, step: int) -> None:
                pair.step = step

            @initialize(target=known, start=st.lists(names, min_size=2, max_size=5))
            def grow(self, start: list[str]) -> Any:
                made = []
                for number, name in enumerate(start):
                    parent = IDS[number // 2 - 1] if number > 1 else None
                    made.append(self.call("insert_new_folder", "u1", FolderForm(name=name), parent))
                return multiple(*(self.made(folder) for folder in made if isinstance(folder, FolderModel)))

            @rule(target=known, user=users, name=names, form=forms, parent=no_folders)
            def insert(self, user: str, name: str, form: dict[str, Any], parent: str | None) -> Any:
                return self.made(self.call("insert_new_folder", user, FolderForm(**form, name=name), parent))

            @rule(target=known, parent=known, name=names)
            def insert_below(self, parent: Folder, name: str) -> Any:
                return self.made(self.call("insert_new_folder", parent[1], FolderForm(name=name), parent[0]))

            @rule(folder=known, change=changes)
            def update(self, folder: Folder, change: dict[str, Any]) -> None:
                self.call("update_folder_by_id_and_user_id", *folder, FolderUpdateForm(**change))

            @rule(folder=known, change=changes)
            def update_again(self, folder: Folder, change: dict[str, Any]) -> None:
                self.update(folder, change)

            @rule(folder=known, parent=known)
            def move(self, folder: Folder, parent: Folder) -> None:
                self.call("update_folder_parent_id_by_id_and_user_id", *folder, parent[0])

            @rule(folder=known, parent=no_folders)
            def move_away(self, folder: Folder, parent: str | None) -> None:
                self.call("update_folder_parent_id_by_id_and_user_id", *folder, parent)

            @rule(folder=known, is_expanded=st.booleans())
            def expand(self, folder: Folder, is_expanded: bool) -> None:
                self.call("update_folder_is_expanded_by_id_and_user_id", *folder, is_expanded)

            @rule(folder=known)
            def delete(self, folder: Folder) -> None:
                self.call("delete_folder_by_id_and_user_id", *folder)

            @rule(folder=known, user=users, change=changes)
            def meddle(self, folder: Folder, user: str, change: dict[str, Any]) -> None:
                self.call("get_folder_by_id_and_user_id", folder[0], user)
                self.call("update_folder_by_id_and_user_id", folder[0], user, FolderUpdateForm(**change))

            @rule(folder=known, user=users)
            def look(self, folder: Folder, user: str) -> None:
                self.call("get_folder_by_id", folder[0])
                self.call("get_children_folders_by_id_and_user_id", *folder)
                self.call("get_folders_by_parent_id_and_user_id", folder[0], user)
                self.call("get_folder_ids_by_id_and_user_id_in_subtree", *folder)

            @rule(one=known, other=known)
            def look_at_both(self, one: Folder, other: Folder) -> None:
                self.call("get_folders_by_ids", [one[0], other[0]])

            @rule(user=users, parent=no_folders, folder=known, name=names)
            def look_for_name(self, user: str, parent: str | None, folder: Folder, name: str) -> None:
                self.call("get_folder_by_parent_id_and_user_id_and_name", parent, user, name)
                self.call("get_folder_by_parent_id_and_user_id_and_name", folder[0], folder[1], name)

            @rule(user=users, queries=st.lists(names, max_size=3))
            def search(self, user: str, queries: list[str]) -> None:
                self.call("search_folders_by_names", user, queries)
                self.call("search_folders_by_name_contains", user, queries[0] if queries else "")

        run_state_machine_as_test(Machine, settings=machine(20, 40))
