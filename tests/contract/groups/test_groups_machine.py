"""Any sequence of calls on groups does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from open_webui.models import groups as stock
from open_webui.models.groups import GroupForm, GroupModel, GroupUpdateForm

from tests.support.contracts import GROUPS
from tests.support.differential import HOSTILE_NAMES, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

MEMBERSHIPS = GROUPS.only("group", "group_member")

names = st.sampled_from(["a", "A", "b", "ab", "", *HOSTILE_NAMES.values()]) | st.text(max_size=6)
users = st.sampled_from(["u1", "u2", "u3", "", "a'\x00"])
some_users = st.lists(users, max_size=4)
shares = st.sampled_from([True, False, None, "members", "true", "FALSE", 1, 0])
configs = st.fixed_dictionaries(
    {}, optional={"share": shares, "default_models": st.none() | st.lists(st.sampled_from(["m", "n"]), max_size=2)}
)
data = st.fixed_dictionaries({}, optional={"config": configs, "x": st.integers(0, 3), "share": shares})
permissions = st.dictionaries(st.sampled_from("ab"), st.booleans() | st.dictionaries(st.just("c"), st.booleans()))
forms = st.fixed_dictionaries({}, optional={"data": st.none() | data, "permissions": st.none() | permissions})


def test_machine(  # noqa: C901 - one rule per method
    pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[list[str]] = []

    async def record(user_ids: Any) -> None:
        refreshed.append(sorted(user_ids))

    monkeypatch.setattr(stock, "refresh_group_sessions", record)
    with (
        asyncio.Runner() as runner,
        blocking_pair(runner, MEMBERSHIPS, pocketbase, tmp_path) as (pair, reset),
    ):

        class Machine(RuleBasedStateMachine):
            known = Bundle("known")  # ids of groups that were made, deleted ones among them

            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                refreshed.clear()
                result = runner.run(pair.call(method, *args, **kwargs))
                half = len(refreshed) // 2
                assert refreshed[:half] == refreshed[half:]
                return result

            def made(self, group: Any) -> Any:
                return group.id if isinstance(group, GroupModel) else multiple()

            @rule(step=st.integers(0, 1))
            def pass_time(self, step: int) -> None:
                pair.step = step

            @initialize(target=known, members=st.lists(users, min_size=4, max_size=4))
            def grow(self, members: list[str]) -> Any:
                made: list[str] = []
                for number, user in enumerate(members):
                    parent = made[(number - 1) // 2] if number else None
                    form = GroupForm(name="a", description="", parent_group_id=parent)
                    made.append(self.call("insert_new_group", "u1", form).id)
                    self.call("add_users_to_group", made[-1], [user])
                return multiple(*made)

            @rule(target=known, name=names, form=forms, parent=st.none() | known)
            def insert(self, name: str, form: dict[str, Any], parent: str | None) -> Any:
                form = {**form, "name": name, "description": "", "parent_group_id": parent}
                return self.made(self.call("insert_new_group", "u1", GroupForm(**form)))

            @rule(group=known, name=names, form=forms)
            def update(self, group: str, name: str, form: dict[str, Any]) -> None:
                self.call("update_group_by_id", group, GroupUpdateForm(**form, name=name, description=""), rows=False)

            @rule(group=known, parent=known | st.none())
            def move(self, group: str, parent: str | None) -> None:
                form = GroupUpdateForm(name="moved", description="", parent_group_id=parent)
                self.call("update_group_by_id", group, form)

            @rule(group=known)
            def delete(self, group: str) -> None:
                self.call("delete_group_by_id", group)

            @rule(group=known, members=some_users)
            def add(self, group: str, members: list[str]) -> None:
                self.call("add_users_to_group", group, members)

            @rule(group=known, members=some_users)
            def remove(self, group: str, members: list[str]) -> None:
                self.call("remove_users_from_group", group, members)

            @rule(group=known, members=some_users)
            def set(self, group: str, members: list[str]) -> None:
                self.call("set_group_user_ids_by_id", group, members)

            @rule(user=users)
            def leave(self, user: str) -> None:
                self.call("remove_user_from_all_groups", user)

            @rule(target=known, new=st.lists(names, max_size=3))
            def create(self, new: list[str]) -> Any:
                return multiple(*(group.id for group in self.call("create_groups_by_group_names", "u2", new)))

            @rule(user=users, some=st.lists(names, max_size=3))
            def sync(self, user: str, some: list[str]) -> None:
                self.call("sync_groups_by_group_names", user, some)

            @rule(one=known, other=known, user=users, inherited=st.booleans())
            def look(self, one: str, other: str, user: str, inherited: bool) -> None:
                for method, ids in [
                    ("get_groups_by_member_ids", [user, "u1"]),
                    ("get_group_user_ids_by_ids", [one, other]),
                    ("get_group_member_counts_by_ids", [one, other]),
                ]:
                    self.call(method, ids, include_inherited=inherited, rows=False)
                self.call("get_ancestor_ids", one, rows=False)
                self.call("get_group_by_id", other, rows=False)

            @rule(query=names, share=shares, user=users | st.none(), parts=st.sets(st.sampled_from("qsm")))
            def search(self, query: str, share: Any, user: str | None, parts: Any) -> None:
                possible = {"query": query, "share": share, "member_id": user}
                wanted = {name: value for name, value in possible.items() if name[0] in parts}
                self.call("get_groups", wanted, rows=False)
                self.call("search_groups", wanted, 1, 2, rows=False)
                self.call("get_group_by_name", query, rows=False)
                self.call("get_all_groups", rows=False)

        run_state_machine_as_test(Machine, settings=machine(16, 30))
