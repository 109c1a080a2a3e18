"""What the host does with tables of channels past its repositories, over its own SQL and with these in PocketBase."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException
from open_webui.internal.db import get_async_db
from open_webui.models import apps as app_models
from open_webui.models.access_grants import AccessGrant
from open_webui.models.apps import App, Apps, AppsTable
from open_webui.models.channels import Channel, ChannelMember
from open_webui.models.config import Config
from open_webui.models.messages import Message
from open_webui.models.users import User, Users, UsersTable
from open_webui.routers import apps as app_routes
from open_webui.routers import channels as channel_routes
from open_webui.utils import apps as app_utils

from openwebui_pocketbase.catalog import CATALOG, Seam, spec_of
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import MovedTableError, OpenWebUIPocketBaseError
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.tripwire import TripWire
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.host.seams import replace_function
from openwebui_pocketbase.seams import _app_sessions as sessions
from tests.support.differential import START, Clock, clear, pocketbase_rows, same
from tests.support.pocketbase import PocketBaseProcess
from tests.support.records import put
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database

NOW = START * 10**9 + 123_456_789
"""Nanoseconds; not a number that a double can hold."""

OF_CHANNELS = ("channel", "channel_member", "channel_file", "channel_webhook", "message", "message_reaction")
COPIED = ("user", "access_grant")
MIXES = {"users in SQL": ("messages",), "users in PocketBase": ("messages", "users", "groups", "access")}
SEAMS = [seam for seam in CATALOG["messages"].seams if seam.replacement.split(":")[0].endswith(("apps", "users"))]

ADMIN, ANN, BOB, GONE = (SimpleNamespace(id=name, name=name, role=role) for name, role in (
    ("admin", "admin"), ("ann", "user"), ("bob", "user"), ("gone", "user")))  # fmt: skip


def key(number: int) -> str:
    return f"d0000000-0000-4000-8000-{number:012d}"


def user(who: Any, number: int) -> User:
    times = {"last_active_at": 1, "updated_at": 1, "created_at": number}
    return User(id=who.id, name=who.name, email=f"{who.id}@example.org", role=who.role, **times)


def app(id: str, *, is_active: bool = True, api_key: str | None = "key", scopes: Any = None) -> App:
    every = ["channels:read", "channels:messages:read", "channels:messages:write", "channels:mentions:read"]
    data = {
        "manifest": {"public_key": "key"},
        "granted_scopes": every if scopes is None else scopes,
        "settings": {},
        "connection_token": "t",
        "installation_id": "i",
        "webui_url": "u",
    }
    return App(
        id=id, slug=id, name=f"App {id}", user_id="admin", is_active=is_active, data=data, api_key=api_key,
        created_at=NOW, updated_at=NOW + 9 * 10**9,
    )  # fmt: skip


def channel(number: int, type: str | None = None, **more: Any) -> Channel:
    usual = {"user_id": "ann", "name": f"channel {number}", "created_at": NOW + number, "updated_at": NOW + number}
    return Channel(id=key(number), type=type, **usual | more)


def member(number: int, in_channel: int, user: str | None = None, app: str | None = None, **more: Any) -> ChannelMember:
    usual = {"is_active": True, "is_channel_muted": False, "is_channel_pinned": False, "status": "joined"}
    times = {"joined_at": NOW, "created_at": NOW, "updated_at": NOW}
    return ChannelMember(
        id=key(100 + number), channel_id=key(in_channel), user_id=user, app_id=app, **usual | times | more
    )


def message(number: int, in_channel: int = 1, **more: Any) -> Message:
    usual = {"user_id": "ann", "content": f"text {number}", "is_pinned": False, "created_at": NOW + number // 3}
    return Message(id=key(1000 + number), channel_id=key(in_channel), **usual | {"updated_at": NOW + 2 * number} | more)


def grant(resource: str, id: str, principal: str, permission: str = "read") -> AccessGrant:
    return AccessGrant(
        id=f"{resource}-{id}-{principal}-{permission}", resource_type=resource, resource_id=id, principal_type="user",
        principal_id=principal, permission=permission, created_at=1,
    )  # fmt: skip


def rows() -> list[Any]:
    """Everything that there is: what refers to other things comes last."""
    button = {"action_id": "ok", "label": "OK", "context": {"n": 2**60}}
    return [
        *(user(who, number) for number, who in enumerate((ADMIN, ANN, BOB))),
        *map(app, ("app-b", "app-a", "app-d")),
        app("app-off", is_active=False),
        app("app-no-key", api_key=None),
        app("app-blind", scopes=[]),
        channel(1),
        channel(2, "group", is_private=True),
        channel(3, "dm"),
        channel(4, archived_at=NOW),
        channel(5, deleted_at=NOW),
        channel(6, "group", is_private=None),
        channel(7, "", user_id="bob"),
        *(
            member(10 * number + n, number, app=name)
            for number in (1, 2, 3, 4, 5, 7)
            for n, name in enumerate(("app-d", "app-a", "app-off", "app-no-key", "app-blind"))
        ),
        member(80, 6, app="app-a", is_active=False, left_at=NOW, joined_at=NOW - 5),
        member(81, 2, app="app-b", joined_at=0),
        member(82, 1, app="app-uninstalled"),
        member(83, 1, "ann"),
        member(84, 2, "ann", role="manager"),
        member(85, 2, "bob"),
        member(86, 2, "gone"),
        member(87, 1, "bob", is_active=False),
        member(88, 1, "bob"),  # joins race
        member(89, 6, "ann"),
        grant("channel", key(1), "*"),
        grant("channel", key(7), "bob"),
        grant("channel", key(2), "*"),
        grant("app", "app-a", "ann"),
        grant("app", "app-b", "*"),
        grant("app", "app-d", "bob"),
        *(message(number) for number in range(40)),
        *(message(number, parent_id=key(1000)) for number in range(40, 60)),
        message(60, 2),
        message(61, parent_id=""),
        message(62, app_id="app-a", user_id=None, data={"app": {"actions": [button]}}, parent_id=key(1001)),
        message(63, app_id="app-a", user_id=None, data=None),
        message(64, meta={"webhook": {"id": "w"}}, data={"files": [{"id": "f", "x": 1.0}]}),
        message(65, meta={"model_id": "m", "done": True}, reply_to_id=key(1001)),
        message(66, content="ask <@A:app-a|A> and <@A:app-b|B> and <@A:app-a|A> and <@U:bob|Bob>", parent_id=key(1000)),
        message(67, content="nobody <@U:bob|Bob>"),
        message(68, user_id="gone", content="<@A:app-a|A>"),
        message(69, created_at=NOW - 2**60),
    ]


@dataclass
class Host:
    """What the application does besides, in order, and the times and ids it gets."""

    done: list[Any] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    identifier: int = 0

    def begin(self) -> None:
        """Begin anew, at the same time."""
        self.done, self.failures, self.clock.now, self.identifier = [], [], START, 0

    def uuid4(self) -> uuid.UUID:
        self.identifier += 1
        return uuid.UUID(int=self.identifier)

    async def mention(self, app: Any, user: Any, *args: Any, db: Any, **more: Any) -> None:
        await db.commit()
        self.done.append(("mention", app.id, user.id, args, more))
        if self.failures:
            raise self.failures.pop()

    async def message(self, _db: Any, app: Any, channel_id: str, form: Any) -> None:
        self.done.append(("message", app.id, channel_id, form.model_dump()))
        if self.failures:
            raise self.failures.pop()

    async def emit(self, *args: Any) -> None:
        self.done.append(("emit", args))

    async def replied(self, app: Any, user: Any, *args: Any, db: Any, **more: Any) -> Any:
        await db.commit()
        return {"reply": (app.id, user.id, args, more)}


@dataclass
class World:
    """A database of the host's, a PocketBase, and the host above them."""

    database: StockDatabase
    server: PocketBaseProcess
    client: PocketBaseClient
    groups: tuple[str, ...]
    host: Host = field(default_factory=Host)

    async def fill(self) -> None:
        await self.database.clear()
        await self.database.add(*rows())

    async def move(self) -> None:
        """Put the rows of the groups into PocketBase; of the tables of channels SQL has none."""
        await self.database.clear()
        moved = {*OF_CHANNELS, *(COPIED if "users" in self.groups else ())}
        await clear(self.client, *OF_CHANNELS, *COPIED)
        put(self.server.data_dir, [row for row in rows() if row.__tablename__ in moved])
        await self.database.add(*(row for row in rows() if row.__tablename__ not in OF_CHANNELS))

    @contextmanager
    def moved(self, *, without: Seam | None = None) -> Iterator[None]:
        """Have the host work with PocketBase, and keep it from the tables in SQL."""
        with ExitStack() as stack:
            for group in self.groups:
                for name, path in CATALOG[group].ours.items():
                    module = import_module(spec_of(name).module)
                    stack.callback(bind(module, name, path, {"pocketbase": self.client}))
            for seam in SEAMS:
                if seam != without:
                    module = import_module(seam.module)
                    stack.callback(replace_function(module, seam.function, seam.replacement))
            engines = (self.database.engine.sync_engine,)
            stack.callback(TripWire(moved_tables(self.groups), engines, schema=None, mode="error").arm())
            stack.enter_context(self.database.active())
            yield

    async def both(self, *steps: Callable[[Any], Awaitable[Any]], sort: bool = False) -> list[Any]:
        """Take the steps on both, compare what each returns and everything that is stored, and return the answers."""
        self.host.begin()
        await self.fill()
        with self.database.active():
            expected = await self._answers(steps)
        stored = {name: await self.database.rows(name) for name in ("app", "channel_member")}
        done = self.host.done
        self.host.begin()
        await self.move()
        with self.moved():
            actual = await self._answers(steps)
        for number, (theirs, ours) in enumerate(zip(expected, actual, strict=True)):
            same(f"step {number}", theirs, ours, sort=sort or not self.database.is_sqlite)
        same("what was done", done, self.host.done)
        same("app", stored["app"], await self.database.rows("app"), sort=True)
        ours = pocketbase_rows(self.server.data_dir, "channel_member")
        same("channel_member", _plain(stored["channel_member"]), _plain(ours), sort=True)
        return actual

    async def _answers(self, steps: Any) -> list[Any]:
        found = []
        for step in steps:
            self.host.clock.now += 1
            async with get_async_db() as db:
                found.append(await outcome(step(db)))
        return found


def _plain(stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in sorted(row)} for row in stored]


async def outcome(answer: Awaitable[Any]) -> Any:
    """Return an answer, or what the host tells people of an error."""
    try:
        return await answer
    except HTTPException as error:
        return error.status_code, error.detail


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StockDatabase]:
    database = sqlite_database(tmp_path) if request.param == "sqlite" else await postgresql_database()
    yield database
    await database.clear()
    await database.close()


@pytest.fixture(params=MIXES)
async def world(
    request: pytest.FixtureRequest,
    database: StockDatabase,
    pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    client = pocketbase.client()
    world = World(database, pocketbase, client, MIXES[request.param])

    async def enabled(_name: str) -> bool:
        return True

    monkeypatch.setattr(Config, "get", enabled)
    times = SimpleNamespace(time=world.host.clock.time, time_ns=world.host.clock.time_ns)
    for module in (channel_routes, app_models):
        monkeypatch.setattr(module, "time", times)
    monkeypatch.setattr(channel_routes, "uuid", SimpleNamespace(uuid4=world.host.uuid4))
    monkeypatch.setattr(channel_routes, "send_app_mention", world.host.mention)
    monkeypatch.setattr(channel_routes, "create_app_message", world.host.message)
    monkeypatch.setattr(channel_routes, "emit_to_users", world.host.emit)
    monkeypatch.setattr(app_routes, "generate_app_channel_reply", world.host.replied)
    yield world
    await clear(client, *OF_CHANNELS, *COPIED)
    await client.aclose()


def listing(number: int, who: Any) -> Any:
    return lambda db: channel_routes.get_channel_apps(key(number), user=who, db=db)


def inviting(number: int, app_id: str, who: Any) -> Any:
    form = app_models.AppInvitation(app_id=app_id)
    return lambda db: channel_routes.invite_app(key(number), form, user=who, db=db)


def removing(number: int, app_id: str, who: Any) -> Any:
    return lambda db: channel_routes.remove_app(key(number), app_id, user=who, db=db)


def uninstalling(app_id: str) -> Any:
    return lambda db: Apps.uninstall_app_by_id(app_id, db=db)


def receivers(number: int, joined_before: int = NOW + 10**12) -> Any:
    return lambda db: Apps.get_app_ids_by_channel_id(key(number), joined_before, db=db)


def channels_of(app_id: str) -> Any:
    async def asked(db: Any) -> Any:
        return await app_utils.get_app_channels(await Apps.get_app_by_id(app_id, db=db), db)

    return asked


def reading(app_id: str, number: int, **more: Any) -> Any:
    async def read(db: Any) -> Any:
        return await app_utils.get_app_channel_messages(
            await Apps.get_app_by_id(app_id, db=db), db, key(number), **more
        )

    return read


def pressing(app_id: str, message_id: int, who: Any, action: str = "ok") -> Any:
    form = app_models.AppInteractionForm(message_id=key(message_id), action_id=action)
    return lambda db: app_routes.create_app_interaction(app_id, form, user=who, db=db)


def posted(number: int, who: str, in_channel: int = 1) -> Any:
    return lambda _db: channel_routes.app_channel_reply_handler(key(in_channel), key(1000 + number), who)


async def test_apps_of_a_channel(world: World) -> None:
    answers = await world.both(*(listing(number, who) for number in range(1, 9) for who in (ADMIN, ANN, BOB)))
    assert [app["id"] for app in answers[0]] == ["app-a", "app-blind", "app-d", "app-no-key", "app-off"]
    assert (403, "Channel access denied") in answers


async def test_apps_come_and_go(world: World) -> None:
    answers = await world.both(
        inviting(1, "app-b", ANN),
        inviting(1, "app-a", ANN),  # again
        inviting(6, "app-a", ANN),  # it had left
        inviting(7, "app-a", ANN),
        inviting(7, "app-d", BOB),
        inviting(1, "app-d", ANN),
        inviting(1, "app-off", ADMIN),
        inviting(3, "app-b", ADMIN),
        inviting(1, "nothing", ADMIN),
        listing(1, ADMIN),
        removing(1, "app-b", BOB),
        removing(1, "app-b", ANN),
        removing(2, "app-a", ANN),
        removing(2, "nothing", ANN),
        removing(1, "app-uninstalled", ADMIN),
        inviting(2, "app-a", ANN),
        listing(1, ADMIN),
        listing(2, ADMIN),
    )
    assert [app["id"] for app in answers[9]] == ["app-a", "app-b", "app-blind", "app-d", "app-no-key", "app-off"]
    assert {answer[0] for answer in answers if isinstance(answer, tuple)} == {403, 404}


async def test_uninstalling(world: World) -> None:
    answers = await world.both(
        uninstalling("app-a"),
        uninstalling("app-a"),
        uninstalling("app-off"),
        uninstalling("nothing"),
        receivers(1),
        inviting(1, "app-a", ANN),
        listing(1, ADMIN),
    )
    assert answers[4] == ["app-blind", "app-d", "app-no-key"]


async def test_who_is_told_of_messages(world: World) -> None:
    moments = (NOW - 1, NOW, NOW + 1, 0, -5, 2**63 - 1)
    answers = await world.both(
        *(receivers(number) for number in range(1, 9)), *(receivers(2, moment) for moment in moments)
    )
    assert answers[0] == ["app-a", "app-blind", "app-d", "app-no-key"]


async def test_channels_of_an_app(world: World) -> None:
    answers = await world.both(
        *map(channels_of, ("app-a", "app-b", "app-d", "app-off", "app-blind")),
        removing(1, "app-a", ANN),
        inviting(6, "app-a", ANN),
        channels_of("app-a"),
    )
    assert [(each["id"], each["is_private"]) for each in answers[0]] == [
        (key(1), False),
        (key(2), True),
        (key(3), True),
        (key(7), True),
    ]


async def test_pages_of_messages(world: World) -> None:
    cursors = [1039, 1020, 1019, 1018, 1001, 1000, 1050, 1060, 1061, 1069, 1999]
    steps = [
        *(reading("app-a", 1, limit=limit) for limit in (1, 3, 43, 44, 45, 50)),
        *(reading("app-a", 1, before=key(number), limit=7) for number in cursors),
        *(reading("app-a", 1, parent_id=key(1000), before=key(number), limit=4) for number in (1050, 1066, 1001, 1999)),
        *(reading("app-a", 1, parent_id=key(number)) for number in (1000, 1001, 1002, 1060, 1999)),
        reading("app-a", 1, parent_id=""),
        reading("app-a", 1, parent_id="", before=key(1061)),
        reading("app-a", 2),
        reading("app-a", 6),
        reading("app-a", 4),
        reading("app-blind", 1),
        reading("app-off", 1),
    ]
    answers = await world.both(*steps)
    assert len(answers[0]["messages"]) == 1
    assert {answer[0] for answer in answers if isinstance(answer, tuple)} == {400, 403, 404}


async def test_going_through_a_channel_meets_each_message_once(world: World) -> None:
    await world.move()
    with world.moved():
        ids: list[str] = []
        cursor = None
        while cursor is not None or not ids:
            async with get_async_db() as db:
                page = await reading("app-a", 1, before=cursor, limit=7)(db)
            ids += [each["id"] for each in page["messages"]]
            cursor = page["next_cursor"]
    assert len(ids) == len(set(ids)) == 46


async def test_buttons(world: World) -> None:
    answers = await world.both(
        pressing("app-a", 1062, ANN),
        pressing("app-a", 1062, ADMIN),
        pressing("app-a", 1062, BOB),
        pressing("app-d", 1062, BOB),
        pressing("app-a", 1062, ANN, "other"),
        pressing("app-a", 1063, ANN),
        pressing("app-a", 1001, ANN),
        pressing("app-a", 1999, ANN),
        pressing("app-off", 1062, ADMIN),
    )
    *_, more = answers[0]["reply"]
    assert more["source"]["updated_at"] == NOW + 2 * 62


async def test_apps_are_told_of_mentions(world: World) -> None:
    await world.both(
        posted(66, "ann"),
        posted(66, "bob"),
        posted(66, "ann", in_channel=2),
        posted(67, "ann"),
        posted(68, "gone"),
        posted(62, "ann"),
        posted(999, "ann"),
    )
    assert [kind for kind, *_ in world.host.done] == ["mention", "mention"]


@pytest.mark.parametrize("failures", [1, 2])
async def test_an_app_that_fails_is_reported(world: World, failures: int) -> None:
    async def fail(_db: Any) -> None:
        world.host.failures = [HTTPException(504, "late"), ValueError("no")][:failures]

    await world.both(fail, posted(66, "ann"))
    assert [kind for kind, *_ in world.host.done][: failures + 1] == ["mention", "message", "emit"][: failures + 1]


FILTERS: list[dict[str, Any]] = [
    {"channel_id": key(1)},
    {"channel_id": key(2)},
    {"channel_id": key(9)},
    {"channel_id": key(2), "query": "B"},
    {"channel_id": key(2), "roles": ["!admin"]},
    {"channel_id": key(2), "user_ids": ["bob", "admin"]},
    {"channel_id": key(2), "user_ids": []},
    {"channel_id": key(2), "user_ids": [], "group_ids": []},
    {"channel_id": key(2), "group_ids": ["nothing"]},
    {"channel_id": "", "query": "a"},
    {"channel_id": None},
]


async def test_users_of_a_channel(world: World) -> None:
    def asking(filter: dict[str, Any], sort: Any, skip: int, limit: int) -> Any:
        return lambda db: Users.get_users(filter, sort, skip, limit, db=db)

    orders = (None, {"order_by": "name", "direction": "desc"}, {"order_by": "group_id:g", "direction": "asc"})
    pages = ((0, 30), (1, 1))
    answers = await world.both(
        *(asking(each, order, skip, limit) for each in FILTERS for order in orders for skip, limit in pages)
    )
    assert [(found["total"], [user.id for user in found["users"]]) for found in answers[:2]] == [
        (2, ["ann", "bob"]),
        (2, ["bob"]),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_large_channel_is_one_parameter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that is sent around, if users are in PocketBase as well."""
    await world.move()
    with world.server.admin() as admin:
        admin.sql(
            "WITH RECURSIVE n(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM n WHERE n < 40000) INSERT INTO "
            f"owui_channel_members (id, channel_id, user_id) SELECT 'm' || n, '{key(1)}', 'user ' || n FROM n"
        )
    asked: dict[str, int] = {}
    read = world.client.read

    async def measured(path: str, parameters: Any) -> Any:
        answer = await read(path, parameters)
        asked[path] = len(f"{answer}{parameters}")
        return answer

    monkeypatch.setattr(world.client, "read", measured)
    with world.moved():
        found = await Users.get_users({"channel_id": key(1)})
    assert found["total"] == 2
    if "users" in world.groups:
        assert asked["users/get_users"] < 3000
        assert len(asked) == 1
    else:
        assert list(asked) == ["channels/get_user_ids"]


async def test_of_two_invitations_at_once_one_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.move()
    together = asyncio.Barrier(2)
    look = sessions.Invitation.scalar

    async def looked(self: Any, statement: Any) -> Any:
        found = await look(self, statement)
        await together.wait()
        return found

    monkeypatch.setattr(sessions.Invitation, "scalar", looked)

    async def invite() -> Any:
        async with get_async_db() as db:
            return await outcome(inviting(1, "app-b", ANN)(db))

    with world.moved():
        answers = await asyncio.gather(invite(), invite())
    refused = (409, "Invitation changed concurrently; reload the app list")
    assert sorted(isinstance(answer, dict) for answer in answers) == [False, True]
    assert refused in answers


async def test_nothing_is_asked_where_no_app_is_active(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.move()
    async with world.database.sessions() as session:
        for each in ("app-a", "app-b", "app-d", "app-no-key", "app-blind"):
            app = await session.get(App, each)
            assert app is not None
            app.is_active = False
        await session.commit()

    async def read(*_: Any) -> Any:
        pytest.fail("PocketBase was asked")

    monkeypatch.setattr(world.client, "read", read)
    with world.moved():
        assert await Apps.get_app_ids_by_channel_id(key(1), NOW) == []


async def test_the_number_of_requests_does_not_depend_on_channels(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.move()
    asked: list[str] = []
    read = world.client.read

    async def noted(path: str, parameters: Any) -> Any:
        asked.append(path)
        return await read(path, parameters)

    monkeypatch.setattr(world.client, "read", noted)
    with world.moved():
        async with get_async_db() as db:
            await channels_of("app-a")(db)
        assert [path for path in asked if path.startswith("channels/")] == ["channels/get_app_channels"]
        assert len(asked) == (2 if "users" in world.groups else 1)


async def members_of(world: World, app_id: str) -> set[bool]:
    stored = pocketbase_rows(world.server.data_dir, "channel_member")
    return {row["is_active"] for row in stored if row["app_id"] == app_id}


@pytest.mark.parametrize("broken", ["PocketBase", "SQL"])
async def test_uninstalling_can_be_repeated(world: World, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    await world.move()
    with world.moved():
        async with get_async_db() as db:
            with monkeypatch.context() as failing:
                if broken == "PocketBase":
                    failing.setattr(sessions, "_change_members", _fail)
                else:
                    failing.setattr("sqlalchemy.ext.asyncio.AsyncSession.commit", _fail)
                with pytest.raises(OpenWebUIPocketBaseError):
                    await Apps.uninstall_app_by_id("app-d", db=db)
        assert (await Apps.get_app_by_id("app-d")).is_active
        assert await members_of(world, "app-d") == {broken == "PocketBase"}
        uninstalled = await Apps.uninstall_app_by_id("app-d")
        assert not uninstalled.is_active
        assert uninstalled.api_key is None
        assert await members_of(world, "app-d") == {False}


async def _fail(*_: Any) -> Any:
    raise OpenWebUIPocketBaseError("broken")


CALLS: dict[str, Any] = {
    "get_channel_apps": listing(1, ADMIN),
    "invite_app": inviting(1, "app-b", ADMIN),
    "remove_app": removing(1, "app-a", ADMIN),
    "app_channel_reply_handler": posted(66, "ann"),
    "create_app_interaction": pressing("app-a", 1062, ADMIN),
    "get_app_channels": channels_of("app-a"),
    "get_app_channel_messages": reading("app-a", 1),
    "AppsTable.get_app_ids_by_channel_id": receivers(1),
    "AppsTable.uninstall_app_by_id": uninstalling("app-a"),
    "UsersTable.get_users": lambda db: UsersTable().get_users({"channel_id": key(1)}, db=db),
}


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.function)
@pytest.mark.parametrize("world", ["users in SQL"], indirect=True)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_each_is_needed(world: World, seam: Seam) -> None:
    await world.move()
    with world.moved(without=seam):
        async with get_async_db() as db:
            with pytest.raises(MovedTableError, match=r"have (read|changed) the SQL table (channel|message)"):
                await CALLS[seam.function](db)
    assert isinstance(Apps, AppsTable)
