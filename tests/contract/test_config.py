"""The configuration: what the stock class does, ours does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from open_webui.models.config import Config

from openwebui_pocketbase.host.binding import storing_methods
from openwebui_pocketbase.host_request import HostRequest, serving
from tests.support.contracts import CONFIG
from tests.support.differential import JSON_OBJECTS, Opened, Pair, share_of_hostile_names
from tests.support.stock import skip_postgresql

Calls = list[tuple[Any, ...]]

DEFAULTS = {"ui.name": "default", "oauth.id": "secret", "rag.k": 3, "none": None}


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(CONFIG, oracle) as pair:
        yield pair


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    before = Config.DEFAULTS, Config.PERSISTENT_ENABLED, Config.OAUTH_PERSISTENT_ENABLED
    Config.configure(defaults=DEFAULTS)
    yield
    Config.DEFAULTS, Config.PERSISTENT_ENABLED, Config.OAUTH_PERSISTENT_ENABLED = before


READS: Calls = [
    ("get", "ui.name"),
    ("get", "nope"),
    ("get", "nope", "fallback"),
    ("get", "oauth.id"),
    ("get", "none", "fallback"),
    ("get_many",),
    ("get_many", "ui.name", "nope", "oauth.id", "rag.k", "none", "ui.name"),
    ("get_many", "oauth.id"),
    ("get_namespace", "ui"),
    ("get_namespace", "oauth"),
    ("get_namespace", "u_"),
    ("get_namespace", "%"),
    ("get_all",),
]
SEQUENCES: dict[str, Calls] = {
    "nothing stored": READS,
    "a few values": [
        ("upsert", {"ui.name": "n", "rag.k": 5, "oauth.id": "other", "none": 1, "ui.x": [1], "uix.y": {"a": None}}),
        *READS,
        ("upsert", {"ui.name": None, "new": True}),
        *READS,
    ],
    "an equal value, spelled otherwise, stays": [
        ("upsert", {"a": True, "b": {"x": 1, "y": 2}, "c": [1, 2]}),
        ("get_all",),
        ("upsert", {"a": 1, "b": {"y": 2, "x": 1}, "c": (1, 2)}),
        ("upsert", {"a": False, "b": {"y": 2}}),
        ("get_all",),
    ],
    "delete": [
        ("delete", "nope"),
        ("upsert", {"a": 1, "b": 2}),
        ("delete", "a"),
        ("delete", "a"),
        ("get_all",),
        ("clear",),
        ("clear",),
        ("get_all",),
    ],
    "seed": [
        ("upsert", {"a": "kept"}),
        ("seed_defaults", {"a": 1, "b": [1, {"c": None}], "oauth.id": 1, "d": None}),
        ("seed_defaults", {"a": 1, "b": 2}),
        ("seed_defaults", {}),
        ("get_all",),
    ],
    "rename": [
        ("rename_prefix", "web", "net"),
        ("upsert", {"web.a": 1, "web.b": {"x": 1}, "net.b": "kept", "webX": 1, "other.a": 1}),
        ("rename_prefix", "web", "net"),
        ("get_all",),
        ("rename_prefix", "web", "net"),
    ],
    "repair": [
        ("repair_config_rows",),
        ("upsert", {"user.permissions.chat.delete": True, "USER_PERMISSIONS.chat.edit": False, "user.permissionsX": 1}),
        ("upsert", {"openai.api_configs.0.enable": True, "openai.api_configs.https://a.b/v1.key.x": "k"}),
        ("upsert", {"openai.api_configs.nothing": 1, "OLLAMA_API_CONFIGS.1.tags": ["a"], "ollama.api_configs": "text"}),
        ("upsert", {"ui.default_models": ["a", " b ", "", 1], "ui.default_pinned_models": "a,b"}),
        ("repair_config_rows",),
        ("get_all",),
        ("repair_config_rows",),
    ],
}


@pytest.mark.parametrize("calls", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("switches", [(True, False), (True, True), (False, False)], ids=["usual", "oauth", "off"])
async def test_sequence(pair: Pair, calls: Calls, switches: tuple[bool, bool]) -> None:
    Config.configure(defaults=DEFAULTS, enable_persistent=switches[0], enable_oauth_persistent=switches[1])
    for method, *args in calls:
        await pair.call(method, *args)


def test_every_method_that_stores_is_called() -> None:
    assert {method for calls in SEQUENCES.values() for method, *_ in calls} == {*storing_methods(Config)}


async def test_parts_of_a_value_that_is_there_are_stored_in_it(pair: Pair) -> None:
    """The stock method deletes them, and does not notice that it has changed the value."""
    values = {"user.permissions": {"chat": {"a": 1}}, "user.permissions.chat.b": 2}
    await pair.subject.upsert(values)
    await pair.subject.repair_config_rows()
    assert await pair.subject.get_all() == {"user.permissions": {"chat": {"a": 1, "b": 2}}, "oauth.id": "secret"}
    with pair.database.active():
        await pair.oracle.upsert(values)
        await pair.oracle.repair_config_rows()
        assert await pair.oracle.get("user.permissions") == {"chat": {"a": 1}}


@pytest.mark.parametrize("value", JSON_OBJECTS.values(), ids=JSON_OBJECTS)
async def test_values(pair: Pair, value: dict[str, Any]) -> None:
    skip_postgresql(pair.database, "NUL", when="\x00" in str(value) or "\\x00" in repr(value))
    await pair.call("upsert", {"a": value, "b": [value, value]})
    await pair.call("get", "a")
    await pair.call("get_all")


SCALARS = [0, 1.5, float("nan"), float("inf"), "", "null", "1.0", '{"a": 1}', True, [], [1.0], 2**53 + 1]


@pytest.mark.parametrize("value", SCALARS, ids=str)
async def test_scalars(pair: Pair, value: Any) -> None:
    await pair.call("upsert", {"a": value})
    await pair.call("get", "a")


NAMES = share_of_hostile_names(1, 6)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_keys(pair: Pair, name: str) -> None:
    skip_postgresql(pair.database, "NUL", when="\x00" in name)
    skip_postgresql(pair.database, "long key", when=len(name) > 2000)
    await pair.call("upsert", {name: name, f"{name}.x": 1})
    await pair.call("get", name)
    await pair.call("get_many", name, f"{name}.x")
    if pair.database.is_sqlite:  # PostgreSQL's LIKE has an escape, and tells capital letters from small ones
        await pair.call("get_namespace", name)
    await pair.call("delete", name)


async def test_namespaces_are_those_of_sqlite(pair: Pair) -> None:
    """PostgreSQL tells capital letters from small ones."""
    if pair.database.is_sqlite:
        await pair.call("upsert", {"ui.a": 1, "UI.b": 2, "uI.c": 3, "u.i.d": 4})
        for namespace in ("ui", "Ui", "U_", "u%"):
            await pair.call("get_namespace", namespace)


async def test_callers_get_objects_of_their_own(pair: Pair) -> None:
    await pair.subject.upsert({"a": {"b": [1]}})
    (await pair.subject.get("a"))["b"].append(2)
    (await pair.subject.get_many("a"))["a"]["b"].append(2)
    (await pair.subject.get_all())["a"]["b"].append(2)
    assert await pair.subject.get("a") == {"b": [1]}


async def test_a_request_that_has_asked_for_anything_asks_no_more(pair: Pair) -> None:
    sent: list[str] = []
    stock_send = pair.client._send

    async def send(method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        sent.append(path.removeprefix("/api/owui/"))
        return await stock_send(method, path, *args, **kwargs)

    pair.client._send = send  # type: ignore[method-assign]
    await pair.subject.upsert({"a": 1})
    assert await pair.subject.get("a") == 1
    sent.clear()
    token = serving.set(HostRequest())
    try:
        await pair.client.read("tags/get_tags_by_user_id", {"user_id": "u"})
        assert await pair.subject.get("a") == 1
        assert await pair.subject.get_many("a", "b") == {"a": 1}
        assert sent == ["tags/get_tags_by_user_id"]
        await pair.subject.upsert({"a": 2})
        assert await pair.subject.get("a") == 2
        assert await pair.subject.get_all() == {"a": 2, "oauth.id": "secret"}
        assert sent[1:] == ["config/change", "config/get_entries"]
    finally:
        serving.reset(token)


async def test_a_value_that_was_emptied_in_the_dashboard_is_none(pair: Pair) -> None:
    """And stays so when it is stored again, as whoever saves a page of settings does."""
    await pair.subject.upsert({"a": "text"})
    with pair.server.admin() as admin:
        (record,) = admin.sql("SELECT id FROM owui_config")
        admin.send("PATCH", f"/api/collections/owui_config/records/{record['id']}", {"value": None})
        made = {"key": "b"}
        admin.send("POST", "/api/collections/owui_config/records", made)
    for _ in range(2):
        found = await pair.subject.get_many("a", "b")
        assert found == {"a": None, "b": None}
        await pair.subject.upsert(found)


@pytest.mark.parametrize("value", ["'{'", "X'7B'", "9e999", "-9e999", "X'FF'"])
async def test_what_raw_sql_has_left_fails_who_reads_it(pair: Pair, value: str) -> None:
    await pair.subject.upsert({"a": 1, "b": [2]})
    with pair.server.admin() as admin:
        admin.sql(f"UPDATE owui_config SET value = {value} WHERE key = 'b'")
    assert await pair.subject.get("a") == 1
    with pytest.raises(ValueError, match=r"."):
        await pair.subject.get("b")
    await pair.subject.upsert({"b": [3]})
    assert await pair.subject.get_many("a", "b") == {"a": 1, "b": [3]}


async def test_several_can_seed_at_once(pair: Pair) -> None:
    """With the stock class all but one of them fail, which keeps a worker from starting."""
    others = [type(pair.subject)() for _ in range(4)]
    defaults = {f"key {number}": number for number in range(50)}
    for other in others:
        other.pocketbase = pair.client
    await asyncio.gather(*(other.seed_defaults({**defaults, str(at): at}) for at, other in enumerate(others)))
    await asyncio.gather(*(other.rename_prefix("key 1", "renamed") for other in others))
    assert await pair.subject.get_all() == {**defaults, **{str(at): at for at in range(4)}, "oauth.id": "secret"}


async def test_changes_from_what_is_there_at_once_are_all_made(pair: Pair) -> None:
    others = [type(pair.subject)() for _ in range(6)]
    for at, other in enumerate(others):
        other.pocketbase = pair.client
        await other.upsert({f"old{at}.a": at, f"old{at}.b": at})
    await asyncio.gather(*(other.rename_prefix(f"old{at}", f"new{at}") for at, other in enumerate(others)))
    renamed = {f"new{at}.{name}": at for at in range(6) for name in "ab"}
    assert await pair.subject.get_all() == {**renamed, "oauth.id": "secret"}


async def test_those_who_ask_at_once_share_a_request(pair: Pair, requests: list[bytes]) -> None:
    """As after each change all requests do; each of them sees what was stored before it began."""
    other = type(pair.subject)()
    other.pocketbase = pair.client

    async def serve() -> Any:
        serving.set(HostRequest())
        return [await pair.subject.get("a"), await pair.subject.get("a")]

    for number in range(5):
        await other.upsert({"a": number})
        requests.clear()
        found = await asyncio.gather(*(asyncio.create_task(serve()) for _ in range(50)))
        assert found == [[number, number]] * 50
        assert len(requests) <= 2


async def test_a_request_sees_what_was_stored_before_it_began(pair: Pair) -> None:
    other = type(pair.subject)()
    other.pocketbase = pair.client
    for number in range(100):
        await other.upsert({"a": number})
        token = serving.set(HostRequest())
        try:
            if number % 2:
                await pair.client.read("tags/get_tags_by_user_id", {"user_id": "u"})
            assert await pair.subject.get("a") == number
        finally:
            serving.reset(token)
