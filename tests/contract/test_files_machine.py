"""Any sequence of calls on files does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from open_webui.models.files import FileForm, FileUpdateForm

from tests.support.contracts import FILES
from tests.support.differential import HOSTILE_NAMES, IDS, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

ids = st.sampled_from(IDS[:4])
names = st.sampled_from(["a", "A.txt", "*", "?", "b_%.pdf", *(n for n in HOSTILE_NAMES.values() if "\0" not in n)])
users = st.sampled_from(["u1", "u2"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
keys = st.sampled_from(["content", "content", "status", "a", "", "a.b", "__proto__", "1", "CONTENT"])
objects = st.dictionaries(keys, scalars | st.dictionaries(keys, scalars, max_size=2), max_size=4)
some = st.none() | objects


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    with asyncio.Runner() as runner, blocking_pair(runner, FILES, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any) -> None:
                runner.run(pair.call(method, *args))

            @rule(step=st.integers(0, 1))
            def pass_time(self, step: int) -> None:
                pair.step = step

            @rule(key=ids, user=users, name=names, data=objects, meta=objects)
            def insert(self, key: str, user: str, name: str, data: dict[str, Any], meta: dict[str, Any]) -> None:
                self.call("insert_new_file", user, FileForm(id=key, filename=name, path=name, data=data, meta=meta))

            @rule(key=ids, hash=st.none() | names, data=some, meta=some)
            def update(self, key: str, hash: str | None, data: Any, meta: Any) -> None:
                self.call("update_file_by_id", key, FileUpdateForm(hash=hash, data=data, meta=meta))

            @rule(key=ids, data=objects)
            def update_data(self, key: str, data: dict[str, Any]) -> None:
                self.call("update_file_data_by_id", key, data)

            @rule(key=ids, meta=objects)
            def update_meta(self, key: str, meta: dict[str, Any]) -> None:
                self.call("update_file_metadata_by_id", key, meta)

            @rule(key=ids, name=names)
            def rename(self, key: str, name: str) -> None:
                self.call("update_file_name_by_id", key, name)

            @rule(key=ids)
            def delete(self, key: str) -> None:
                self.call("delete_file_by_id", key)

            @rule(keys=st.lists(ids, max_size=4))
            def look(self, keys: list[str]) -> None:
                self.call("get_files_by_ids", keys)
                self.call("get_file_metadatas_by_ids", keys)
                self.call("get_file_by_id", keys[0] if keys else "")

            @rule(user=st.none() | users, name=names, skip=st.integers(0, 3), limit=st.integers(0, 4))
            def list_and_search(self, user: str | None, name: str, skip: int, limit: int) -> None:
                self.call("get_file_list", user, skip, limit)
                self.call("search_files", user, name, skip, limit)
                self.call("count_files_by_user_id", user)

        run_state_machine_as_test(Machine, settings=machine(15, 30))
