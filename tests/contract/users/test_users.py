"""Users and API keys: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from open_webui.models import groups as host_groups
from open_webui.models.channels import ChannelMember
from open_webui.models.chats import Chats
from open_webui.models.groups import Group, GroupMember
from open_webui.models.users import User, UserStatus
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.base import codec_of
from tests.support.contracts import USERS, ours
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

A, B, C, D, E, F = IDS[:6]
NOBODY = "00000000-0000-4000-8000-000000000000"
"""Id of no user."""

IMAGE = "data:image/png;base64,iVBORw0KGgo="

Call = tuple[Any, ...]


@pytest.fixture(autouse=True)
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Users whose sessions were told of changed groups; the host's function would import its sockets."""
    users: list[str] = []

    async def refresh(user_ids: Any) -> None:
        users.extend(user_ids)

    monkeypatch.setattr(host_groups, "refresh_group_sessions", refresh)
    return users


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(USERS, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    """For what SQLite alone does like this: JSON types, order, letters."""
    async with opened(USERS, "sqlite") as pair:
        yield pair


def new(id: str, email: str, name: str = "Name", image: str = "/user.png", role: str = "user", *more: Any) -> Call:
    return "insert_new_user", id, name, email, image, role, *more


def change(id: str, /, **columns: Any) -> Call:
    return "update_user_by_id", id, columns


def settings(id: str, /, **changes: Any) -> Call:
    return "update_user_settings_by_id", id, changes


async def seed(pair: Pair, *users: dict[str, Any]) -> None:
    """Put users into both which no method makes."""
    codec = codec_of("user")
    row = {"role": "user", "name": "n", "last_active_at": 1, "updated_at": 2, "created_at": 3}
    objects = [User(**{**row, "email": f"{number}@x", **user}) for number, user in enumerate(users)]
    await pair.seed(objects, lambda row: pair.client.write("users/insert_new_user", {"user": codec.encode(row)}))


THREE = [new(A, "a@x.y", "Ada", role="admin"), new(B, "B@x.y", "bob"), new(C, "c@x.y", "Carl", "", "pending")]

SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        ("get_user_by_id", NOBODY),
        ("get_user_by_api_key", "sk-1"),
        ("get_user_by_email", "a@x.y"),
        ("get_user_by_oauth_sub", "p", "1"),
        ("get_user_by_scim_external_id", "p", "1"),
        ("get_scim_users",),
        ("get_scim_user_by_id", NOBODY),
        ("get_users",),
        ("get_users_by_group_id", "g1"),
        ("get_users_by_user_ids", [NOBODY]),
        ("get_users_by_user_ids", []),
        ("get_num_users",),
        ("has_users",),
        ("get_first_user",),
        ("get_num_users_active_today",),
        ("update_user_role_by_id", NOBODY, "admin"),
        ("update_user_status_by_id", NOBODY, UserStatus(status_emoji="x")),
        ("update_user_profile_image_url_by_id", NOBODY, ""),
        ("update_last_active_by_id", NOBODY),
        ("update_user_oauth_by_id", NOBODY, "p", "1"),
        ("update_user_scim_by_id", NOBODY, "p", "1"),
        change(NOBODY, name="x", email="x"),
        settings(NOBODY, ui={"a": 1}),
        ("delete_user_by_id", NOBODY),
        ("get_user_api_key_by_id", NOBODY),
        ("delete_user_api_key_by_id", NOBODY),
        ("get_valid_user_ids", [NOBODY]),
        ("get_super_admin_user",),
        ("get_active_user_count",),
        ("is_user_active", NOBODY),
    ],
    "ids that are none": [
        *THREE,
        *[
            (method, key)
            for method in ["get_user_by_id", "get_scim_user_by_id", "is_user_active", "get_user_api_key_by_id"]
            for key in ["", " ", A.upper(), f"{A} ", "x" * 300, "' OR 1=1 --"]
        ],
        ("get_user_by_api_key", None),
        ("get_user_by_api_key", ""),
        ("get_user_by_email", None),
        ("get_users_by_user_ids", [A, None, A, "", C]),
        ("get_valid_user_ids", [C, A, A, "", NOBODY, None]),
    ],
    "insert, every form": [
        ("insert_new_user", A, "Name", "a@x.y"),
        new(B, "b@x.y", "", "", ""),
        new(C, "c@x.y", "n", IMAGE, "admin", "handle", {"p": {"sub": "1"}}),
        new(D, "d@x.y", "n", "javascript:alert(1)", "emperor", None, {}),
        new(E, "e@x.y", "n", "https://example.com/a.png", "user", "", None),
        new(F, "f@x.y", "n", "/api/v1/users/x/profile/image"),
        ("insert_new_user", NOBODY, None, "n@x.y"),
        ("insert_new_user", NOBODY, "n", None),
        ("insert_new_user", NOBODY, "n", "n@x.y", None),
        ("insert_new_user", NOBODY, "n", "n@x.y", "", None),
        ("insert_new_user", None, "n", "n@x.y"),
        *[("get_user_by_id", key) for key in [A, B, C, D, E, F]],
    ],
    "insert what is taken": [
        new(A, "a@x.y"),
        new(A, "other@x.y"),
        new(B, "a@x.y"),
        new(B, "A@X.Y"),
        new(B, "b@x.y"),
        new(C, ""),
        new(D, ""),
        new(D, " "),
    ],
    "by address": [
        *THREE,
        new(D, ""),
        *[("get_user_by_email", email) for email in ["a@x.y", "A@X.y", "b@x.y", "B@x.Y", "", " a@x.y", "a@x.y ", "a%"]],
    ],
    "update": [
        *THREE,
        ("update_user_role_by_id", B, "admin"),
        ("update_user_role_by_id", B, ""),
        ("update_user_role_by_id", B, None),
        ("update_user_role_by_id", B, "user"),
        ("update_user_profile_image_url_by_id", A, IMAGE),
        ("update_user_profile_image_url_by_id", A, ""),
        ("update_user_profile_image_url_by_id", A, "file:///etc/passwd"),
        ("update_user_profile_image_url_by_id", A, None),
        ("get_user_by_id", A),
        change(A),
        change(A, name="New", bio="b", gender="g", date_of_birth=date(1970, 1, 2)),
        change(A, name="", bio="", gender=None, date_of_birth=None, timezone="Europe/Berlin"),
        change(A, date_of_birth=date(1, 1, 1), username="u", info={"a": 1.0}, variables={"v": [1]}),
        change(A, username=None, info=None, variables=None, presence_state="away"),
        change(A, last_active_at=0, updated_at=5, created_at=-3),
        change(A, no_column=1, metadata=2, password="x", tokenKey="y", nulls="z", verified=True, email_folded="q"),
        change(A, settings={"ui": None}, scim={}, oauth={"p": {"sub": 5}}),
        change(A, id=A, name="Same id"),
        change(A, email=None),
        change(A, email="a@x.y"),
        change(A, profile_image_url=None, profile_banner_image_url="b"),
        ("get_user_by_id", A),
    ],
    "update the address": [
        *THREE,
        change(A, email="b@x.y"),
        change(A, email="B@X.Y", name="not stored"),
        change(A, email="A@x.y"),
        change(A, email="new@x.y", name="stored"),
        change(B, email="a@x.y"),
        change(B, email=""),
        change(B, email=""),
        change(C, email=""),
        change(B, email="b@x.y"),
        change(C, email=""),
        ("get_user_by_email", ""),
    ],
    "status": [
        *THREE,
        ("update_user_status_by_id", A, UserStatus()),
        ("update_user_status_by_id", A, UserStatus(status_emoji="😀", status_message="m", status_expires_at=0)),
        ("update_user_status_by_id", A, UserStatus(status_emoji="", status_expires_at=2**40)),
        ("update_user_status_by_id", A, UserStatus(status_message="")),
        ("get_user_by_id", A),
    ],
    "OAuth": [
        *THREE,
        ("update_user_oauth_by_id", A, "google", "1"),
        ("update_user_oauth_by_id", A, "github", 2),
        ("update_user_oauth_by_id", A, "google", "1"),
        ("update_user_oauth_by_id", B, "google", None),
        change(C, oauth={"google": {"z": 1.0, "sub": "old", "a": [2]}, "x": 5, "y": None, "l": [1]}),
        ("update_user_oauth_by_id", C, "google", "new"),
        *[("update_user_oauth_by_id", C, provider, "s") for provider in ["x", "y", "l", "__proto__", "", "a.b"]],
        *[("get_user_by_oauth_sub", *pair) for pair in itertools.product(["google", "x"], ["1", 1, "s", "None", "z"])],
        ("get_user_by_oauth_sub", "", "s"),
        ("get_user_by_oauth_sub", "goo", "1"),
        ("get_scim_user_by_id", A),
        ("get_scim_user_by_id", B),
    ],
    "SCIM": [
        *THREE,
        ("get_scim_user_by_id", A),
        ("update_user_scim_by_id", A, "okta", "1"),
        ("update_user_scim_by_id", A, "okta", "1"),
        ("update_user_scim_by_id", A, "okta", "2"),
        ("update_user_scim_by_id", A, "okta", None),
        ("update_user_scim_by_id", A, "okta", None),
        ("update_user_scim_by_id", A, "entra", "2"),
        change(B, scim={"okta": {"external_id": "7", "more": 1}, "x": "text", "y": {}}),
        ("update_user_scim_by_id", B, "okta", "7"),
        ("update_user_scim_by_id", B, "x", "8"),
        ("update_user_scim_by_id", B, "y", None),
        change(C, scim={}),
        ("get_scim_user_by_id", C),
        ("update_user_scim_by_id", C, "okta", "9"),
        *[
            ("get_user_by_scim_external_id", *pair)
            for pair in itertools.product(["okta", "x", "none"], ["1", "2", "7", "8", "9", ""])
        ],
        ("get_scim_user_by_id", A),
    ],
    "settings": [
        *THREE,
        settings(A),
        settings(A, ui={"z": 1, "a": {"b": 1.0}}),
        settings(A, ui={"b": 2, "z": None, "none": None}),
        settings(A, ui={"a": {"c": 2}}, tools={"valves": {"t": 1}}),
        settings(A, ui={}, tools=None),
        settings(A, ui=None, more=[1]),
        settings(A, ui={"b": None, "a": None}),
        settings(A, ui={"z": 0, "b": False, "a": "", "l": []}),
        change(B, settings={"ui": None, "x": {"y": 1}}),
        settings(B, ui={"a": 1}),
        settings(B, x={"z": 2}),
        change(B, settings={}),
        settings(B, ui={"a": None}),
        settings(C, ui={"models": ["m"], "__proto__": 1, "": 2, "a.b": 3}),
        settings(C, ui={"__proto__": None, "": None}),
    ],
    "API keys": [
        *THREE,
        ("get_user_api_key_by_id", A),
        ("update_user_api_key_by_id", A, "sk-1"),
        ("get_user_api_key_by_id", A),
        ("get_user_by_api_key", "sk-1"),
        ("get_user_by_api_key", "SK-1"),
        ("update_user_api_key_by_id", A, "sk-1"),
        ("update_user_api_key_by_id", A, "sk-2"),
        ("get_user_by_api_key", "sk-1"),
        ("update_user_api_key_by_id", B, "sk-2"),
        ("update_user_api_key_by_id", B, ""),
        ("get_user_api_key_by_id", B),
        ("get_user_by_api_key", ""),
        ("update_user_api_key_by_id", C, None),
        ("delete_user_api_key_by_id", A),
        ("delete_user_api_key_by_id", A),
        ("get_user_by_api_key", "sk-2"),
        ("get_user_api_key_by_id", A),
    ],
    "first, administrators, counts": [
        ("has_users",),
        *THREE,
        ("get_first_user",),
        ("get_super_admin_user",),
        ("update_user_role_by_id", A, "user"),
        ("get_super_admin_user",),
        ("update_user_role_by_id", C, "admin"),
        change(A, created_at=START + 3),
        change(B, created_at=START + 3),
        ("get_first_user",),
        ("update_user_role_by_id", C, "user"),
        ("get_first_user",),
        ("get_super_admin_user",),
        ("has_users",),
        ("get_num_users",),
        ("get_num_users_active_today",),
        ("get_active_user_count",),
        change(A, last_active_at=START - START % 86400),
        change(B, last_active_at=START - 100),
        ("get_num_users_active_today",),
        ("get_active_user_count",),
        *[("is_user_active", key) for key in [A, B, C]],
        ("update_last_active_by_id", A),
        ("update_last_active_by_id", A),
        ("is_user_active", A),
        change(B, last_active_at=0),
        ("is_user_active", B),
        ("get_active_user_count",),
    ],
    "delete": [
        *THREE,
        ("delete_user_by_id", A),
        ("get_user_by_id", A),
        ("delete_user_by_id", A),
        new(A, "a@x.y"),
        ("delete_user_by_id", C),
        ("get_num_users",),
    ],
    "a session, which is not used": [new(A, "a@x.y", "n", "", "user", None, None, None), ("get_user_by_id", A, None)],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: list[Call]) -> None:
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_is_called() -> None:
    # is_active is inherited; it asks nothing.
    assert {method for calls in SEQUENCES.values() for method, *_ in calls} == public_methods("Users") - {"is_active"}


async def test_hostile_text(pair: Pair) -> None:
    for number, text in enumerate(HOSTILE_NAMES.values()):
        if not pair.database.is_sqlite and ("\x00" in text or len(text) > 2000):
            continue  # PostgreSQL has no NUL, and its index entries are short
        one, other = IDS[2 * number], IDS[2 * number + 1]
        await pair.call(*new(one, text, text, text, text, text[:50], {text: {"sub": text}}), rows=False)
        await pair.call(*new(other, f"{number}@x.y", "other"), rows=False)
        columns = dict.fromkeys(["name", "bio", "gender", "timezone", "username"], text[:50])
        for call in [
            ("get_user_by_id", one),
            change(other, **columns),
            ("update_user_status_by_id", other, UserStatus(status_emoji=text, status_message=text)),
            ("update_user_oauth_by_id", other, text, text),
            ("update_user_scim_by_id", other, text, text),
            settings(other, **{"ui": {text: text}, f"x{text}": text}),
            settings(other, ui={text: None, text + "x": text}),
            ("update_user_api_key_by_id", other, text),
            ("get_user_by_api_key", text),
            ("get_user_api_key_by_id", other),
            ("get_valid_user_ids", [text, one]),
        ]:
            await pair.call(*call, rows=False)
    await pair.call("get_num_users")


async def test_search_for_hostile_text(on_sqlite: Pair) -> None:
    texts = HOSTILE_NAMES.values()
    await seed(on_sqlite, *({"id": key, "name": text} for key, text in zip(IDS[:100], texts, strict=False)))
    for number, text in enumerate(texts):
        await on_sqlite.call("insert_new_user", IDS[100 + number], "other", text, rows=False)
    for text in texts:
        for variant in dict.fromkeys([text, text.lower(), text.upper(), text.strip(), text[:3], text[-3:], f"_{text}"]):
            if "\x00" not in variant or not {"%", "_"} & set(variant):  # a pattern ends at NUL
                await on_sqlite.call("get_users", {"query": variant}, rows=False)
            await on_sqlite.call("get_user_by_email", variant, rows=False)
            await on_sqlite.call("get_scim_users", {"email": variant}, rows=False)


async def test_hostile_provider(on_sqlite: Pair) -> None:
    """Where the stock query makes a JSON path of the name that SQLite understands."""
    await on_sqlite.call(*new(A, "a@x.y"))
    for text in HOSTILE_NAMES.values():
        if any(char in '"\\' or ord(char) < 32 for char in text):
            continue
        await on_sqlite.call("update_user_oauth_by_id", A, text, text, rows=False)
        await on_sqlite.call("update_user_scim_by_id", A, text, text, rows=False)
        await on_sqlite.call("get_user_by_oauth_sub", text, text, rows=False)
        await on_sqlite.call("get_user_by_scim_external_id", text, text, rows=False)
        await on_sqlite.call("get_user_by_oauth_sub", text[1:], text, rows=False)


async def test_surrogates(on_sqlite: Pair) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await on_sqlite.call(*THREE[0])
    for text in SURROGATES.values():
        for call in [
            new(B, text),
            new(B, "b", text),
            ("get_user_by_id", text),
            ("get_user_by_email", text),
            ("get_user_by_api_key", text),
            ("get_users", {"query": text}),
            ("get_users_by_user_ids", [text]),
            change(A, name=text),
            ("update_user_api_key_by_id", A, text),
        ]:
            await on_sqlite.call(*call)


async def test_json(pair: Pair) -> None:
    """Key order, number spelling and types survive, also through merges."""
    for key, (name, value) in zip(IDS, JSON_OBJECTS.items(), strict=False):
        if name == "beyond 64 bits" or (not pair.database.is_sqlite and "\\x00" in repr(value)):
            continue  # PocketBase's reading of numbers; PostgreSQL has no NUL
        for call in [
            new(key, name, "n", "", "user", None, value),
            change(key, info=value, variables=value, scim=value, settings={"ui": {"first": 1}, "x": value}),
            settings(key, ui=value),
            settings(key, **{**value, "ui": {"first": None, "last": 1.0, "y": value}}),
            ("update_user_oauth_by_id", key, "added", "s"),
            ("update_user_scim_by_id", key, "added", "s"),
            ("get_user_by_id", key),
        ]:
            await pair.call(*call, rows=False)
    await pair.call("get_num_users")


async def test_a_name_is_never_none(on_sqlite: Pair) -> None:
    """The stock column takes it, and then the user cannot be read any more."""
    await on_sqlite.call(*THREE[0])
    with pytest.raises(IntegrityError):
        await on_sqlite.subject.update_user_by_id(A, {"name": None, "bio": "not stored"})
    await on_sqlite.call("get_user_by_id", A)


SUBS = ["1", "01", "1.0", "1.5", "0", "", "true", "True", "null", "None", "-1", "9007199254740993", "\u0661"]
SUBS += ["9223372036854775807", "9223372036854775808", "[1]", '{"a":1}', "a", "A"]
STORED = [1, 1.0, 1.5, 0, -1, True, False, None, "1", "01", "", "a", "null", [1], {"a": 1}, 2**53 + 1, 2**63 - 1, 2**63]


async def test_subs_and_external_ids_of_any_type(on_sqlite: Pair) -> None:
    users: list[dict[str, Any]] = [{"id": key, "oauth": {}, "scim": {}} for key in (C, B, A)]
    for number, stored in enumerate(STORED):
        for user in users[1:]:
            user["oauth"][f"p{number}"] = {"sub": stored}
            user["scim"][f"p{number}"] = {"external_id": stored}
    await seed(on_sqlite, *users)
    for provider in users[2]["oauth"]:
        for sub in SUBS:
            await on_sqlite.call("get_user_by_oauth_sub", provider, sub, rows=False)
            await on_sqlite.call("get_user_by_scim_external_id", provider, sub, rows=False)
        await on_sqlite.call("get_user_by_scim_external_id", provider, None, rows=False)


IDENTITIES: list[object] = [
    None,
    {},
    {"p": None},
    {"p": "text"},
    {"p": []},
    {"p": {"sub": "s"}},
    [],
    [{"sub": "s"}],
    "p",
    5,
    False,
]


async def test_identities_of_any_shape(on_sqlite: Pair) -> None:
    users = [{"id": IDS[n], "oauth": identity} for n, identity in enumerate(IDENTITIES)]
    await seed(on_sqlite, *users, *({"id": IDS[n], "scim": i} for n, i in enumerate(IDENTITIES, len(users))))
    for key in IDS[: 2 * len(IDENTITIES)]:
        await on_sqlite.call("get_scim_user_by_id", key, rows=False)
        await on_sqlite.call("get_user_by_id", key, rows=False)
        await on_sqlite.call("get_scim_users", {"id": key}, rows=False)
    for provider in ["p", "0"]:
        await on_sqlite.call("get_user_by_oauth_sub", provider, "s", rows=False)
        await on_sqlite.call("get_user_by_scim_external_id", provider, "s", rows=False)


async def test_json_that_is_no_object(pair: Pair) -> None:
    keys = iter(IDS)
    for column in ["settings", "info", "variables"]:
        for value in [[], [1], "text", "", 5, 0, True, False, {"ui": []}, {"ui": ""}]:
            key = next(keys)
            await seed(pair, {"id": key, "email": key, column: value})
            await pair.call("get_user_by_id", key, rows=False)
            await pair.call("update_user_role_by_id", key, "admin", rows=False)
            if not value or isinstance(value, dict):  # of others the stock merge makes exceptions of many kinds
                await pair.call(*settings(key, ui={"a": 1}), rows=False)
    await pair.call("get_num_users")


PEOPLE: list[dict[str, Any]] = [
    {"id": F, "name": "bob", "email": "Zoe@x", "role": "user", "created_at": 5, "last_active_at": 1},
    {"id": A, "name": "Bob", "email": "a@x", "role": "admin", "created_at": 5, "last_active_at": 2},
    {"id": D, "name": "Ärger", "email": "b@x", "role": "user", "created_at": 3, "last_active_at": 2},
    {"id": B, "name": "100%_x", "email": "", "role": "", "created_at": 9, "oauth": {"p": {"sub": "1"}}},
    {"id": E, "name": "bob", "email": "c@x", "role": "pending", "created_at": 1, "scim": {}},
    {"id": C, "name": "", "email": "d_x", "role": "admin", "created_at": 5, "updated_at": 7, "oauth": {"q": 1}},
]
FILTERS: list[dict[str, Any] | None] = [
    None,
    {},
    {"query": "bob"},
    {"query": "BO"},
    {"query": "ärg"},
    {"query": "@X"},
    {"query": "%"},
    {"query": "_"},
    {"query": "%b"},
    {"query": "b_b"},
    {"query": "0%_"},
    {"query": "nobody"},
    {"query": ""},
    {"query": None},
    {"query": 100},
    {"user_ids": [F, A, B, NOBODY]},
    {"user_ids": []},
    {"group_ids": []},
    {"user_ids": [], "group_ids": []},
    {"user_ids": None, "group_ids": []},
    {"user_ids": [A], "group_ids": []},
    {"group_ids": ["g1"]},
    {"group_ids": ["g2", "g3", "none"]},
    {"group_ids": ["g3", "cycle"]},
    {"user_ids": [F, A], "group_ids": ["g1"]},
    {"user_ids": [], "group_ids": ["g2"]},
    {"roles": ["admin"]},
    {"roles": ["user", "pending", ""]},
    {"roles": ["!admin"]},
    {"roles": ["!"]},
    {"roles": ["!pending", "user", "!admin", "pending"]},
    {"roles": []},
    {"channel_id": "c1"},
    {"channel_id": "none"},
    {"channel_id": "c1", "query": "b", "roles": ["!x"], "group_ids": ["g1"]},
    {"unknown": 1},
]
SORTS: list[dict[str, Any] | None] = [
    None,
    {},
    *(
        {"order_by": key, "direction": direction}
        for key in ["name", "email", "created_at", "last_active_at", "updated_at", "role", "group_id:g1", "group_id:g3"]
        for direction in ["asc", "desc"]
    ),
    {"order_by": "group_id:none"},
    {"order_by": "group_id:"},
    {"order_by": "name"},
    {"order_by": "id", "direction": "asc"},
    {"order_by": "constructor"},
    {"direction": "asc"},
]
PAGES = [(None, None), (0, 2), (1, 2), (5, 30), (6, 1), (0, 0), (None, 3), (2, None), (-1, 2), (1, -1)]

GROUPS = [("g1", None), ("g2", "g1"), ("g3", "g2"), ("cycle", "loop"), ("loop", "cycle")]
MEMBERS = [("g1", A), ("g1", D), ("g2", F), ("g2", A), ("g3", C), ("g3", NOBODY), ("loop", E), ("gone", B)]


async def populate(pair: Pair) -> None:
    """People in groups and a channel; the groups are in PocketBase, too."""
    await seed(pair, *PEOPLE)
    groups = [Group(id=key, parent_group_id=parent, name=key, user_id=A) for key, parent in GROUPS]
    members = [GroupMember(id=IDS[n], group_id=g, user_id=u) for n, (g, u) in enumerate(MEMBERS, 100)]
    in_channel = [("c1", E, None), ("c1", None, "app"), ("c1", B, None), ("c2", A, None)]
    channel = [
        ChannelMember(id=str(n), channel_id=c, user_id=u, app_id=a, joined_at=0)
        for n, (c, u, a) in enumerate(in_channel)
    ]
    await pair.database.add(*groups, *members, *channel)
    await clear(pair.client, "group", "group_member")
    with pair.server.admin() as admin:
        for key, parent in GROUPS:
            admin.sql(f"INSERT INTO owui_groups (id, parent_group_id) VALUES ('{key}', '{parent or ''}')")
        for number, (group, user) in enumerate(MEMBERS):
            values = f"'{IDS[number]}', '{group}', '{user}'"
            admin.sql(f"INSERT INTO owui_group_members (id, group_id, user_id) VALUES ({values})")


@pytest.mark.parametrize("groups", ["in SQL", "in PocketBase"])
async def test_lists(on_sqlite: Pair, groups: str) -> None:
    """Any filter with any order, each with a page of its own; and any page."""
    if groups == "in PocketBase":
        on_sqlite.contract = replace(USERS, bound=ours("Groups"))
    await populate(on_sqlite)
    pages = itertools.cycle(PAGES)
    for chosen, sort in itertools.product(FILTERS, SORTS):
        if groups == "in SQL" or "group" in f"{chosen}{sort}":
            await on_sqlite.call("get_users", chosen, sort, *next(pages), rows=False)
    for skip, limit in PAGES:
        await on_sqlite.call("get_users", None, {"order_by": "name", "direction": "asc"}, skip, limit, rows=False)
        await on_sqlite.call("get_users", {"roles": ["admin", "user"]}, None, skip=skip, limit=limit, rows=False)
    for group in ["g1", "g2", "g3", "gone", "loop", "none", None]:
        await on_sqlite.call("get_users_by_group_id", group, rows=False)
    await on_sqlite.call("get_users_by_user_ids", [F, A, NOBODY, D], rows=False)
    await on_sqlite.call("get_valid_user_ids", [F, A, NOBODY, D], rows=False)
    await clear(on_sqlite.client, "group", "group_member")


async def test_lists_of_scim(on_sqlite: Pair) -> None:
    await populate(on_sqlite)
    filters = [None, {}, {"id": B}, {"id": A}, {"id": ""}, {"email": "D_X"}, {"email": ""}, {"id": C, "email": "d_x"}]
    sorts = [None, {}, {"order_by": "name"}, {"order_by": "created_at"}]
    sorts += [{"order_by": "created_at", "direction": direction} for direction in ["asc", "desc", "x"]]
    for chosen, sort, (skip, limit) in itertools.product(filters, sorts, PAGES):
        await on_sqlite.call("get_scim_users", chosen, sort, skip, limit, rows=False)


async def test_lists_in_a_given_order(pair: Pair) -> None:
    """What PostgreSQL and SQLite agree on."""
    people = [{"id": IDS[n], "created_at": 10 - n, "name": f"user {n}", "role": f"r{n % 3}"} for n in range(8)]
    await seed(pair, *people)
    for chosen in [None, {"query": "USER"}, {"roles": ["r1", "!r2"]}, {"user_ids": IDS[2:5]}]:
        for order_by, direction in itertools.product(["name", "created_at"], ["asc", "desc"]):
            await pair.call("get_users", chosen, {"order_by": order_by, "direction": direction}, 1, 3, rows=False)


async def test_many_ids(pair: Pair) -> None:
    await seed(pair, *({"id": key, "email": key} for key in IDS[:600]))
    await pair.call("get_users_by_user_ids", IDS[:1200], rows=False)
    await pair.call("get_valid_user_ids", IDS[:1200], rows=False)


async def test_delete_takes_what_is_nobodys_without(pair: Pair, refreshed: list[str]) -> None:
    """As PostgreSQL does; the stock class leaves API keys and OAuth sessions behind on SQLite."""
    for call in [*THREE, ("update_user_api_key_by_id", A, "sk-a"), ("update_user_api_key_by_id", B, "sk-b")]:
        await pair.call(*call)
    session = {"id": NOBODY, "user_id": A, "provider": "p", "token": "t", "expires_at": 1}
    session |= {"created_at": 1, "updated_at": 1}
    await clear(pair.client, "oauth_session")
    await pair.client.write("oauth_sessions/create_session", {"session": session})
    await pair.call("delete_user_by_id", A, rows=not pair.database.is_sqlite)
    assert [row["user_id"] for row in pocketbase_rows(pair.server.data_dir, "api_key")] == [B]
    assert pocketbase_rows(pair.server.data_dir, "oauth_session") == []
    assert refreshed == [A, A]


async def test_nothing_is_deleted_if_the_chats_could_not_be(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_id: str, db: Any = None) -> bool:
        return False

    await pair.call(*THREE[0])
    monkeypatch.setattr(Chats, "delete_chats_by_user_id", fail)
    assert await pair.call("delete_user_by_id", A) is False


async def test_updates_at_once_lose_nothing(on_sqlite: Pair) -> None:
    await on_sqlite.subject.insert_new_user(A, "n", "a@x.y")
    await asyncio.gather(
        *(on_sqlite.subject.update_user_settings_by_id(A, {"ui": {f"k{n}": n}}) for n in range(30)),
        *(on_sqlite.subject.update_user_oauth_by_id(A, f"p{n}", str(n)) for n in range(30)),
        *(on_sqlite.subject.update_user_scim_by_id(A, f"p{n}", str(n)) for n in range(30)),
    )
    user = await on_sqlite.subject.get_user_by_id(A)
    assert user is not None
    assert user.settings is not None
    assert user.settings.ui == {f"k{n}": n for n in range(30)} | user.settings.ui
    assert user.oauth == {f"p{n}": {"sub": str(n)} for n in range(30)} | (user.oauth or {})
    assert user.scim == {f"p{n}": {"external_id": str(n)} for n in range(30)} | (user.scim or {})
    assert [len(user.settings.ui), len(user.oauth), len(user.scim)] == [30, 30, 30]


async def test_one_of_many_gets_an_address_or_a_key(on_sqlite: Pair) -> None:
    subject = on_sqlite.subject
    made = await asyncio.gather(
        *(subject.insert_new_user(key, "n", "Same@x.y" if n % 2 else "same@X.Y") for n, key in enumerate(IDS[:20])),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, Exception) for result in made) == 1
    for number, key in enumerate(IDS[20:40]):
        await subject.insert_new_user(key, "n", f"{number}@x.y")
    given = await asyncio.gather(
        *(subject.update_user_api_key_by_id(key, "sk-same") for key in IDS[20:40]), return_exceptions=True
    )
    assert sum(result is True for result in given) == 1


async def test_json_that_says_the_same_in_another_order_stays(pair: Pair) -> None:
    """SQLAlchemy takes it for no change; of integers that JavaScript cannot tell apart each is one."""
    await pair.call("insert_new_user", "u1", "Name", "u1@x")
    for value in (
        {"a": {"x": 1, "y": [2]}, "b": None},
        {"b": None, "a": {"y": [2], "x": 1}},
        {"b": None, "a": {"y": [3], "x": 1}},
        {"n": 2**53, "m": 1},
        {"n": 2**53 + 1, "m": 1},
    ):
        for more in ({}, {"email": "u1@x"}):
            await pair.call("update_user_by_id", "u1", {"info": value, "variables": value, **more})
