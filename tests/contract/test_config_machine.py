"""Any sequence of calls on the configuration does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from open_webui.models.config import Config

from tests.support.contracts import CONFIG
from tests.support.differential import blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

KEYS = ["a", "a.b", "A.c", "a_b.c", "b.a", "b.a.b", "oauth.id", "ui.default_models", "user.permissions.x.y", "é.%"]

keys = st.sampled_from(KEYS)
prefixes = st.sampled_from(["a", "b", "b.a", "a_b", "oauth", "ui", "%", ""])
values = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, -(2**63), "null", "1"])
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=4, alphabet="aé'\"\\{1"),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from("abc"), each, max_size=3),
    max_leaves=5,
)
some = st.dictionaries(keys, values, max_size=4)


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEFAULTS", "PERSISTENT_ENABLED", "OAUTH_PERSISTENT_ENABLED"):
        monkeypatch.setattr(Config, name, getattr(Config, name))
    with asyncio.Runner() as runner, blocking_pair(runner, CONFIG, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                Config.configure(defaults={"a": 1, "oauth.id": 2, "new": None})
                reset()

            def call(self, method: str, *args: Any) -> Any:
                return runner.run(pair.call(method, *args))

            @rule(updates=some)
            def upsert(self, updates: dict[str, Any]) -> None:
                self.call("upsert", updates)

            @rule(defaults=some)
            def seed(self, defaults: dict[str, Any]) -> None:
                self.call("seed_defaults", defaults)

            @rule(key=keys)
            def delete(self, key: str) -> None:
                self.call("delete", key)

            @rule(old=prefixes, new=st.sampled_from(["n", "m"]))
            def rename(self, old: str, new: str) -> None:
                self.call("rename_prefix", old, new)

            @rule()
            def repair(self) -> None:
                self.call("delete", "user.permissions")  # stock loses parts of a value that is there
                self.call("repair_config_rows")

            @rule(key=keys, namespace=prefixes)
            def read(self, key: str, namespace: str) -> None:
                self.call("get", key)
                self.call("get_many", key, "new", "x")
                self.call("get_namespace", namespace)
                self.call("get_all")

        run_state_machine_as_test(Machine, settings=machine(15, 30))
