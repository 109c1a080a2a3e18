"""``user`` beside a running Open WebUI: what it does counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.commands import run_user

if TYPE_CHECKING:
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

WANTED = "quite another password"


@pytest.fixture(params=["stock", "everything"])
def instance(request: pytest.FixtureRequest, fleet: Fleet) -> OpenWebUI:
    """One with users in its SQL database, one with users in the embedded PocketBase, which runs."""
    (found,) = fleet.start((request.param, "sqlite"))
    return found


def test_who_was_locked_out_signs_in_again(instance: OpenWebUI) -> None:
    email = "locked-out@example.com"

    def sign_in(password: str) -> int:
        return instance.http.post("/api/v1/auths/signin", json={"email": email, "password": password}).status_code

    instance.user("locked-out")
    assert instance.request("locked-out", "GET", "/api/v1/users/user/settings").status_code == 200
    run_user(
        instance.data_dir,
        instance.env,
        ("set-password", email.upper(), "--stdin"),
        ("set-role", email, "admin"),
        given=WANTED,
    )
    assert instance.request("locked-out", "GET", "/api/v1/auths/").status_code == 401
    assert sign_in(instance.password) == 400
    assert sign_in(WANTED) == 200
    found = instance.request("admin", "GET", f"/api/v1/users/?query={email}").json()["users"]
    assert [user["role"] for user in found] == ["admin"]
    assert instance.sql(f"SELECT role FROM user WHERE email = '{email}'") == [("admin",)]
