"""Models: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from fastapi import HTTPException
from open_webui.models import groups as stock_groups
from open_webui.models.groups import GroupForm
from open_webui.models.models import Model, ModelForm, ModelMeta, ModelModel, ModelParams
from open_webui.models.users import User
from sqlalchemy.exc import IntegrityError

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.models import PocketBaseModels
from openwebui_pocketbase.repositories.models._steps import creation
from tests.support.contracts import MODELS
from tests.support.differential import (
    HOSTILE_NAMES,
    IDS,
    JSON_OBJECTS,
    START,
    SURROGATES,
    Opened,
    Pair,
    public_methods,
)
from tests.support.stock import skip_postgresql

Call = tuple[Any, ...]

FILE = "5b3f3f0e-6a6e-4a55-9d3e-0d0a4b8d6c11"
OTHER_FILE = "5b3f3f0e-6a6e-4a55-9d3e-0d0a4b8d6c12"


async def nobody_is_connected(_user_ids: Any) -> None:
    pass


@pytest.fixture
async def pair(oracle: str, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(stock_groups, "refresh_group_sessions", nobody_is_connected)
    async with opened(MODELS, oracle) as pair:
        yield pair


@pytest.fixture
async def ours(opened: Opened) -> AsyncIterator[PocketBaseModels]:
    """Our class alone, for what happens at once."""
    async with opened(MODELS, "sqlite") as pair:
        yield pair.subject


def form(id: str, name: str = "Name", base: str | None = "gpt", **more: Any) -> ModelForm:
    meta, params = more.pop("meta", {}), more.pop("params", {})
    return ModelForm(id=id, name=name, base_model_id=base, meta=meta, params=params, **more)


def new(id: str, name: str = "Name", base: str | None = "gpt", user_id: str = "u1", **more: Any) -> Call:
    return "insert_new_model", form(id, name, base, **more), user_id


def update(id: str, name: str = "Name", base: str | None = "gpt", user_id: str | None = "u2", **more: Any) -> Call:
    return "update_model_by_id", id, form(id, name, base, **more), None, user_id


def grant(principal: str, permission: str = "read", kind: str = "user", **more: Any) -> dict[str, Any]:
    return {"principal_type": kind, "principal_id": principal, "permission": permission, **more}


def listed(id: str, name: str = "Name", **more: Any) -> ModelModel:
    more = {"base_model_id": "gpt", "user_id": "u9", "is_active": True, "version_id": "elsewhere", **more}
    meta, params = ModelMeta(**more.pop("meta", {})), ModelParams(**more.pop("params", {}))
    grants = [
        {"id": "g", "resource_type": "model", "resource_id": id, "created_at": 1, **each}
        for each in more.pop("grants", ())
    ]
    return ModelModel(
        id=id, name=name, meta=meta, params=params, access_grants=grants, created_at=5, updated_at=6, **more
    )


LOOKS: list[Call] = [
    ("get_all_models",),
    ("get_models",),
    ("get_base_models",),
    ("get_all_tags", "u1", True),
    ("get_all_tags", "u1", True, True),
    ("search_models", "u1"),
]

SEQUENCES: dict[str, list[Call]] = {
    "nothing there": [
        *LOOKS,
        ("get_models", "u1"),
        ("get_models", None, None, []),
        ("get_model_by_id", "m"),
        ("get_model_by_id", None),
        ("get_models_by_ids", []),
        ("get_models_by_ids", ["m"]),
        ("get_models_by_ids", None),
        ("get_model_meta_by_id", "m"),
        ("get_model_owner_ids_by_file_id", FILE),
        ("toggle_model_by_id", "m"),
        update("m"),
        ("update_model_by_id", "m", form("m"), None, "u1", IDS[9]),
        ("update_model_updated_at_by_id", "m"),
        ("delete_model_by_id", "m"),
        ("delete_all_models",),
        ("sync_models", "u1", []),
    ],
    "insert": [
        new("m"),
        new("m", "Another", user_id="u2"),
        new("n", base=None, is_active=False, commit_message="first"),
        new("M", "Upper case"),
        new("o", "", "", params={"temperature": 0.5, "stop": ["a"]}, meta={"hidden": True, "x": {"b": 1, "a": 1.0}}),
        new("p", access_grants=[]),
        new(
            "q",
            access_grants=[
                grant("u2"),
                grant("*", id="given"),
                grant("u2"),
                grant("g1", "write", "group"),
                grant("u3", "own"),
                grant("", "read"),
                grant("*", kind="anyone"),
            ],
        ),
        *LOOKS,
        ("get_model_by_id", "q"),
        ("get_models_by_ids", ["q", "m", "nope", "M", "q"]),
        ("get_models", None, None, ["q", "n", "M", "m"]),
        ("get_model_meta_by_id", "o"),
        ("get_model_meta_by_id", "m"),
    ],
    "update": [
        new("m", access_grants=[grant("u2")], meta={"tags": [{"name": "a"}]}),
        update("m"),
        update("m", meta={"tags": ["a"]}),
        update("m", "Renamed", commit_message="name"),
        update("m", "Renamed", commit_message="nothing new"),
        update("m", "Renamed", None),
        update("m", "Renamed", params={"a": 1}, access_grants=[grant("u3")]),
        update("m", "Renamed", params={"a": 1}, meta={"hidden": True}),
        update("m", "Renamed", params={"a": 1.0}, meta={"hidden": True, "chat_variables_schema": {"a": 1}}),
        update("m", "Renamed", params={"a": True}, user_id=None),
        ("update_model_by_id", "m", form("other", "Other")),
        ("get_model_by_id", "m"),
    ],
    "enable and disable": [
        new("m", is_active=False),
        update("m", "stays disabled"),
        update("m", "enabled", is_active=True),
        ("toggle_model_by_id", "m"),
        ("toggle_model_by_id", "m"),
        ("update_model_updated_at_by_id", "m"),
        ("toggle_model_by_id", "M"),
        update("m", "disabled", is_active=False),
    ],
    "delete": [
        *[new(key, access_grants=[grant("u2"), grant("g", "write", "group")]) for key in ("a", "b", "A", "c")],
        update("a", "new version"),
        ("AccessGrants.grant_access", "note", "a", "user", "u1", "read"),
        ("AccessGrants.grant_access", "model", "gone", "user", "u1", "read"),
        ("delete_model_by_id", "a"),
        ("delete_model_by_id", "nope"),
        new("a"),
        ("delete_all_models",),
        *LOOKS,
        new("gone", access_grants=[grant("u3")]),
    ],
    "sync": [
        new("a", access_grants=[grant("u2")]),
        new("b", meta={"hidden": True}),
        new("c"),
        ("toggle_model_by_id", "b"),
        ("sync_models", "u2", [listed("d", grants=[grant("u4")]), listed("b", meta={"tags": ["x"]}), listed("a")]),
        ("sync_models", "u2", [listed("a", "Renamed", grants=[grant("u5")]), listed("d", is_active=False)]),
        ("sync_models", "u2", [listed("n"), listed("a"), listed("n", "again")]),
        ("sync_models", "u2", [listed("a", "one"), listed("a", "two")]),
        ("sync_models", "u2", [listed("a", "Renamed", is_active=False), listed("a", "two")]),
        ("sync_models", "u2", [listed("a", "two"), listed("a", "two")]),
        ("sync_models", "u2", []),
    ],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
async def test_sequence(pair: Pair, calls: list[Call]) -> None:
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_is_called() -> None:
    assert public_methods("Models") <= {method for calls in SEQUENCES.values() for method, *_ in calls}


async def test_production_version(pair: Pair) -> None:
    first = (await pair.call(*new("m", "first", meta={"hidden": True, "n": 1}))).version_id
    second = (await pair.call(*update("m", "second", meta={"n": 2}))).version_id
    other = (await pair.call(*new("n"))).version_id
    to_first = form("m", "first", meta={"n": 1, "hidden": True}, is_active=False)
    for version in (first, second, second, other, IDS[4000], "", None):
        result = await pair.call("update_model_by_id", "m", to_first, None, "u2", version)
        if version == other:
            assert isinstance(result, HTTPException)
    await pair.call(*update("m", "third", meta={"hidden": [1.0], "n": 3}, is_active=False))
    await pair.call("update_model_by_id", "m", to_first, None, "u2", first)
    await pair.call(*update("m", "fourth"))
    await pair.call("ModelHistories.get_history_by_model_id", "m")


async def test_details_of_refusals(ours: PocketBaseModels) -> None:
    """Clients tell them apart by these."""
    await ours.insert_new_model(form("m"), "u1")
    with pytest.raises(HTTPException) as missing:
        await ours.update_model_by_id("m", form("m"), production_version_id="nope")
    assert (missing.value.status_code, missing.value.detail) == (404, "Model version not found")
    with pytest.raises(HTTPException) as conflict:
        await ours.sync_models("u1", [listed("m", "a"), listed("m", "b")])
    detail: Any = conflict.value.detail
    assert (conflict.value.status_code, detail) == (409, {"code": "version_conflict"})
    assert [model.name for model in await ours.get_all_models()] == ["Name"]


@pytest.mark.parametrize("id", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
async def test_hostile_id_and_name(pair: Pair, id: str) -> None:
    """Only a form refuses ids with spaces; who gives the row another way gets it back."""
    skip_postgresql(pair.database, "NUL", when="\x00" in id)
    skip_postgresql(pair.database, "long key", when=len(id) > 2000)
    model = ModelForm.model_construct(
        **{**dict(form("m", id, id, meta={"tags": [{"name": id}], "x": id})), "id": id, "access_grants": [grant("u2")]}
    )
    await pair.call("insert_new_model", model, "u1")
    await pair.call("insert_new_model", model, "u1", rows=False)
    await pair.call("get_model_by_id", id, rows=False)
    await pair.call("get_models_by_ids", [id, f"{id}x"], rows=False)
    await pair.call("get_model_meta_by_id", id, rows=False)
    await pair.call("update_model_by_id", id, form("m", f"{id}2", id), None, id)
    await pair.call("toggle_model_by_id", id)
    for text in dict.fromkeys([id, id.swapcase(), id.lower()]):
        if pair.database.is_sqlite and not ("\\" in text and "%" in text) and "\x00" not in text:
            await pair.call("search_models", "u1", {"query": text}, rows=False)
    await pair.call("delete_model_by_id", id)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(pair: Pair, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await pair.call(*new("m"))
    for call in (new("n", user_id=text), update("m", "other", user_id=text)):
        await pair.call(*call)
    others: list[Call] = [
        ("get_model_by_id", text),
        ("get_models_by_ids", ["m", text]),
        ("get_models", text),
        ("get_model_meta_by_id", text),
        ("toggle_model_by_id", text),
        ("search_models", "u1", {"query": text}),
        ("delete_model_by_id", text),
    ]
    for other in others:
        await pair.call(*other)


async def test_ids_of_long_and_similar_models(pair: Pair) -> None:
    ids = ["Llama3:8b", "llama3:8b", "hf.co/org/Model-GGUF:Q4_K_M", "a" * 255, "A" * 255, "müller/größe:1@x%20y", "🦙"]
    for key in ids:
        await pair.call(*new(key, access_grants=[grant(key)]), rows=False)
    await pair.call(*update("llama3:8b", "lower"))
    await pair.call("delete_model_by_id", "Llama3:8b")
    await pair.call("get_models_by_ids", ids)


@pytest.mark.parametrize("value", JSON_OBJECTS.values(), ids=JSON_OBJECTS)
async def test_json(pair: Pair, value: dict[str, Any]) -> None:
    """Key order, number spelling and types survive in what is stored, read and compared."""
    skip_postgresql(pair.database, "NUL", when="\\x00" in repr(value))
    if "beyond" in str(value) or any(isinstance(n, int) and not -(2**63) <= n < 2**64 for n in value.values()):
        pytest.skip("stored as a float by ours")
    meta, params = {"extra": value}, {"extra": value}
    await pair.call(*new("m", meta=meta, params=params))
    await pair.call(*update("m", meta=meta, params=params))
    await pair.call(*update("m", meta={"extra": [value]}, params=params))
    await pair.call("get_model_meta_by_id", "m")


async def seed(pair: Pair, *models: Model) -> None:
    """Put models into both which no method makes."""

    async def write(row: dict[str, Any]) -> None:
        made = creation(form("x"), "u1") | {"id": row["id"], "model": codec_of("model").encode(row)}
        await pair.client.write("models/insert_new_model", made | {"history": {**made["history"], "id": row["id"]}})

    contract, pair.contract = pair.contract, pair.contract.only("model")
    await pair.seed([*models], write)
    pair.contract = contract


def stored(id: str, **columns: Any) -> Model:
    usual: dict[str, Any] = {
        "user_id": "u1",
        "base_model_id": "gpt",
        "name": "n",
        "params": {},
        "meta": {},
        "version_id": None,
    }
    return Model(id=id, **{**usual, "is_active": True, "updated_at": START, "created_at": START, **columns})


async def test_rows_that_the_host_cannot_read(pair: Pair) -> None:
    rows: list[dict[str, Any]] = [
        {},
        {"meta": None},
        {"params": None},
        {"meta": {"knowledge": "text"}},
        {"params": {"model_controls": []}},
        {"meta": {"profile_image_url": 1}},
        {"user_id": None},
        {"name": None, "base_model_id": None},
    ]
    pair.contract = replace(pair.contract, tables=("model",))
    for number, columns in enumerate(rows):
        await seed(pair, stored(f"m{number}", **columns))
        for method, *args in [*LOOKS, ("get_models_by_ids", [f"m{number}"]), ("get_model_by_id", f"m{number}")]:
            if method != "get_all_tags" or "meta" not in columns:
                await pair.call(method, *args)
        await pair.call("toggle_model_by_id", f"m{number}")
        await pair.call("get_model_meta_by_id", f"m{number}")


async def test_rows_made_elsewhere(pair: Pair) -> None:
    """Tags and knowledge in other forms, no version."""
    await seed(
        pair,
        stored("a", meta={"tags": ["x", {"name": " y "}, {"name": None}, "", 1, {}], "hidden": True}),
        stored("b", base_model_id=None, meta={"tags": [{"name": "x"}, "z"]}),
        stored("c", base_model_id="", meta={"knowledge": [{"type": "file", "id": FILE, "data": {"content": "long"}}]}),
    )
    pair.contract = replace(pair.contract, tables=("model",))
    for method, *args in LOOKS:
        await pair.call(method, *args)
    for tag in ("x", "y", " y ", "z", "1"):
        await pair.call("get_base_models", tag)
    skip_postgresql(pair.database, "ties")
    await pair.call("update_model_by_id", "a", form("a", "n", meta={"tags": ["x", "y"]}))
    await pair.call("update_model_by_id", "c", form("c", "n", ""))


PEOPLE = {
    "u1": ("Ann", "ann@example.com", "queen_ann"),
    "u2": ("BOB", "b@Example.com", "ÄNNE"),
    "u3": ("Cä", "c@x", None),
}


def user(id: str) -> User:
    name, email, username = PEOPLE[id]
    times = {"last_active_at": START, "created_at": START, "updated_at": START}
    return User(id=id, name=name, email=email, username=username, role="user", profile_image_url="", **times)


async def people(pair: Pair, *, in_pocketbase: bool) -> None:
    """Have users, in PocketBase or not."""
    if in_pocketbase:
        for key, (name, email, username) in PEOPLE.items():
            await pair.call("Users.insert_new_user", key, name, email, "", "user", username, rows=False)
    else:
        bound = {name: kind for name, kind in pair.contract.bound.items() if name != "Users"}
        pair.contract = replace(pair.contract, bound=bound, tables=pair.contract.tables[:-1])
        await pair.database.add(*map(user, PEOPLE))


wherever_users_are = pytest.mark.parametrize(
    "in_pocketbase", [True, False], ids=["users in PocketBase", "users in SQL"]
)


@wherever_users_are
async def test_search(pair: Pair, *, in_pocketbase: bool) -> None:
    await people(pair, in_pocketbase=in_pocketbase)
    owners = ["u1", "u2", "u3", "u2", "gone", "u1"]
    names = ["alpha", "beta ann", "gamma", "delta", "Straße", "İstanbul 100%"]
    for number, (owner, name) in enumerate(zip(owners, names, strict=True)):
        await pair.call(*new(f"m{number}", name, f"Base/{number}", owner, access_grants=[grant("*")]), rows=False)
    await pair.call(*new("override", "alpha", None), rows=False)
    await pair.call("update_model_updated_at_by_id", "m2", rows=False)
    orders = [{"order_by": by, "direction": to} for by in ("created_at", "updated_at") for to in ("asc", "desc", None)]
    if pair.database.is_sqlite:
        orders += [
            {"order_by": "name", "direction": "asc"},
            {"order_by": "name"},
            {"order_by": "x"},
            {"direction": "asc"},
        ]
    for order in orders:
        await pair.call("search_models", "u1", order, rows=False)
        for skip, limit in [(0, 2), (2, 2), (5, 10), (6, 1), (0, 0), (1, None), (99, 1)]:
            await pair.call("search_models", "u1", order, skip, limit, rows=False)
    queries = ["ann", "ANN", "%", "_", "a%n", "base/3", "@example", "bob", "x", "alpha", "nothing", "n_ann", "m0"]
    if pair.database.is_sqlite:
        queries += [
            "ä",
            "ÄNN",
            "strasse",
            "STRASSE",
            "straße",
            "İSTANBUL",
            "istanbul",
            "100%",
            "*",
            "?",
            "[a]",
            "'",
            '"',
            "\\",
        ]
        queries += ["ann" * 5000, 5]  # type: ignore[list-item]
    for query in queries:
        await pair.call("search_models", "u1", {"query": query, "order_by": "created_at"}, rows=False)
    for view in ("created", "shared", "all", None):
        await pair.call("search_models", "u1", {"view_option": view, "order_by": "created_at"}, rows=False)
    await pair.call("get_models", None, None, ["m3", "m0", "override"], rows=False)


@wherever_users_are
async def test_access(pair: Pair, *, in_pocketbase: bool) -> None:
    """Owners, everybody, users and groups, with what is inherited; writing does not include reading."""
    await people(pair, in_pocketbase=in_pocketbase)
    top = (await pair.call("Groups.insert_new_group", "u1", GroupForm(name="top", description=""), rows=False)).id
    below = GroupForm(name="below", description="", parent_group_id=top)
    below_id = (await pair.call("Groups.insert_new_group", "u1", below, rows=False)).id
    for group, member in [(below_id, "u2"), (top, "u3")]:
        await pair.call("Groups.add_users_to_group", group, [member], rows=False)
    grants = [
        [],
        [grant("*")],
        [grant("u2")],
        [grant("u2", "write")],
        [grant(top, "read", "group")],
        [grant(top, "write", "group")],
        [grant(below_id, "read", "group"), grant(below_id, "write", "group"), grant("u2")],
        [grant("*", kind="anyone")],
        [grant("*", "write")],
    ]
    for number, some in enumerate(grants):
        base = None if number % 4 == 2 else "gpt"
        meta = {"tags": [f"t{number}"]}
        await pair.call(*new(f"m{number}", base=base, access_grants=some, meta=meta), rows=False)
        await pair.call(*new(f"n{number}", access_grants=some, meta=meta), rows=False)
    for reader in ("u1", "u2", "u3", "nobody", "", None):
        await pair.call("get_models", reader, rows=False)
        await pair.call("get_models", reader, None, ["m1", "n5", "n3", "n6"], rows=False)
        for is_base in (False, True):
            await pair.call("get_all_tags", reader, False, is_base, rows=False)
        for groups in ([], [top], [top, below_id], {top}, None):
            if groups is not None:
                filters = {"user_id": reader, "group_ids": groups, "order_by": "created_at"}
                await pair.call("search_models", "u1", filters, rows=False)
        await pair.call("search_models", "u1", {"user_id": reader, "order_by": "created_at"}, 2, 3, rows=False)


TAGS = [
    "code",
    "CODE",
    "Größe",
    "GRÖSSE",
    "K",
    "\u212a",
    "ΟΔΟΣ",
    "a_b",
    "100%",
    "[x]",
    'qu"ote',
    "back\\slash",
    "İş",
    "ﬁn",
    "🏷",
    "*",
]


async def test_tags(pair: Pair) -> None:
    for number, tag in enumerate(TAGS):
        await pair.call(*new(f"m{number}", meta={"tags": [{"name": tag}], "description": f"about {tag}"}), rows=False)
        await pair.call(*new(f"b{number}", base=None, meta={"tags": [{"name": tag}, {"name": "all"}]}), rows=False)
    for tag in [*TAGS, "all", "a%b", "axb", "cod", "description", "größe", "οδος", "nothing", ""]:
        if pair.database.is_sqlite or tag.isascii():
            await pair.call("search_models", "u1", {"tag": tag, "order_by": "created_at"}, rows=False)
        await pair.call("get_base_models", tag, rows=False)
    await pair.call("get_all_tags", "u1", True, rows=False)
    await pair.call("get_all_tags", "u1", True, True, rows=False)


FILES: list[dict[str, Any]] = [
    {"knowledge": [{"type": "file", "id": FILE}]},
    {"knowledge": [{"type": "collection", "id": FILE}, "text", None, {"type": "file"}]},
    {"knowledge": None, "description": FILE},
    {"background_image_url": f"/api/v1/files/{FILE}/content"},
    {"voice_avatar": {"file_id": FILE}},
    {"voice_avatar": {"file_id": OTHER_FILE, "states": {"idle": {"file_id": FILE}}}},
    {"voice_avatar": {"file_id": OTHER_FILE, "gestures": [{"name": "a", "description": "b", "file_id": FILE}]}},
    {"voice_avatar": None, "x": {"file_id": FILE}},
]


async def test_files(pair: Pair) -> None:
    for number, meta in enumerate(FILES):
        for base in (None, "gpt"):
            await pair.call(*new(f"{base}{number}", base=base, meta=meta, user_id=f"u{number}"), rows=False)
    for file in (FILE, FILE.upper(), OTHER_FILE, "nope", "%", "", "file"):
        for background in (False, True):
            await pair.call("get_model_owner_ids_by_file_id", file, None, background, rows=False)


async def test_grants_left_behind_go_when_their_model_is_new(pair: Pair) -> None:
    await pair.call("AccessGrants.set_access_grants", "model", "m", [grant("u2"), grant("u3", "write")])
    await pair.call("AccessGrants.set_access_grants", "note", "m", [grant("u2")])
    await pair.call(*new("m", access_grants=[grant("u4")]))
    await pair.call("AccessGrants.set_access_grants", "model", "m", [grant("u5")])
    await pair.call("get_model_by_id", "m")


async def test_a_refused_model_leaves_nothing(pair: Pair) -> None:
    await pair.call(*new("m"))
    pair.identifiers.next = 0  # the version's id comes once more
    assert isinstance(await pair.call(*new("n", access_grants=[grant("u2")])), IntegrityError)
    await pair.call("AccessGrants.get_grants_by_resource", "model", "n")


async def test_many_models(pair: Pair) -> None:
    """Replies that a thread decodes, and lists that a thread makes ready."""
    models = [listed(f"m{number}", meta={"description": "long " * 500}) for number in range(150)]
    await pair.call("sync_models", "u1", models)
    await pair.call("get_all_models", rows=False)
    await pair.call("sync_models", "u1", models[50:])


class Counted:
    """A client that counts requests, and can do something between them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.paths: list[str] = []
        self.before: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        send = getattr(self._client, name)

        async def counted(path: str, parameters: Mapping[str, Any], **more: Any) -> Any:
            self.paths.append(path)
            if path in self.before:
                await self.before.pop(path)
            return await send(path, parameters, **more)

        return counted


async def test_a_change_in_between_is_a_conflict(pair: Pair) -> None:
    """Whoever saved first is not overwritten, and no version is lost."""
    await pair.call(*new("m"))
    client = Counted(pair.client)
    ours, other = pair.subject, type(pair.subject)()
    ours.pocketbase, other.pocketbase = client, pair.client
    client.before["models/update_model_by_id"] = other.update_model_by_id("m", form("m", "theirs"))
    with pytest.raises(HTTPException) as conflict:
        await ours.update_model_by_id("m", form("m", "ours"))
    assert conflict.value.status_code == 409
    assert (await ours.get_model_by_id("m")).name == "theirs"
    client.before["models/update_model_by_id"] = other.delete_model_by_id("m")
    with pytest.raises(HTTPException):
        await ours.update_model_by_id("m", form("m", "ours"))
    assert await ours.get_all_models() == []


async def test_changes_at_once_lose_nothing(ours: PocketBaseModels) -> None:
    await ours.insert_new_model(form("m"), "u1")
    saves = [ours.update_model_by_id("m", form("m", f"name {n}")) for n in range(20)]
    results = await asyncio.gather(*saves, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert {type(error) for error in refused} <= {HTTPException}
    created = await asyncio.gather(*[ours.insert_new_model(form("n"), "u1") for _ in range(10)], return_exceptions=True)
    assert [type(result) for result in created if isinstance(result, Exception)] == [IntegrityError] * 9


async def test_requests(pair: Pair) -> None:
    """One for each method; two where the host's own code compares what is there with what is new."""
    client = Counted(pair.client)
    pair.subject.pocketbase = client
    filters = {"query": "n", "user_id": "u1", "group_ids": ["g"], "tag": "x"}
    calls = [new("m"), *LOOKS, ("get_models", "u1"), ("search_models", "u1", filters), ("get_model_by_id", "m")]
    calls += [("toggle_model_by_id", "m"), ("delete_model_by_id", "m"), ("get_model_owner_ids_by_file_id", FILE)]
    with pair.bound():
        for method, *args in calls:
            client.paths.clear()
            await getattr(pair.subject, method)(*args)
            assert len(client.paths) == 1, method
        await pair.subject.insert_new_model(form("m"), "u1")
        for method, *args in [update("m"), ("sync_models", "u1", [listed("m"), listed("n")])]:
            client.paths.clear()
            await getattr(pair.subject, method)(*args)
            assert len(client.paths) == 2, method
