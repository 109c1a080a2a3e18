"""Any sequence of calls on tags does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test

from tests.support.contracts import TAGS
from tests.support.differential import HOSTILE_NAMES, SURROGATES, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

names = st.one_of(
    st.sampled_from(["a", "A", "a b", "a_b", "A B", "b"]),
    st.sampled_from([*HOSTILE_NAMES.values(), *SURROGATES.values()]),
    st.text(max_size=8),
)
users = st.sampled_from(["u1", "u1", "u2", "U1", "", "a\x00'"])


def tag_id(name: str) -> str:
    return name.replace(" ", "_").lower()


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:
    with asyncio.Runner() as runner, blocking_pair(runner, TAGS, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            known = Bundle("known")

            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any) -> Any:
                return runner.run(pair.call(method, *args))

            @rule(target=known, name=names, user=users)
            def insert(self, name: str, user: str) -> Any:
                return name if self.call("insert_new_tag", name, user) else multiple()

            @rule(target=known, new=st.lists(names, max_size=4), user=users)
            def ensure_new(self, new: list[str], user: str) -> Any:
                self.call("ensure_tags_exist", new, user)
                return multiple(*new)

            @rule(new=st.lists(names | known, max_size=4), user=users)
            def ensure(self, new: list[str], user: str) -> None:
                self.call("ensure_tags_exist", new, user)

            @rule(name=known | names, user=users)
            def get(self, name: str, user: str) -> None:
                self.call("get_tag_by_name_and_user_id", name, user)

            @rule(name=known | names, user=users)
            def delete(self, name: str, user: str) -> None:
                self.call("delete_tag_by_name_and_user_id", name, user)

            @rule(some=st.lists(known | names, max_size=5), user=users)
            def get_by_ids(self, some: list[str], user: str) -> None:
                self.call("get_tags_by_ids_and_user_id", [tag_id(name) for name in some], user)

            @rule(some=st.lists(known | names, max_size=3), user=users)
            def delete_by_ids(self, some: list[str], user: str) -> None:
                self.call("delete_tags_by_ids_and_user_id", [tag_id(name) for name in some], user)

        run_state_machine_as_test(Machine, settings=machine(20, 30))
