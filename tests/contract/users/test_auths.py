"""Credentials: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from open_webui.internal.db import get_async_db
from open_webui.models import auths as host
from open_webui.models import groups as host_groups
from open_webui.models.auths import AuthModel, MfaData, MfaLimit, MfaResetTicket
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.base import codec_of
from tests.support.auths import CHALLENGE, Verifier, call_with_session, clock_of_users
from tests.support.contracts import AUTHS, USERS
from tests.support.differential import (
    HOSTILE_NAMES,
    IDS,
    START,
    SURROGATES,
    Opened,
    Pair,
    pocketbase_rows,
    public_methods,
)

MADE_IN_HOOKS = replace(AUTHS, generated={"auth": frozenset({"mfa", "session_stamp"})})

A, B, C, D = IDS[0:8:2]
"""Ids of the users that a test makes with `insert_new_auth`, which takes two: the other is the session stamp."""

NOBODY = "00000000-0000-4000-8000-000000000000"

Call = tuple[Any, ...]


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refresh(user_ids: Any) -> None:
        pass

    monkeypatch.setattr(host_groups, "refresh_group_sessions", refresh)


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(AUTHS, oracle) as pair:
        with clock_of_users(pair):
            yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(AUTHS, "sqlite") as pair:
        with clock_of_users(pair):
            yield pair


def of_users(pair: Pair) -> Pair:
    """Return a pair of the users' repositories on the same data."""
    contract = replace(USERS, tables=AUTHS.tables)
    return Pair(contract, pair.database, pair.server, pair.client, pair.clock, pair.identifiers)


def new(email: str, password: str = "hash", name: str = "Name", *more: Any) -> Call:
    return "insert_new_auth", email, password, name, *more


FULL = MfaData(
    revision="r1",
    secret="s",
    last_step=7,
    recovery_hashes=["a", "b"],
    login_challenge=CHALLENGE,
    manage_challenge=CHALLENGE,
    reset_required=True,
    reset_ticket=MfaResetTicket(token_hash="t", expires_at=9),
    limits={"x": MfaLimit(count=2, expires_at=3), "": MfaLimit(expires_at=1)},
)

SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        ("get_auth_by_id", NOBODY),
        ("get_auth_by_id", None),
        ("authenticate_user", "a@x.y", Verifier("hash")),
        ("authenticate_user_by_api_key", "sk-1"),
        ("authenticate_user_by_api_key", ""),
        ("authenticate_user_by_email", "a@x.y"),
        ("update_email_by_id", NOBODY, "b@x.y"),
        ("update_user_password_by_id", NOBODY, "new"),
        ("delete_auth_by_id", NOBODY),
    ],
    "insert, every form": [
        new("a@x.y"),
        new("b@x.y", "", "", "data:image/png;base64,iVBORw0KGgo=", "admin", {"p": {"sub": "1"}}),
        new("c@x.y", "hash", "Name", "javascript:alert(1)", "emperor", {}),
        new("", "hash"),
        new("d@x.y", None),  # type: ignore[arg-type]
        new("e@x.y", "hash", None),  # type: ignore[arg-type]
        new(None),  # type: ignore[arg-type]
        new("f@x.y", "hash", "Name", "", None),
        *[("get_auth_by_id", key) for key in IDS[:20:2]],
    ],
    "insert what is taken": [
        new("a@x.y"),
        new("a@x.y"),
        new("A@X.Y"),
        new(""),
        new(""),
        new(" a@x.y"),
    ],
    "sign in": [
        new("a@x.y", "right"),
        new("B@x.y", "right"),
        ("authenticate_user", "a@x.y", Verifier("right")),
        ("authenticate_user", "A@X.Y", Verifier("right")),
        ("authenticate_user", "b@x.y", Verifier("right")),
        ("authenticate_user", "a@x.y", Verifier("wrong")),
        ("authenticate_user", "", Verifier("right")),
        ("authenticate_user_by_email", "a@x.y"),
        ("authenticate_user_by_email", "A@x.y"),
        ("authenticate_user_by_email", "B@x.y"),
        ("authenticate_user_by_email", "b@x.y"),
        ("authenticate_user_by_email", ""),
        ("authenticate_user_by_email", None),
        ("authenticate_user", None, Verifier("right")),
    ],
    "address": [
        new("a@x.y"),
        new("b@x.y"),
        ("update_email_by_id", A, "new@x.y"),
        ("update_email_by_id", A, "NEW@x.y"),
        ("update_email_by_id", A, ""),
        ("authenticate_user_by_email", ""),
        ("update_email_by_id", B, "a@x.y"),
    ],
    "delete": [
        new("a@x.y"),
        new("b@x.y"),
        ("delete_auth_by_id", A),
        ("delete_auth_by_id", A),
        ("get_auth_by_id", A),
        new("a@x.y"),
    ],
    "a session, which is not used": [
        new("a@x.y", "hash", "Name", "", "user", None, None),
        ("authenticate_user_by_email", "a@x.y", None),
    ],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: list[Call]) -> None:
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_is_called() -> None:
    called = {method for calls in SEQUENCES.values() for method, *_ in calls}
    below = {"update_mfa_by_id", "revoke_sessions_by_user_id", "revoke_all_sessions"}
    assert called | below == public_methods("Auths") - {"clear_mfa_challenges"}  # which is inherited, and asks nothing


async def test_what_is_verified(pair: Pair) -> None:
    """The same hashes in the same order: also for nobody one, so that the time tells nothing."""
    for call in [new("a@x.y", "right"), new("b@x.y", "right"), new("c@x.y", "right")]:
        await pair.call(*call)
    await change_row(pair, B, active=False)
    await change_row(pair, C, active=None)
    for email, right in [("a@x.y", "right"), ("a@x.y", "x"), ("b@x.y", "right"), ("c@x.y", "right"), ("d@x.y", "x")]:
        verifier = Verifier(right)
        await pair.call("authenticate_user", email, verifier, rows=False)
        half = len(verifier.asked) // 2
        assert verifier.asked[:half] == verifier.asked[half:]
        assert half == 1
        assert verifier.asked[0] == ("right" if email == "a@x.y" else host.PLACEHOLDER_HASH)


async def change_row(pair: Pair, id: str, **values: Any) -> None:
    """Change credentials in both, as no method does; ours by a compare-and-swap on whatever is there."""
    async with pair.database.engine.begin() as connection:
        await connection.execute(host.Auth.__table__.update().where(host.Auth.id == id).values(**values))
    codec = codec_of("auth")
    row = next(row for row in pocketbase_rows(pair.server.data_dir, "auth") if row["id"] == id)
    user = next(row for row in pocketbase_rows(pair.server.data_dir, "user") if row["id"] == id)
    keep = {"user": codec_of("user").encode(user), "auth": codec.encode({**row, **values})}
    await pair.client.write("auths/delete_auth_by_id", {"id": id})
    await pair.client.write("auths/insert_new_auth", keep)


async def test_inactive_accounts(pair: Pair) -> None:
    await pair.call(*new("a@x.y"))
    auth = await pair.call("get_auth_by_id", A)
    await change_row(pair, A, active=False)
    for call in [
        ("get_auth_by_id", A),
        ("authenticate_user_by_email", "a@x.y"),
        ("update_user_password_by_id", A, "new"),
        ("update_email_by_id", A, "b@x.y"),
    ]:
        await pair.call(*call)
    await call_with_session(pair, "update_mfa_by_id", auth, MfaData(revision="x"))
    await call_with_session(pair, "revoke_sessions_by_user_id", A)


async def test_mfa(pair: Pair) -> None:
    """Each state is swapped for the next; what was read before is refused."""
    await pair.call(*new("a@x.y"))
    auth = await pair.call("get_auth_by_id", A)
    old = auth
    for revoke, data in [(False, FULL), (True, MfaData(revision="r2")), (False, FULL)]:
        old, auth = auth, await call_with_session(pair, "update_mfa_by_id", auth, data, revoke=revoke)
        assert auth is not None
        await pair.call("get_auth_by_id", A)
        assert await call_with_session(pair, "update_mfa_by_id", old, data, revoke=True) is None
    for other in [
        {"password": "x"},
        {"session_stamp": None},
        {"session_stamp": "x"},
        {"mfa": None},
        {"mfa": MfaData(revision="x")},
        {"id": NOBODY},
    ]:
        assert await call_with_session(pair, "update_mfa_by_id", auth.model_copy(update=other), FULL) is None
    await call_with_session(pair, "update_mfa_by_id", auth.model_copy(update={"active": False, "email": "x"}), FULL)


async def test_none_as_state(pair: Pair) -> None:
    """Neither MFA data nor a session stamp: None equals None."""
    await pair.call(*new("a@x.y"))
    await change_row(pair, A, session_stamp=None)
    auth = await pair.call("get_auth_by_id", A)
    assert auth.session_stamp is None
    wrong = auth.model_copy(update={"session_stamp": ""})
    assert await call_with_session(pair, "update_mfa_by_id", wrong, FULL) is None
    assert await call_with_session(pair, "update_mfa_by_id", auth, FULL) is not None
    await pair.call("get_auth_by_id", A)
    assert await call_with_session(pair, "update_mfa_by_id", auth, FULL) is None
    await change_row(pair, A, session_stamp=None)
    assert await call_with_session(pair, "revoke_sessions_by_user_id", A) is True


async def test_revoking(pair: Pair) -> None:
    await pair.call(*new("a@x.y"))
    auth = await pair.call("get_auth_by_id", A)
    assert await call_with_session(pair, "revoke_sessions_by_user_id", NOBODY) is False
    assert await call_with_session(pair, "revoke_sessions_by_user_id", A) is True
    assert await call_with_session(pair, "update_mfa_by_id", auth, FULL) is None
    auth = await pair.call("get_auth_by_id", A)
    assert await call_with_session(pair, "update_mfa_by_id", auth, FULL) is not None
    assert await call_with_session(pair, "revoke_sessions_by_user_id", A) is True
    revoked = await pair.call("get_auth_by_id", A)
    assert (revoked.mfa.login_challenge, revoked.mfa.manage_challenge, revoked.mfa.reset_ticket) == (None, None, None)
    assert revoked.mfa.secret == "s"


async def test_revoking_all(pair: Pair) -> None:
    """Stamps and revisions are made in the hooks; the rest is compared."""
    pair.contract = MADE_IN_HOOKS
    for number in range(5):
        await pair.call(*new(f"{number}@x.y"))
    for key in [A, C]:
        auth = await pair.call("get_auth_by_id", key)
        await pair.client.write("auths/update_mfa_by_id", swap(auth, FULL))
        async with pair.database.engine.begin() as connection:
            values = {"mfa": FULL.model_dump(mode="json")}
            await connection.execute(host.Auth.__table__.update().where(host.Auth.id == key).values(**values))
    before = stamps(pair)
    if pair.database.is_sqlite:
        await call_with_session(pair, "revoke_all_sessions")
    else:  # which has no order
        assert await pair.subject.revoke_all_sessions(db=None) == sorted(before)
        await with_oracle(pair, "revoke_all_sessions")
    after = stamps(pair)
    assert before.keys() == after.keys()
    assert len({*before.values(), *after.values()}) == 10
    revisions = set()
    for row in await pair.database.rows("auth"):
        ours = next(own for own in pocketbase_rows(pair.server.data_dir, "auth") if own["id"] == row["id"])
        assert [bool(ours["mfa"]), ours["password"]] == [bool(row["mfa"]), row["password"]]
        if row["mfa"]:
            assert list(ours["mfa"]) == list(row["mfa"])
            assert {**ours["mfa"], "revision": ""} == {**row["mfa"], "revision": ""}
            revisions.add(ours["mfa"]["revision"])
    assert len(revisions) == 2
    for made in [*after.values(), *revisions]:
        assert uuid.UUID(made).version == 4
        assert str(uuid.UUID(made)) == made


async def with_oracle(pair: Pair, method: str) -> None:
    with pair.database.active():
        async with get_async_db() as session:
            await getattr(pair.oracle, method)(db=session)
            await session.commit()


def stamps(pair: Pair) -> dict[str, str]:
    return {row["id"]: row["session_stamp"] for row in pocketbase_rows(pair.server.data_dir, "auth")}


def swap(auth: AuthModel, data: MfaData) -> dict[str, Any]:
    """Return parameters of a compare-and-swap that keeps the revision of the data."""
    expected = {"password": auth.password, "session_stamp": auth.session_stamp, "revision": None}
    mfa = codec_of("auth").encode({"mfa": data.model_dump(mode="json")})["mfa"]
    return {"id": auth.id, "expected": expected, "mfa": mfa, "session_stamp": auth.session_stamp}


async def test_passwords(pair: Pair) -> None:
    await pair.call(*new("a@x.y"))
    auth = await pair.call("get_auth_by_id", A)
    assert await pair.call("update_user_password_by_id", A, "one", current_auth=auth) is True
    assert isinstance(await pair.call("update_user_password_by_id", A, "two", current_auth=auth), ValueError)
    assert await pair.call("update_user_password_by_id", A, "three") is True
    auth = await pair.call("get_auth_by_id", A)
    with_mfa = await call_with_session(pair, "update_mfa_by_id", auth, FULL)
    assert isinstance(await pair.call("update_user_password_by_id", A, "four", current_auth=auth), ValueError)
    assert await pair.call("update_user_password_by_id", A, "five", current_auth=with_mfa) is True
    auth = await pair.call("get_auth_by_id", A)
    assert (auth.mfa.login_challenge, auth.mfa.reset_ticket, auth.mfa.secret) == (None, None, "s")
    await call_with_session(pair, "update_mfa_by_id", auth, FULL)
    assert await pair.call("update_user_password_by_id", A, "six", current_auth=None) is True
    await pair.call("get_auth_by_id", A)
    gone = auth.model_copy(update={"id": NOBODY})
    assert isinstance(await pair.call("update_user_password_by_id", NOBODY, "x", current_auth=gone), ValueError)


async def test_password_of_a_user_without_mfa(pair: Pair) -> None:
    """Without the credentials the stock method makes one id more: what it makes for nothing first."""
    pair.contract = MADE_IN_HOOKS
    await pair.call(*new("a@x.y"))
    before = stamps(pair)
    assert await pair.call("update_user_password_by_id", A, "new") is True
    (ours,) = pocketbase_rows(pair.server.data_dir, "auth")
    (theirs,) = await pair.database.rows("auth")
    assert list(ours["mfa"].items())[1:] == list(theirs["mfa"].items())[1:]
    assert list(ours["mfa"]) == list(theirs["mfa"])
    assert ours["mfa"]["revision"] in IDS
    assert ours["session_stamp"] not in before.values()


async def test_taken_address_changes_nothing(pair: Pair) -> None:
    """The stock method has changed the credentials already when it fails."""
    for call in [new("a@x.y"), new("b@x.y")]:
        await pair.call(*call)
    with pytest.raises(IntegrityError):
        await pair.subject.update_email_by_id(B, "A@x.y")
    await pair.call("get_auth_by_id", B)
    await pair.call("authenticate_user_by_email", "b@x.y")


async def test_address_of_a_user_goes_to_the_credentials(pair: Pair) -> None:
    users = of_users(pair)
    for call in [new("a@x.y"), new("b@x.y")]:
        await pair.call(*call)
    await users.call("update_user_by_id", A, {"email": "New@x.y", "name": "New"})
    await users.call("update_user_by_id", A, {"name": "Newer"})
    await users.call("update_user_by_id", A, {"email": "b@x.y"})
    await users.call("update_user_by_id", A, {"email": ""})
    await pair.call("authenticate_user_by_email", "")
    await users.call("insert_new_user", NOBODY, "n", "n@x.y")
    await users.call("update_user_by_id", NOBODY, {"email": "m@x.y"})


async def test_api_key(pair: Pair) -> None:
    await pair.call(*new("a@x.y"))
    await of_users(pair).call("update_user_api_key_by_id", A, "sk-1")
    await pair.call("authenticate_user_by_api_key", "sk-1")
    await pair.call("authenticate_user_by_api_key", "sk-2")


async def test_several_credentials_with_one_address(on_sqlite: Pair) -> None:
    """The oldest that is in use counts; PostgreSQL has no such order: it may find the row changed last first."""
    for call in [new("a@x.y"), new("b@x.y"), new("c@x.y")]:
        await on_sqlite.call(*call)
    for key in [A, B, C]:
        await change_row(on_sqlite, key, email="same")
    await on_sqlite.call("authenticate_user_by_email", "same")
    await change_row(on_sqlite, C, active=False)
    await on_sqlite.call("authenticate_user_by_email", "same")


async def test_hostile_text(pair: Pair) -> None:
    for number, text in enumerate(HOSTILE_NAMES.values()):
        if not pair.database.is_sqlite and ("\x00" in text or len(text) > 2000 or not text.isascii()):
            continue  # PostgreSQL has no NUL, its index entries are short, and its lower() folds Unicode
        user = await pair.call(*new(text, text, text, "", text, {text: {"sub": text}}), rows=False)
        await pair.call("authenticate_user", text, Verifier(text), rows=False)
        await pair.call("authenticate_user_by_email", text, rows=False)
        if not isinstance(user, Exception):
            await pair.call("get_auth_by_id", user.id, rows=False)
            await pair.call("update_email_by_id", user.id, f"{number} {text}", rows=False)
            await pair.call("update_email_by_id", user.id, text, rows=False)
    await pair.call("get_auth_by_id", NOBODY)


async def test_surrogates(on_sqlite: Pair) -> None:
    """Nothing is stored; of a user whose password cannot be, the stock method leaves one half."""
    with pytest.raises(UnicodeEncodeError):
        await on_sqlite.subject.insert_new_auth("b@x.y", SURROGATES["lone low surrogate"], "Name")
    user = await on_sqlite.call(*new("a@x.y"))
    for text in SURROGATES.values():
        for call in [
            new(text),
            ("authenticate_user", text, Verifier("")),
            ("authenticate_user_by_email", text),
            ("update_email_by_id", user.id, text),
        ]:
            await on_sqlite.call(*call)


async def test_all_mfa_values(on_sqlite: Pair) -> None:
    for number in range(3):
        await on_sqlite.call(*new(f"{number}@x.y"))
    assert await on_sqlite.subject.get_mfa_values() == []
    for key in [A, C]:
        auth = await on_sqlite.subject.get_auth_by_id(key)
        await on_sqlite.subject.update_mfa_by_id(auth, FULL, db=None)
    values = await on_sqlite.subject.get_mfa_values()
    assert [{**value, "revision": "r1"} for value in values] == [FULL.model_dump(mode="json")] * 2
    assert values == [row["mfa"] for row in pocketbase_rows(on_sqlite.server.data_dir, "auth") if row["mfa"]]


async def test_one_of_many_swaps(on_sqlite: Pair) -> None:
    """Of all who read the same state one gets its own stored."""
    subject = on_sqlite.subject
    await on_sqlite.call(*new("a@x.y"))
    for _ in range(3):
        auth = await subject.get_auth_by_id(A)
        assert auth is not None
        states = [MfaData(revision="", last_step=n) for n in range(12)]
        passwords = [subject.update_user_password_by_id(A, f"p{n}", current_auth=auth) for n in range(12)]
        results = await asyncio.gather(
            *(subject.update_mfa_by_id(auth, state, revoke=n % 2 == 0, db=None) for n, state in enumerate(states)),
            *passwords,
            return_exceptions=True,
        )
        won = [result for result in results if result is not None and not isinstance(result, ValueError)]
        assert len(won) == 1
        now = await subject.get_auth_by_id(A)
        assert now == won[0] if isinstance(won[0], AuthModel) else now.password == f"p{results.index(True) - 12}"


async def test_every_revocation_counts(on_sqlite: Pair) -> None:
    """Revoking never fails, whatever else happens; and what was read before is never stored after it."""
    subject = on_sqlite.subject
    await on_sqlite.call(*new("a@x.y"))
    auth = await subject.get_auth_by_id(A)
    assert auth is not None
    before = auth.session_stamp
    revoked = await asyncio.gather(
        *(subject.revoke_sessions_by_user_id(A, db=None) for _ in range(15)),
        *(subject.update_user_password_by_id(A, f"p{n}") for n in range(15)),
    )
    assert revoked == [True] * 30
    assert await subject.update_mfa_by_id(auth, FULL, db=None) is None
    now = await subject.get_auth_by_id(A)
    assert now is not None
    assert now.session_stamp != before
    assert now.mfa is not None


async def test_one_of_many_gets_an_address(on_sqlite: Pair) -> None:
    """With the user the credentials; who loses leaves nothing behind."""
    subject = on_sqlite.subject
    made = await asyncio.gather(
        *(subject.insert_new_auth("Same@x.y" if n % 2 else "same@x.y", "hash", f"n{n}") for n in range(20)),
        return_exceptions=True,
    )
    assert [type(result) for result in made].count(IntegrityError) == 19
    for table in ("user", "auth"):
        assert len(pocketbase_rows(on_sqlite.server.data_dir, table)) == 1
    assert START <= pocketbase_rows(on_sqlite.server.data_dir, "user")[0]["created_at"] <= START + 1
