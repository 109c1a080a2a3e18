"""Any sequence of calls on users does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from open_webui.models import groups as host_groups
from open_webui.models.users import UserStatus

from tests.support.contracts import USERS
from tests.support.differential import HOSTILE_NAMES, IDS, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

texts = st.one_of(
    st.sampled_from(["a", "A", "b", "a b", "Ä", "ä", ""]),
    st.sampled_from(list(HOSTILE_NAMES.values())),
    st.text(max_size=8),
)
emails = st.sampled_from(["a@x.y", "A@x.y", "b@x.y", "c@x.y", "", " "]) | texts
ids = st.sampled_from(IDS[:6])
roles = st.sampled_from(["admin", "user", "pending", ""])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
keys = st.sampled_from(["a", "b", "", "a.b", "__proto__", "ui", "1"]) | st.text(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(keys, values, max_size=4)
ui = st.none() | objects
times = st.integers(0, 2**40)
columns = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "email": emails,
        "role": roles,
        "bio": st.none() | texts,
        "gender": st.none() | texts,
        "timezone": st.none() | texts,
        "username": st.none() | st.text(max_size=9),
        "date_of_birth": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        "info": st.none() | objects,
        "variables": st.none() | objects,
        "settings": st.none() | st.fixed_dictionaries({"ui": ui, "more": values}),
        "oauth": st.none() | st.dictionaries(keys, objects, max_size=2),
        "scim": st.none() | objects,
        "status_expires_at": st.none() | times,
        "created_at": times,
        "last_active_at": times,
        "no column": texts,
    },
)
providers = st.sampled_from(["google", "okta", "a", "ui"])
subs = st.sampled_from(["1", "2", "01", "s"])


async def _no_sockets(_user_ids: Any) -> None:
    pass


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    with (
        patch.object(host_groups, "refresh_group_sessions", _no_sockets),
        asyncio.Runner() as runner,
        blocking_pair(runner, USERS.only("user"), pocketbase, tmp_path) as (pair, reset),
    ):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, rows: bool = True) -> Any:
                return runner.run(pair.call(method, *args, rows=rows))

            @rule(step=st.integers(0, 1))
            def pass_time(self, step: int) -> None:
                pair.step = step

            @initialize(roles=st.lists(roles, min_size=2, max_size=4))
            def begin(self, roles: list[str]) -> None:
                for number, role in enumerate(roles):
                    self.call("insert_new_user", IDS[number], f"Name {number}", f"{number}@x.y", "/user.png", role)

            @rule(id=ids, name=texts, email=emails, role=roles, oauth=st.none() | objects)
            def insert(self, id: str, name: str, email: str, role: str, oauth: dict[str, Any] | None) -> None:
                self.call("insert_new_user", id, name, email, "", role, None, oauth)

            @rule(id=ids, changes=columns)
            def update(self, id: str, changes: dict[str, Any]) -> None:
                self.call("update_user_by_id", id, changes)

            @rule(id=ids, email=emails)
            def move(self, id: str, email: str) -> None:
                self.call("update_user_by_id", id, {"email": email})

            @rule(id=ids, role=roles, emoji=st.none() | texts, message=st.none() | texts)
            def update_role_and_status(self, id: str, role: str, emoji: str | None, message: str | None) -> None:
                self.call("update_user_role_by_id", id, role)
                self.call("update_user_status_by_id", id, UserStatus(status_emoji=emoji, status_message=message))

            @rule(id=ids, provider=providers, sub=subs)
            def update_oauth(self, id: str, provider: str, sub: str) -> None:
                self.call("update_user_oauth_by_id", id, provider, sub)

            @rule(id=ids, provider=providers, external_id=st.none() | subs)
            def update_scim(self, id: str, provider: str, external_id: str | None) -> None:
                self.call("update_user_scim_by_id", id, provider, external_id)

            @rule(id=ids, ui=ui, more=objects)
            def update_settings(self, id: str, ui: dict[str, Any] | None, more: dict[str, Any]) -> None:
                self.call("update_user_settings_by_id", id, {**more, "ui": ui})

            @rule(id=ids, ui=objects)
            def update_interface(self, id: str, ui: dict[str, Any]) -> None:
                self.call("update_user_settings_by_id", id, {"ui": ui})

            @rule(id=ids)
            def delete(self, id: str) -> None:
                self.call("delete_user_by_id", id)

            @rule(id=ids, email=emails, provider=providers, sub=subs)
            def look(self, id: str, email: str, provider: str, sub: str) -> None:
                for method, *args in [
                    ("get_user_by_id", id),
                    ("get_scim_user_by_id", id),
                    ("is_user_active", id),
                    ("get_user_by_email", email),
                    ("get_user_by_oauth_sub", provider, sub),
                    ("get_user_by_scim_external_id", provider, sub),
                    ("get_first_user",),
                    ("get_super_admin_user",),
                    ("get_num_users",),
                    ("get_num_users_active_today",),
                    ("get_active_user_count",),
                ]:
                    self.call(method, *args, rows=False)

            @rule(
                query=st.none() | texts.filter(lambda text: "\x00" not in text),  # at which a pattern ends
                chosen=st.lists(ids, max_size=3),
                roles=st.lists(st.sampled_from(["admin", "!user", "pending", "!"]), max_size=2),
                order_by=st.sampled_from(["name", "email", "created_at", "last_active_at", "updated_at", "role", "x"]),
                direction=st.sampled_from(["asc", "desc"]),
                page=st.tuples(st.none() | st.integers(-1, 3), st.none() | st.integers(-1, 3)),
            )
            def search(
                self,
                query: str | None,
                chosen: list[str],
                roles: list[str],
                order_by: str,
                direction: str,
                page: tuple[int | None, int | None],
            ) -> None:
                sort = {"order_by": order_by, "direction": direction}
                self.call("get_users", {"query": query, "user_ids": chosen, "roles": roles}, sort, *page, rows=False)
                self.call("get_users", None, sort, *page, rows=False)
                self.call("get_scim_users", None, sort, *page, rows=False)
                self.call("get_users_by_user_ids", chosen, rows=False)
                self.call("get_valid_user_ids", chosen, rows=False)

        run_state_machine_as_test(Machine, settings=machine(12, 30))
