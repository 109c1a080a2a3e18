"""Signing in with an authenticator: enrolment, codes, recovery, and the end of sessions."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from tests.support.openwebui import DATABASES
from tests.support.processes import environment
from tests.support.scenarios import Player, Step, configure, play_together, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTHS = "/api/v1/auths"
MFA = f"{AUTHS}/mfa"
Code = Callable[[dict[str, Any]], str]


def code(key: str, later: int = 0) -> Code:
    """Return what an authenticator shows, or will show; the host takes a code once, and none before it."""

    def now(names: dict[str, Any]) -> str:
        if time.time() % 30 > 24:  # it might not be valid any more when it arrives
            time.sleep(6)
        names[f"{key}_shown"] = shown = pyotp.TOTP(names[key]).at(int(time.time()) + later * 30)
        return shown

    return now


def again(key: str) -> Code:
    """Return what the authenticator showed last, however long ago that is."""
    return lambda names: str(names[f"{key}_shown"])


def recovery(codes: str, number: int) -> Code:
    return lambda names: str(names[codes][number])


def sign_in(who: str, status: int = 200, password: str = "$password", **more: Any) -> Step:
    """Return the first step, which gives a challenge while an authenticator is required."""
    body = {"email": f"{who}.$here@example.com", "password": password}
    return step("", status, f"POST {AUTHS}/signin", body, **({"save": who, "take": "challenge_token"} | more))


def answer(status: int, path: str, who: str, value: Code | str | None = None, **more: Any) -> Step:
    """Return the step that answers somebody's challenge."""
    extra = {name: more.pop(name) for name in ("recovery",) if name in more}
    body = {"challenge_token": f"${who}", **({} if value is None else {"code": value}), **extra}
    return step("", status, f"POST {MFA}/{path}", body, **more)


def enrol(who: str) -> list[Step]:
    """Return the steps of a first sign-in; the session, key and recovery codes are saved by the user's name."""
    return [
        sign_in(who),
        answer(200, "enroll/start", who, save=f"{who}_key", take="manual_key"),
        answer(
            200,
            "enroll/confirm",
            who,
            code(f"{who}_key", -1),
            save=f"{who}_session {who}_codes",
            take="token recovery_codes",
        ),
    ]


def add(who: str, role: str = "user") -> Step:
    body = {"name": who, "email": f"{who}.$here@example.com", "password": "$password", "role": role}
    return step("admin", 200, f"POST {AUTHS}/add", body, save=f"{who}_before", take="token")


SCENARIO = [
    *[add(who, role) for who, role in (("ada", "user"), ("bea", "user"), ("pat", "pending"), ("boss", "admin"))],
    step("=ada_before", 200, f"GET {MFA}/status"),
    configure(ENABLE_MFA=True),
    step("=ada_before", 401, f"GET {MFA}/status"),
    step("=boss_before", 401, f"GET {AUTHS}/"),
    *enrol("boss"),
    step("=boss_session", 200, f"GET {AUTHS}/admin/config"),
    sign_in("pat", save=""),
    sign_in("ada", 400, "wrong"),
    # enrolment
    sign_in("ada"),
    answer(401, "verify", "ada", "123456"),
    answer(401, "enroll/confirm", "ada", "123456"),
    *enrol("ada"),
    answer(401, "enroll/start", "ada"),
    step("=ada_session", 200, f"GET {MFA}/status"),
    # codes
    sign_in("ada"),
    answer(401, "verify", "ada", "12345"),
    answer(401, "verify", "ada", again("ada_key")),
    answer(200, "verify", "ada", code("ada_key"), save="ada_second", take="token"),
    answer(401, "verify", "ada", code("ada_key", 1)),
    step("=ada_session", 200, f"GET {AUTHS}/"),
    step("=ada_second", 200, f"GET {AUTHS}/"),
    # recovery codes
    sign_in("ada"),
    answer(200, "verify", "ada", recovery("ada_codes", 3), recovery=True, save="ada_third", take="token"),
    sign_in("ada"),
    answer(401, "verify", "ada", recovery("ada_codes", 3), recovery=True),
    step("=ada_third", 200, f"GET {MFA}/status"),
    step(
        "=ada_third",
        200,
        f"POST {MFA}/recovery/codes",
        {"code": recovery("ada_codes", 4), "recovery": True},
        save="new_codes",
        take="recovery_codes",
    ),
    *[step(f"=ada_{session}", 401, f"GET {AUTHS}/") for session in ("session", "second", "third")],
    # another authenticator
    sign_in("ada"),
    answer(200, "verify", "ada", recovery("new_codes", 0), recovery=True, save="ada_session", take="token"),
    step("=ada_session", 401, f"POST {MFA}/replace", {"code": recovery("ada_codes", 5), "recovery": True}),
    # By now too many codes were tried.
    step("=ada_session", 429, f"POST {MFA}/replace", {"code": recovery("new_codes", 1), "recovery": True}),
    *enrol("bea"),
    step(
        "=bea_session",
        200,
        f"POST {MFA}/replace",
        {"code": code("bea_key")},
        save="bea_replace",
        take="challenge_token",
    ),
    answer(200, "enroll/start", "bea_replace", save="bea_other", take="manual_key"),
    answer(401, "enroll/confirm", "bea_replace", code("bea_key", 1)),
    answer(200, "enroll/confirm", "bea_replace", code("bea_other", -1)),
    step("=bea_session", 401, f"GET {AUTHS}/"),
    sign_in("bea"),
    *[answer(401, "verify", "bea", code("bea_key", 1)) for _ in range(5)],
    answer(429, "verify", "bea", code("bea_other", 1)),
    # forms
    step("", 403, f"POST {MFA}/challenge"),
    step("", 422, f"POST {MFA}/verify", {"challenge_token": "short", "code": "1"}),
    step("", 401, f"POST {MFA}/verify", {"challenge_token": "x" * 40, "code": "1"}),
    step("", 401, f"POST {MFA}/recover", {"challenge_token": "$bea", "reset_token": "x" * 40}),
    step("", 401, f"GET {MFA}/status"),
    # no more
    configure("=boss_session", ENABLE_MFA=False),
    step("=boss_session", 401, f"GET {AUTHS}/"),
    sign_in("ada", save="ada_plain", take="token"),
    step("=ada_plain", 200, f"GET {MFA}/status"),
    answer(401, "verify", "bea", code("bea_other", 1)),
]


@pytest.fixture
def switched_back(contestants: dict[str, OpenWebUI]) -> Iterator[dict[str, OpenWebUI]]:
    """The instances, of which none requires an authenticator any more after the test, whatever happens."""
    yield contestants
    for instance in contestants.values():
        statement = "UPDATE {} SET value = 'false' WHERE key = 'auth.mfa.enable'"
        if "config" in instance.in_pocketbase:
            with instance.admin() as admin:
                admin.sql(statement.format("owui_config"))
        else:
            instance.execute(statement.format("config"))
        instance.forget_tokens()


@pytest.mark.parametrize("database", DATABASES)
def test_answers_are_the_same(switched_back: dict[str, OpenWebUI]) -> None:
    assert not play_together(switched_back, "mfa", SCENARIO)


@pytest.mark.parametrize("database", ["sqlite"])
def test_the_operator_resets_an_authenticator(switched_back: dict[str, OpenWebUI]) -> None:
    """A program of the host that runs beside the server uses the same PocketBase."""
    instance = switched_back["everything"]
    player = Player(instance, "mfa reset")
    prepare = [add("ada"), add("boss", "admin"), configure(ENABLE_MFA=True), *enrol("boss"), *enrol("ada")]
    assert [player.play(each)[0] for each in prepare] == [each.status for each in prepare]

    command = [str(Path(sys.executable).with_name("open-webui")), "mfa", "reset", "ADA.in-mfa-reset@example.com"]
    done = subprocess.run(
        [*command, "--reason", "a test"],
        cwd=instance.data_dir,
        env=environment(instance.data_dir, {**instance.env, "FROM_INIT_PY": "true"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    player.names["ticket"] = done.stdout.split()[-1]

    after = [
        step("=ada_session", 401, f"GET {AUTHS}/"),
        sign_in("ada"),
        answer(401, "verify", "ada", code("ada_key", 1)),
        step("", 401, f"POST {MFA}/recover", {"challenge_token": "$ada", "reset_token": "x" * 40}),
        step(
            "",
            200,
            f"POST {MFA}/recover",
            {"challenge_token": "$ada", "reset_token": "$ticket"},
            save="ada",
            take="challenge_token",
        ),
        answer(200, "enroll/start", "ada", save="ada_key", take="manual_key"),
        answer(200, "enroll/confirm", "ada", code("ada_key"), save="ada_session", take="token"),
        step("=ada_session", 200, f"GET {AUTHS}/"),
    ]
    assert [player.play(each)[0] for each in after] == [each.status for each in after]
