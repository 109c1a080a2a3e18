"""Access grants: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.access_grants import AccessGrant, AccessGrantModel
from open_webui.models.groups import Group, GroupMember
from open_webui.models.tags import Tag
from open_webui.models.users import User
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.access import PocketBaseAccessGrants
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from tests.support.contracts import ACCESS
from tests.support.differential import HOSTILE_NAMES, IDS, SURROGATES, Opened, Pair, public_methods

TOP, MIDDLE, LEAF, OTHER, GONE = IDS[1000:1005]
"""Groups: the first three one below another."""

MEMBERS = [(TOP, "u1"), (LEAF, "u2"), (OTHER, "u3"), (MIDDLE, "u3"), (LEAF, "u4")]
USERS = ["u1", "u2", "u3", "u4", "u5"]

Call = tuple[Any, ...]


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(ACCESS, oracle) as pair:
        await add_users_and_groups(pair)
        yield pair


async def add_users_and_groups(pair: Pair) -> None:
    """Put the same groups and members into both, and users into the SQL database, where both look for them."""
    await pair.database.add(*[user(name) for name in USERS])
    for key, parent in [(TOP, None), (MIDDLE, TOP), (LEAF, MIDDLE), (OTHER, None)]:
        row: dict[str, Any] = {"parent_group_id": parent, "id": key, "user_id": "u1", "name": key, "description": ""}
        row |= {"data": None, "meta": None, "permissions": None, "created_at": 1, "updated_at": 1}
        await pair.database.add(Group(**row))
        await pair.client.write("groups/insert_new_group", {"group": codec_of("group").encode(row)})
    for number, (group, member) in enumerate(MEMBERS):
        key = IDS[2000 + number]
        await pair.database.add(GroupMember(id=key, group_id=group, user_id=member, created_at=1, updated_at=1))
        parameters = {"id": group, "user_ids": [member], "updated_at": 1}
        await pair.client.write("groups/add_users_to_group", parameters)


def user(name: str) -> User:
    times = {"last_active_at": 0, "created_at": 0, "updated_at": 0}
    role = "pending" if name == "u5" else "user"
    return User(id=name, name=name, email=f"{name}@example.org", role=role, profile_image_url="", **times)


def grant(*grant: Any) -> Call:
    return "grant_access", *grant


def given(principal_type: Any, principal_id: Any, permission: Any, **more: Any) -> dict[str, Any]:
    return {"principal_type": principal_type, "principal_id": principal_id, "permission": permission, **more}


def put(resource_id: str, *grants: Any, resource_type: str = "model") -> Call:
    return "set_access_grants", resource_type, resource_id, list(grants)


def control(resource_id: str, access_control: Any, resource_type: str = "model") -> Call:
    return "set_access_control", resource_type, resource_id, access_control


SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        ("revoke_access", "model", "m", "user", "u1", "read"),
        ("revoke_all_access", "model", "m"),
        put("m"),
        ("set_access_grants", "model", "m", None),
        control("m", {}),
    ],
    "grant and revoke": [
        grant("model", "m", "user", "u1", "read"),
        grant("model", "m", "user", "u1", "read"),
        grant("model", "m", "user", "u1", "write"),
        grant("model", "m", "group", "u1", "read"),
        grant("note", "m", "user", "u1", "read"),
        grant("model", "M", "user", "u1", "read"),
        grant("", "", "", "", ""),
        ("revoke_access", "model", "m", "user", "u1", "read"),
        ("revoke_access", "model", "m", "user", "u1", "read"),
        ("revoke_access", "model", "m", "user", "u1", "admin"),
        ("revoke_access", "", "", "", "", ""),
        ("revoke_all_access", "model", "m"),
        ("revoke_all_access", "model", "m"),
    ],
    "None": [
        grant(None, "m", "user", "u1", "read"),
        grant("model", None, "user", "u1", "read"),
        grant("model", "m", None, "u1", "read"),
        grant("model", "m", "user", None, "read"),
        grant("model", "m", "user", "u1", None),
        ("revoke_access", None, None, None, None, None),
        ("revoke_all_access", None, None),
        ("set_access_grants", "model", None, [given("user", "u1", "read")]),
        control("m", {"read": {"user_ids": [None]}}),
    ],
    "grants of every kind": [
        put("m", given("user", "u1", "read"), given("group", TOP, "write"), given("anyone", "*", "read")),
        put("m", given("user", "*", "read"), given("user", "*", "write")),
        put("m", given("user", "u1", "read"), given("user", "u1", "read", id="a"), given("user", "u1", "write", id="")),
        put(
            "m",
            AccessGrantModel(id="x", resource_type="t", resource_id="r", created_at=1, **given("user", "u", "read")),
        ),
        put("m", given("user", "u1", "admin"), given("role", "u1", "read"), given("user", "", "read"), "text", None, 5),
        put("m", given("anyone", "*", "write"), given("anyone", "u1", "read"), given("user", 5, "read"), {}),
        put("n", given("group", LEAF, "read", id=5), given("user", "u1", "read", resource_id="another")),
        put("m"),
    ],
    "access control": [
        control("m", None),
        control("f", None, "file"),
        control("m", {}),
        control("m", {"read": {"group_ids": [TOP, LEAF], "user_ids": ["u1"]}, "write": {"user_ids": ["u1", "u2"]}}),
        control("n", {"read": {}, "write": None}),
        control("n", {"write": {"group_ids": [], "user_ids": ["*"]}}),
        control("n", {"read": {"user_ids": ["*"]}, "write": {"group_ids": [TOP]}, "other": 1}),
        control("m", {"read": {"user_ids": ["u3", "u3"]}}),
        control("m", {"read": {"group_ids": [TOP]}, "write": {"group_ids": [TOP]}}),
    ],
    "of every principal": [
        grant("model", "m", "group", TOP, "read"),
        grant("model", "n", "group", MIDDLE, "read"),
        grant("note", "m", "group", LEAF, "write"),
        grant("note", "n", "group", OTHER, "read"),
        grant("note", "n", "group", "u1", "write"),
        grant("note", "n", "group", "*", "read"),
        grant("model", "m", "group", GONE, "write"),
        grant("model", "m", "user", "u2", "write"),
        grant("model", "n", "anyone", "*", "read"),
        grant("note", "n", "anyone", "u1", "read"),
        grant("note", "m", "user", TOP, "read"),
    ],
    "of everybody": [
        grant("model", "n", "user", "u2", "write"),
        grant("note", "n", "user", "u5", "read"),
        grant("model", "m", "user", "*", "read"),
        grant("note", "m", "user", "*", "write"),
    ],
}

READS: list[Call] = [
    *[
        (method, kind, key, *permission)
        for kind, key in [("model", "m"), ("model", "n"), ("note", "m"), ("note", "n"), ("", ""), (None, None)]
        for method, *permission in [
            ("get_access_control",),
            ("get_grants_by_resource",),
            ("has_anyone_access",),
            ("has_anyone_access", "write"),
            ("get_users_with_access",),
            ("get_users_with_access", "write"),
        ]
    ],
    *[("get_grants_by_resources", kind, ["n", "m", "m", "x", ""]) for kind in ("model", "note", "")],
    ("get_grants_by_resources", "model", []),
    ("get_accessible_resource_ids", "u1", "model", []),
]
CHECKS: list[Call] = [
    *[
        call
        for name in [*USERS, "*", "", None, TOP]
        for groups in [(), (set(),), ({TOP, OTHER},), ({GONE, "*", "u1"},)]
        for call in [
            *[
                ("has_access", name, kind, key, permission, *groups)
                for kind, key in [("model", "m"), ("model", "n"), ("note", "m"), ("note", "n")]
                for permission in ("read", "write")
            ],
            *[
                ("get_accessible_resource_ids", name, kind, ["m", "n", "m", "x", ""], permission, *groups)
                for kind in ("model", "note")
                for permission in ("read", "write")
            ],
        ]
    ],
]


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: list[Call]) -> None:
    for call in calls:
        await pair.call(*call)
    for call in READS:
        await pair.call(*call, rows=False)
    for call in CHECKS if calls is SEQUENCES["of every principal"] else CHECKS[::7]:
        await pair.call(*call, rows=False)


def test_every_method_is_called() -> None:
    called = {method for calls in [*SEQUENCES.values(), READS, CHECKS] for method, *_ in calls}
    others = {"replace_access_grants", "get_user_ids_by_access_grants", "get_revoked_user_ids_by_resource"}
    assert called | others | {"has_permission_filter"} == public_methods("AccessGrants")


@pytest.mark.parametrize("permission", ["read", "write", "admin"])
async def test_revoked_users(pair: Pair, permission: str) -> None:
    states: list[list[dict[str, Any]]] = [
        [],
        [given("group", TOP, "read"), given("user", "u5", "write")],
        [given("group", LEAF, "read"), given("user", "u1", "read")],
        [given("user", "*", "read"), given("group", OTHER, "write")],
        [given("group", GONE, "read"), given("user", "nobody", "read"), given("anyone", "*", "read")],
    ]
    for before in states:
        previous = await pair.call(*put("m", *before))
        await pair.call("get_user_ids_by_access_grants", previous, permission)
        for after in states:
            await pair.call(*put("m", *after), rows=False)
            await pair.call("get_revoked_user_ids_by_resource", "model", "m", previous, permission, rows=False)


async def test_hostile_names(pair: Pair) -> None:
    # PostgreSQL has nothing to add here, so a few are enough.
    for name in list(HOSTILE_NAMES.values())[:: 1 if pair.database.is_sqlite else 8]:
        if pair.database.is_sqlite or ("\x00" not in name and len(name) < 1000):  # "NUL", "long key"
            await hostile_name(pair, name)


async def hostile_name(pair: Pair, name: str) -> None:
    await pair.call(*grant(name, name, name, name, name))
    await pair.call(*grant(name, name, name, name, name))
    await pair.call(*put(name, given("user", name, "read"), given("group", name, "write"), resource_type=name))
    calls: list[Call] = [
        ("get_grants_by_resource", name, name),
        ("get_grants_by_resources", name, [name, f"{name} "]),
        ("has_access", name, name, name),
        ("has_access", "u1", name, name, "write", {name}),
        ("get_accessible_resource_ids", name, name, [name, f"{name}x"]),
        ("get_accessible_resource_ids", "u1", name, [name, f"{name}x"], "write", {name}),
        ("get_access_control", name, name),
    ]
    for call in calls:
        await pair.call(*call, rows=False)
    await pair.call("revoke_access", name, name, "user", name, "read")
    await pair.call("revoke_all_access", name, name)


async def test_surrogates(pair: Pair) -> None:
    calls = [call for text in SURROGATES.values() for call in calls_with(text)]
    for call in calls:
        await pair.call(*call)


def calls_with(text: str) -> list[Call]:
    return [
        grant("model", text, "user", "u1", "read"),
        put("m", given("user", text, "read")),
        put(text, given("user", "u1", "read")),
        ("revoke_all_access", "model", text),
        ("has_access", text, "model", "m"),
        ("has_access", "u1", "model", "m", "read", {text}),
        ("get_accessible_resource_ids", "u1", "model", [text]),
        ("get_grants_by_resources", text, ["m"]),
    ]


async def test_ids_are_drawn_in_the_order_of_the_stock_class(pair: Pair) -> None:
    await pair.call(
        *put("m", given("user", "u1", "read"), given("user", "u2", "read", id="x"), given("group", TOP, "read"))
    )
    await pair.call(*control("n", {"read": {"user_ids": ["u1", "u2"]}}))
    await pair.call(*grant("model", "n", "user", "u1", "read"))
    await pair.call(*grant("model", "n", "user", "u1", "write"))


async def test_a_taken_id_changes_nothing(pair: Pair) -> None:
    await pair.call(*grant("model", "m", "user", "u1", "read"))
    pair.identifiers.next = 0
    assert isinstance(await pair.call(*grant("model", "n", "user", "u1", "read")), IntegrityError)
    await pair.call(*control("n", {"read": {"user_ids": ["u1"]}}))
    pair.identifiers.next = 0
    assert isinstance(await pair.call(*control("n", {"read": {"user_ids": ["u2"]}})), IntegrityError)


async def test_many_resources_and_groups(pair: Pair) -> None:
    for number in range(20):
        principal = [("user", "u1"), ("group", TOP), ("user", "*"), ("group", OTHER), ("anyone", "*")][number % 5]
        await pair.call(*put(f"r{number}", given(*principal, ["read", "write"][number % 2])), rows=False)
    resources = [f"r{number}" for number in range(1000)]
    for name in USERS:
        await pair.call("get_accessible_resource_ids", name, "model", resources, rows=False)
        await pair.call("get_accessible_resource_ids", name, "model", resources, "write", {*IDS[:500], TOP}, rows=False)
    await pair.call("get_grants_by_resources", "model", resources)


async def test_a_group_that_was_deleted_in_the_dashboard_opens_nothing(pair: Pair) -> None:
    """Its memberships and grants are left over there."""
    await pair.call(*grant("model", "m", "group", LEAF, "read"))
    assert await pair.call("has_access", "u2", "model", "m") is True
    with pair.server.admin() as admin:
        admin.send("DELETE", f"/api/collections/owui_groups/records/{LEAF}")
    assert await pair.subject.has_access("u2", "model", "m") is False
    assert await pair.subject.get_accessible_resource_ids("u2", "model", ["m"]) == set()


async def test_revocation_of_several_resources(pair: Pair) -> None:
    for key in "abc":
        await pair.call(*put(key, given("user", "u1", "read"), given("group", TOP, "read")))
    assert await pair.subject.revoke_all_access_to_each("model", iter(["a", "c", "x"])) == 4
    assert await pair.subject.revoke_all_access_to_each("note", ["b"]) == 0
    left = await pair.subject.get_grants_by_resources("model", ["a", "b", "c"])
    assert {key: len(grants) for key, grants in left.items()} == {"a": 0, "b": 2, "c": 0}


async def test_replacement_in_a_transaction_of_the_caller(pair: Pair) -> None:
    grants = [given("user", "u1", "read"), given("group", TOP, "write")]
    await pair.call(*put("m", given("user", "u2", "read")))
    async with pair.database.sessions() as session:
        replaced = await pair.subject.replace_access_grants(session, "model", "m", grants)
    assert [AccessGrantModel.model_validate(grant) for grant in replaced] == replaced
    assert await pair.subject.get_grants_by_resource("model", "m") == replaced
    # What the database refuses is refused before anything changes in PocketBase.
    async with pair.database.sessions() as session:
        session.add(Tag(id="t", user_id="u1", name="t"))
        await session.flush()
        session.expunge_all()
        session.add(Tag(id="t", user_id="u1", name="t"))
        with pytest.raises(IntegrityError):
            await pair.subject.replace_access_grants(session, "model", "m", [])
    assert await pair.subject.get_grants_by_resource("model", "m") == replaced
    assert await pair.subject.replace_access_grants(None, "model", "m", []) == []


async def test_the_answer_of_a_replacement_is_that_of_the_stock_class(pair: Pair) -> None:
    grants = [given("user", "u1", "read"), given("group", TOP, "write"), given("user", "u1", "read")]
    async with pair.database.sessions() as session:
        stock = await pair.oracle.replace_access_grants(session, "model", "m", grants)
        stock = [AccessGrantModel.model_validate(grant) for grant in stock]
        pair.identifiers.next = 0
        assert await pair.subject.replace_access_grants(session, "model", "m", grants) == stock
        await session.rollback()


@pytest.fixture
async def ours(opened: Opened) -> AsyncIterator[PocketBaseAccessGrants]:
    """Our class alone, for what happens at once."""
    async with opened(ACCESS, "sqlite") as pair:
        yield pair.subject


async def test_the_same_grant_at_once_is_one(ours: PocketBaseAccessGrants) -> None:
    grants = await asyncio.gather(*[ours.grant_access("model", "m", "user", "u1", "read") for _ in range(30)])
    assert len({grant.id for grant in grants if grant}) == 1
    assert len(await ours.get_grants_by_resource("model", "m")) == 1
    revoked = await asyncio.gather(*[ours.revoke_access("model", "m", "user", "u1", "read") for _ in range(30)])
    assert sorted(revoked) == [False] * 29 + [True]


async def test_replacements_at_once_do_not_mix(ours: PocketBaseAccessGrants) -> None:
    sets = [[given("user", f"{n}-{m}", "read") for m in range(4)] for n in range(20)]
    results = await asyncio.gather(*[ours.set_access_grants("model", "m", grants) for grants in sets])
    assert await ours.get_grants_by_resource("model", "m") in results
    counts = await asyncio.gather(*[ours.revoke_all_access("model", "m") for _ in range(10)])
    assert sorted(counts) == [0] * 9 + [4]


async def test_a_member_added_at_once_with_checks_has_access_after(ours: PocketBaseAccessGrants) -> None:
    """Whoever asks after the change was answered sees it."""
    groups = PocketBaseGroups()
    groups.pocketbase = ours.pocketbase
    row: dict[str, Any] = {
        "parent_group_id": None,
        "id": TOP,
        "user_id": "u1",
        "name": "g",
        "description": "",
        "data": None,
    }
    row |= {"meta": None, "permissions": None, "created_at": 1, "updated_at": 1}
    await ours.pocketbase.write("groups/insert_new_group", {"group": codec_of("group").encode(row)})
    await ours.grant_access("model", "m", "group", TOP, "read")

    async def join(name: str) -> bool:
        await ours.pocketbase.write("groups/add_users_to_group", {"id": TOP, "user_ids": [name], "updated_at": 1})
        return await ours.has_access(name, "model", "m")

    assert all(await asyncio.gather(*[join(str(n)) for n in range(30)]))
    assert not await ours.has_access("30", "model", "m")


def test_models_are_those_of_the_table() -> None:
    assert set(AccessGrantModel.model_fields) == {column.name for column in AccessGrant.__table__.columns}
