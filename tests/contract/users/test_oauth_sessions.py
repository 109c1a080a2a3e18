"""Sessions with OAuth services: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.oauth_sessions import OAuthSession
from open_webui.models.users import User

from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.users.oauth_sessions import PocketBaseOAuthSessions
from openwebui_pocketbase.repositories.users.users import PocketBaseUsers
from tests.support.contracts import OAUTH_SESSIONS
from tests.support.differential import (
    HOSTILE_NAMES,
    IDS,
    JSON_OBJECTS,
    START,
    SURROGATES,
    Opened,
    Pair,
    clear,
    pocketbase_rows,
    public_methods,
)
from tests.support.pocketbase import PocketBaseProcess

A, B, C, D, E, F = IDS[:6]
NOBODY = "00000000-0000-4000-8000-000000000000"

Call = tuple[Any, ...]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(OAUTH_SESSIONS, oracle) as pair:
        vars(pair.subject).update(vars(pair.oracle))  # as when the host's singleton changes its class: the key stays
        await with_users(pair, "u1", "u2", "", "U1", "u1 ")
        yield pair


async def with_users(pair: Pair, *ids: str) -> None:
    """On PostgreSQL sessions refer to users."""
    if not pair.database.is_sqlite:
        await pair.database.add(*(User(id=key, name="n", email=None) for key in ids))


def new(user: str, provider: str = "p", **token: Any) -> Call:
    return "create_session", user, provider, {"access_token": "t", "expires_at": 5, **token}


SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        ("get_session_by_id", NOBODY),
        ("get_session_by_id_and_user_id", NOBODY, "u1"),
        ("get_session_by_provider_and_user_id", "p", "u1"),
        ("get_sessions_by_user_id", "u1"),
        ("update_session_by_id", NOBODY, {"a": 1}),
        ("delete_session_by_id", NOBODY),
        ("delete_sessions_by_user_id", "u1"),
        ("delete_sessions_by_user_id_and_provider", "u1", "p"),
        ("delete_sessions_by_provider", "p"),
    ],
    "create, every form": [
        new("u1"),
        ("create_session", "u1", "", {}),
        ("create_session", "u1", "p", {"expires_at": 0}),
        ("create_session", "u1", "p", {"expires_at": None, "a": (1, 2)}),
        ("create_session", "u1", "p", {"expires_at": 2**40}),
        ("create_session", "", "p", {"a": 1}),
        ("create_session", "u1", None, {"a": 1}),
        ("create_session", None, "p", {"a": 1}),
        ("create_session", "u1", "p", None),
        ("create_session", "u1", "p", []),
        ("create_session", "u1", "p", {"a": object}),
        *[("get_session_by_id", key) for key in [A, B, C, D, E, F]],
    ],
    "of another user": [
        new("u1"),
        new("u2"),
        ("get_session_by_id_and_user_id", A, "u1"),
        ("get_session_by_id_and_user_id", A, "u2"),
        ("get_session_by_id_and_user_id", A, None),
        ("get_session_by_id", None),
        ("get_sessions_by_user_id", None),
        ("delete_sessions_by_user_id_and_provider", "u1", None),
        ("delete_sessions_by_user_id", None),
        ("delete_sessions_by_provider", None),
        ("delete_session_by_id", None),
        ("delete_session_by_id", A),
        ("delete_session_by_id", A),
        ("get_session_by_id", B),
    ],
    "users that differ in case and space": [
        new("u1"),
        new("U1"),
        new("u1 "),
        new("u1", "P"),
        ("get_sessions_by_user_id", "u1"),
        ("get_session_by_provider_and_user_id", "P", "u1"),
        ("delete_sessions_by_user_id_and_provider", "u1", "P"),
        ("delete_sessions_by_user_id", "U1"),
    ],
    "latest of a provider": [
        new("u1", "q"),
        new("u1"),
        new("u1", "p", access_token="second"),
        new("u2"),
        ("get_session_by_provider_and_user_id", "p", "u1"),
        ("update_session_by_id", B, {"access_token": "new", "expires_at": 9}),
        ("get_session_by_provider_and_user_id", "p", "u1"),
        ("delete_session_by_id", C),
        ("get_session_by_provider_and_user_id", "p", "u1"),
        ("get_session_by_provider_and_user_id", "Q", "u1"),
    ],
    "all of a user": [
        *[new("u1", provider) for provider in ["z", "a", "m", "a"]],
        new("u2", "b"),
        ("get_sessions_by_user_id", "u1"),
        ("delete_session_by_id", B),
        new("u1", "0"),
        ("get_sessions_by_user_id", "u1"),
        ("delete_sessions_by_user_id", "u1"),
        ("get_sessions_by_user_id", "u1"),
        ("get_sessions_by_user_id", "u2"),
    ],
    "update": [
        new("u1"),
        ("update_session_by_id", A, {"access_token": "x", "refresh_token": "y", "expires_at": 7}),
        ("update_session_by_id", A, {}),
        ("update_session_by_id", A, {"a": (1, 2), 5: "number"}),
        ("update_session_by_id", A, None),
        ("get_session_by_id", A),
    ],
    "delete of a provider": [
        new("u1"),
        new("u2"),
        new("u2", "q"),
        ("delete_sessions_by_user_id_and_provider", "u1", "q"),
        ("delete_sessions_by_user_id_and_provider", "u1", "p"),
        ("delete_sessions_by_provider", "p"),
        ("get_sessions_by_user_id", "u2"),
    ],
    "a session, which is not used": [("create_session", "u1", "p", {"a": 1}, None), ("get_session_by_id", A, None)],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: list[Call]) -> None:
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_is_called() -> None:
    assert {method for calls in SEQUENCES.values() for method, *_ in calls} == public_methods("OAuthSessions")


async def test_tokens_are_encrypted(pair: Pair) -> None:
    """With the host's key: the host itself can read them. No answer that PocketBase keeps has one."""
    await pair.call(*new("u1", access_token="very secret"))
    await pair.call("update_session_by_id", A, {"access_token": "more secret"})
    (row,) = pocketbase_rows(pair.server.data_dir, "oauth_session")
    assert pair.oracle._decrypt_token(row["token"]) == {"access_token": "more secret"}
    with pair.server.admin() as admin:
        kept = admin.sql("SELECT answer FROM owui_idempotency")
    assert all(row["token"] not in answer["answer"] and "gAAAA" not in answer["answer"] for answer in kept)


async def test_sessions_that_cannot_be_decrypted(pair: Pair) -> None:
    """They are deleted when all of a user are asked for, and only then."""
    for call in [new("u1"), new("u2"), new("u1")]:
        await pair.call(*call)
    codec = codec_of("oauth_session")
    broken = {"user_id": "u1", "provider": "p", "expires_at": 1, "created_at": START + 9, "updated_at": 1}
    tokens = [(D, "no token"), (E, ""), (F, pair.oracle._encrypt_token([1])), (IDS[6], pair.oracle._encrypt_token("x"))]
    await pair.seed(
        [OAuthSession(id=key, token=token, **broken) for key, token in tokens],
        lambda row: pair.client.write("oauth_sessions/create_session", {"session": codec.encode(row)}),
    )
    for key, _ in tokens:
        await pair.call("get_session_by_id", key)
        await pair.call("get_session_by_id_and_user_id", key, "u1")
    await pair.call("get_session_by_provider_and_user_id", "p", "u1")
    await pair.call("get_sessions_by_user_id", "u2")
    assert [session.id for session in await pair.call("get_sessions_by_user_id", "u1")] == [A, C]
    assert len(pocketbase_rows(pair.server.data_dir, "oauth_session")) == 3


async def test_sessions_of_the_same_time(pair: Pair) -> None:
    pair.step = 0
    for number in range(5):
        await pair.call(*new("u1", "p", access_token=f"{number}"))
    if pair.database.is_sqlite:  # rows of the same time have no order in PostgreSQL
        await pair.call("get_session_by_provider_and_user_id", "p", "u1")
    await pair.call("get_sessions_by_user_id", "u1")


async def test_hostile_text(pair: Pair) -> None:
    texts = [text for text in HOSTILE_NAMES.values() if pair.database.is_sqlite or not ("\x00" in text or text == "")]
    texts = [text for text in texts if pair.database.is_sqlite or len(text) < 2000]  # its index entries are short
    await with_users(pair, *dict.fromkeys(texts))
    for text in texts:
        session = await pair.call("create_session", text, text, {text: text}, rows=False)
        await pair.call("get_session_by_id_and_user_id", session.id, text, rows=False)
        await pair.call("get_session_by_provider_and_user_id", text, text, rows=False)
        await pair.call("update_session_by_id", session.id, {text: [text]}, rows=False)
        await pair.call("get_sessions_by_user_id", text, rows=False)
        await pair.call("delete_session_by_id", text, rows=False)
    for text in texts[::2]:
        await pair.call("delete_sessions_by_user_id_and_provider", text, text, rows=False)
    for text in texts[1::2]:
        await pair.call("delete_sessions_by_provider", text, rows=False)
    await pair.call("get_sessions_by_user_id", "u1")


async def test_surrogates(pair: Pair) -> None:
    await pair.call(*new("u1"))
    for text in SURROGATES.values():
        for call in [
            new(text),
            new("u1", text),
            new("u1", access_token=text),
            ("get_session_by_id", text),
            ("get_session_by_provider_and_user_id", text, "u1"),
            ("get_sessions_by_user_id", text),
            ("delete_sessions_by_provider", text),
        ]:
            await pair.call(*call)


async def test_json(pair: Pair) -> None:
    for number, value in enumerate(JSON_OBJECTS.values()):
        await pair.call("create_session", "u1", "p", value, rows=False)
        await pair.call("get_session_by_id", IDS[number], rows=False)
        await pair.call("update_session_by_id", IDS[number], {"x": value}, rows=False)
    await pair.call("get_sessions_by_user_id", "u1")


async def test_an_outage_is_not_swallowed(own_pocketbase: PocketBaseProcess) -> None:
    client = own_pocketbase.client(retry=0)
    sessions = object.__new__(PocketBaseOAuthSessions)
    users = PocketBaseUsers()
    sessions.pocketbase = users.pocketbase = client
    await clear(client, "oauth_session")
    own_pocketbase.kill()
    for call in [sessions.get_sessions_by_user_id("u1"), sessions.delete_session_by_id(A), users.get_user_by_id(A)]:
        with pytest.raises(UnavailableError):
            await call
    await client.aclose()
