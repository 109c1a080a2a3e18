"""Any sequence of calls on access grants does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.support.contracts import ACCESS
from tests.support.differential import HOSTILE_NAMES, SURROGATES, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

GRANTS = ACCESS.only("access_grant")

hostile = st.sampled_from([*HOSTILE_NAMES.values(), *SURROGATES.values()])
kinds = st.sampled_from(["model", "note", "model", ""])
keys = st.sampled_from(["m", "n", "m", "M", ""]) | hostile
principals = st.sampled_from([("user", "u1"), ("user", "*"), ("group", "g1"), ("group", "u1"), ("anyone", "*")])
permissions = st.sampled_from(["read", "write", "read", "admin"])
users = st.sampled_from(["u1", "u2", "g1", "*"])
group_ids = st.sets(st.sampled_from(["g1", "g2", "u1", ""]), max_size=3)
forms = st.builds(
    lambda who, what: {"principal_type": who[0], "principal_id": who[1], "permission": what}, principals, permissions
)
grants = st.lists(forms | st.sampled_from([None, {}, {"principal_type": "user"}]), max_size=4)
members = st.fixed_dictionaries(
    {},
    optional={
        "group_ids": st.lists(st.sampled_from(["g1", "g2"]), max_size=2),
        "user_ids": st.lists(st.sampled_from(["u1", "*"]), max_size=2),
    },
)
controls = st.none() | st.fixed_dictionaries({}, optional={"read": st.none() | members, "write": members})


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:
    with (
        asyncio.Runner() as runner,
        blocking_pair(runner, GRANTS, pocketbase, tmp_path) as (pair, reset),
    ):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                return runner.run(pair.call(method, *args, **kwargs))

            @rule(kind=kinds, key=keys, principal=principals, permission=permissions)
            def grant(self, kind: str, key: str, principal: tuple[str, str], permission: str) -> None:
                self.call("grant_access", kind, key, *principal, permission)

            @rule(kind=kinds, key=keys, principal=principals, permission=permissions)
            def revoke(self, kind: str, key: str, principal: tuple[str, str], permission: str) -> None:
                self.call("revoke_access", kind, key, *principal, permission)

            @rule(kind=kinds, key=keys)
            def revoke_all(self, kind: str, key: str) -> None:
                self.call("revoke_all_access", kind, key)

            @rule(kind=kinds, key=keys, new=st.none() | grants)
            def set_grants(self, kind: str, key: str, new: Any) -> None:
                self.call("set_access_grants", kind, key, new)

            @rule(kind=kinds, key=keys, new=controls)
            def set_control(self, kind: str, key: str, new: Any) -> None:
                self.call("set_access_control", kind, key, new)

            @rule(kind=kinds, key=keys, other=keys)
            def look(self, kind: str, key: str, other: str) -> None:
                self.call("get_grants_by_resource", kind, key, rows=False)
                self.call("get_grants_by_resources", kind, [key, other], rows=False)
                self.call("get_access_control", kind, key, rows=False)

            @rule(user=users, kind=kinds, key=keys, other=keys, permission=permissions, groups=group_ids)
            def check(self, user: str, kind: str, key: str, other: str, permission: str, groups: set[str]) -> None:
                self.call("has_access", user, kind, key, permission, groups, rows=False)
                self.call("get_accessible_resource_ids", user, kind, [key, other], permission, groups, rows=False)
                self.call("has_anyone_access", kind, key, permission, rows=False)

        run_state_machine_as_test(Machine, settings=machine(15, 30))
