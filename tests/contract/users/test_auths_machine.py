"""Any sequence of calls on credentials does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from open_webui.models import groups as host_groups
from open_webui.models.auths import AuthModel, MfaData, MfaLimit, MfaResetTicket
from open_webui.models.users import UserModel

from tests.support.auths import CHALLENGE, Verifier, call_with_session, clock_of_users
from tests.support.contracts import AUTHS
from tests.support.differential import blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

emails = st.sampled_from(["a@x.y", "A@x.y", "b@x.y", "c@x.y", "", "ä@x.y", "Ä@x.y"]) | st.text(max_size=6)
passwords = st.sampled_from(["one", "two", ""])
mfa = st.builds(
    MfaData,
    revision=st.just("replaced"),
    secret=st.none() | st.text(max_size=4),
    last_step=st.integers(-1, 2**40),
    recovery_hashes=st.lists(st.text(max_size=3), max_size=2),
    login_challenge=st.none() | st.just(CHALLENGE),
    reset_required=st.booleans(),
    reset_ticket=st.none() | st.just(MfaResetTicket(token_hash="t", expires_at=1)),
    limits=st.dictionaries(st.text(max_size=3), st.builds(MfaLimit, expires_at=st.integers(0, 9)), max_size=2),
)


async def _no_sockets(_user_ids: Any) -> None:
    pass


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    with (
        patch.object(host_groups, "refresh_group_sessions", _no_sockets),
        asyncio.Runner() as runner,
        blocking_pair(runner, AUTHS, pocketbase, tmp_path) as (pair, reset),
        clock_of_users(pair),
    ):

        class Machine(RuleBasedStateMachine):
            users = Bundle("users")  # ids of users that were made, deleted ones among them
            states = Bundle("states")  # credentials that were read once

            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                return runner.run(pair.call(method, *args, **kwargs))

            def swap(self, auth: AuthModel, data: MfaData, revoke: bool) -> Any:
                return runner.run(call_with_session(pair, "update_mfa_by_id", auth, data, revoke=revoke))

            @initialize(target=users)
            def begin(self) -> Any:
                return self.insert("first@x.y", "one")

            @rule(target=users, email=emails, password=passwords)
            def insert(self, email: str, password: str) -> Any:
                user = self.call("insert_new_auth", email, password, "Name")
                return user.id if isinstance(user, UserModel) else multiple()

            @rule(target=states, user=users)
            def read(self, user: str) -> Any:
                auth = self.call("get_auth_by_id", user, rows=False)
                return auth if isinstance(auth, AuthModel) else multiple()

            @rule(target=states, auth=states, data=mfa, revoke=st.booleans())
            def update_mfa(self, auth: AuthModel, data: MfaData, revoke: bool) -> Any:
                return self.swap(auth, data, revoke) or multiple()

            @rule(target=states, user=users, data=mfa, revoke=st.booleans())
            def update_mfa_of_now(self, user: str, data: MfaData, revoke: bool) -> Any:
                auth = self.call("get_auth_by_id", user, rows=False)
                return (self.swap(auth, data, revoke) if auth else None) or multiple()

            @rule(user=users)
            def revoke(self, user: str) -> None:
                runner.run(call_with_session(pair, "revoke_sessions_by_user_id", user))

            @rule(auth=states, password=passwords)
            def update_password(self, auth: AuthModel, password: str) -> None:
                self.call("update_user_password_by_id", auth.id, password, current_auth=auth)

            @rule(user=users, password=passwords)
            def update_password_of_now(self, user: str, password: str) -> None:
                auth = self.call("get_auth_by_id", user, rows=False)
                if auth and auth.mfa:  # without, stock makes an id more, for nothing
                    self.call("update_user_password_by_id", user, password)

            @rule(user=users, email=emails)
            def update_email(self, user: str, email: str) -> None:
                # Of an address that is taken the stock method changes one half.
                other = self.call("authenticate_user", email, Verifier("x"), rows=False)
                rows = {row["id"]: row["email"] for row in runner.run(pair.database.rows("user"))}
                taken = [key for key, known in rows.items() if known.encode().lower() == email.encode().lower()]
                if other is None and not [key for key in taken if key != user]:
                    self.call("update_email_by_id", user, email)

            @rule(email=emails, password=passwords)
            def sign_in(self, email: str, password: str) -> None:
                self.call("authenticate_user", email, Verifier(password), rows=False)
                self.call("authenticate_user_by_email", email, rows=False)

            @rule(user=users)
            def delete(self, user: str) -> None:
                self.call("delete_auth_by_id", user)

        run_state_machine_as_test(Machine, settings=machine(12, 30))
