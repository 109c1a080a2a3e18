"""Announcements of a real PocketBase: heard, heard again after whatever happened on the way, and by superusers only."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from httpx_sse import aconnect_sse

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import Authenticator, PocketBaseClient
from openwebui_pocketbase.exceptions import NotFoundError, UnauthorizedError
from openwebui_pocketbase.realtime import session as session_module
from openwebui_pocketbase.realtime.announcements import Announcements
from openwebui_pocketbase.realtime.session import TOPIC
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings
from tests.support.pocketbase import PocketBaseProcess, clone
from tests.support.proxies import Proxy

HOOK = """
routerAdd("POST", "/api/test/announce", (e) => {
  const message = new SubscriptionMessage({ name: "owui_changes", data: "1" });
  const clients = Object.values($app.subscriptionsBroker().clients());
  const told = clients.filter((client) => client.hasSubscription("owui_changes") && client.get("auth")?.isSuperuser());
  told.forEach((client) => client.send(message));
  return e.json(200, told.map((client) => client.id()));
}, $apis.requireSuperuserAuth());

routerAdd("POST", "/api/test/end", (e) => {
  const broker = $app.subscriptionsBroker();
  Object.keys(broker.clients()).forEach((id) => broker.unregister(id));
  return e.noContent(204);
}, $apis.requireSuperuserAuth());

onRecordUpdateExecute((e) => {
  $app.store().set("saved", ($app.store().get("saved") || 0) + 1);
  return e.next();
}, "owui_users");

routerAdd("GET", "/api/test/saved", (e) => e.json(200, $app.store().get("saved") || 0), $apis.requireSuperuserAuth());
"""
Announce = Callable[[], Awaitable[list[str]]]

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
HTML = b"Content-Type: text/html\r\nConnection: close\r\n\r\n<h1>Hello</h1>"
USELESS = {
    "a proxy whose server is away": (b"HTTP/1.1 502 Bad Gateway\r\n" + HTML, "PocketBase answered 502 to "),
    "a page": (b"HTTP/1.1 200 OK\r\n" + HTML, "it answered with text/html in place of text/event-stream"),
    "no type": (b"HTTP/1.1 200 OK\r\n\r\n", "it answered with no type in place of text/event-stream"),
    "a page that is missing": (b"HTTP/1.1 404 Not Found\r\n" + HTML, "it answered 404 with a page of its own"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "is redirected (302) to "),
    "no HTTP": (b"SSH-2.0\r\n", "PocketBase gave no answer to "),
    "nothing": (b"", "PocketBase gave no answer to "),
    "no events": (EVENTS, "the stream ended before its client was subscribed"),
    "other events": (
        EVENTS + b"event: hello\ndata: {\n\n: \n\nevent: owui_changes\ndata: 1\n\n\xff\x00\n\n",
        "the stream ended before its client was subscribed",
    ),
    "no client": (EVENTS + b"event: PB_CONNECT\ndata: {}\n\n", "its first event names no client"),
    "the middle of an event": (
        EVENTS + b'event: PB_CONNECT\ndata: {"clientId": "a',
        "the stream ended before its client was subscribed",
    ),
    # The proxy answers the subscription in the same way.
    "a client of nobody": (EVENTS + b'event: PB_CONNECT\ndata: {"clientId": "abc"}\n\n', "it answered 200"),
}
"""What is not PocketBase's stream, and what is said of it."""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our hooks, and one that announces when it is asked to."""
    directory = tmp_path_factory.mktemp("hooks") / "pb_hooks"
    shutil.copytree(HOOKS_DIR, directory)
    (directory / "announce.pb.js").write_text(HOOK)
    return directory


@pytest.fixture(scope="module")
def server(
    prepared_pocketbase: Path, hooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PocketBaseProcess]:
    """One PocketBase for all tests: they may stop it, and start it again."""
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("pocketbase")), hooks_dir=hooks)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def announce(server: PocketBaseProcess) -> Iterator[Announce]:
    """Announces a change, and returns the clients that were told."""
    with server.admin() as admin:
        yield lambda: asyncio.to_thread(admin.send, "POST", "/api/test/announce", {})


@pytest.fixture
async def proxy(server: PocketBaseProcess) -> AsyncIterator[Proxy]:
    async with Proxy(server.port).running() as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat soon; no stream counts as cut off at once."""
    for name, value in {"FIRST": 0.02, "LONGEST": 0.05, "SPREAD": 0.02, "SETTLED": 0.0}.items():
        monkeypatch.setattr(session_module, name, value)


class Listener:
    """Announcements, and how often they woke."""

    def __init__(self, url: str, authenticator: Authenticator) -> None:
        self.client = PocketBaseClient(timeouts=TimeoutSettings(connect=2.0, read=5.0, retry=0.0), pool=PoolSettings())
        self.client.connect(url, authenticator)
        self.announcements = Announcements(self.client, self.wake)
        self.wakes = 0
        self.read: Callable[[], object] = lambda: None

    def wake(self) -> None:
        self.wakes += 1
        self.read()

    @property
    def id(self) -> str:
        return self.announcements.client_id

    async def subscribed(self, *, other_than: str = "") -> str:
        """Wait for another client to be subscribed."""
        await until(lambda: self.id not in {"", other_than})
        return self.id


@asynccontextmanager
async def listening(
    server: PocketBaseProcess, url: str = "", authenticator: Authenticator | None = None
) -> AsyncIterator[Listener]:
    listener = Listener(url or server.url, authenticator or Authenticator(server.login))
    listener.announcements.start()
    try:
        yield listener
    finally:
        await listener.announcements.aclose()
        await listener.client.aclose()


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("openwebui_pocketbase") and record.levelno == level
    ]


def bad_token() -> str:
    """Return a token that nobody signed, and that does not look expired."""
    parts = ({"alg": "HS256"}, {"exp": int(time.time() + 3600)})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "x"])


# What is announced


async def test_each_announcement_wakes_once(server: PocketBaseProcess, announce: Announce) -> None:
    async with listening(server) as listener:
        client_id = await listener.subscribed()
        assert listener.wakes == 1

        def has_woken(times: int) -> Callable[[], bool]:
            return lambda: listener.wakes == times

        for number in range(3):
            assert await announce() == [client_id]
            await until(has_woken(number + 2))
        await listener.announcements.aclose()
        assert (listener.id, listener.wakes) == ("", 5)
        listener.announcements.start()
        assert await listener.subscribed() != client_id
        assert listener.wakes == 6


async def test_a_stream_that_the_server_ends_is_followed_by_another(
    server: PocketBaseProcess, announce: Announce, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openwebui_pocketbase")
    async with listening(server, proxy.url) as listener:
        client_id = ""
        for ends in range(3):
            client_id = await listener.subscribed(other_than=client_id)
            assert listener.wakes == 2 * ends + 1
            with server.admin() as admin:
                admin.send("POST", "/api/test/end")
        client_id = await listener.subscribed(other_than=client_id)
        assert await announce() == [client_id]
        await until(lambda: listener.wakes == 8)
    streams = [sent for sent in proxy.received if sent.startswith(b"GET /api/realtime ")]
    assert len(streams) == 4
    assert messages(caplog, logging.WARNING) == messages(caplog, logging.INFO) == []


async def test_a_stopping_server_does_not_wait_for_the_stream(server: PocketBaseProcess) -> None:
    async with listening(server) as listener:
        await listener.subscribed()
        await asyncio.to_thread(server.stop)  # raises an error after 20 seconds
        await until(lambda: not listener.id)
        server.start()
        await listener.subscribed()


async def test_a_crash_is_survived_and_told_of_once(
    server: PocketBaseProcess, announce: Announce, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with listening(server, proxy.url) as listener:
        client_id = await listener.subscribed()
        server.kill()
        await until(lambda: not listener.id)
        before = proxy.connections
        await until(lambda: proxy.connections >= before + 5)
        server.start()
        assert await listener.subscribed() != client_id
        assert listener.wakes == 3  # subscribed, ended, subscribed
        assert await announce() == [listener.id]
        await until(lambda: listener.wakes == 4)
    (warning,) = messages(caplog, logging.WARNING)
    assert warning.startswith("PocketBase does not announce changes, so they are noticed later: ")
    assert messages(caplog, logging.INFO) == ["PocketBase announces changes again."]


async def test_no_announcement_is_missed_for_good_when_connections_are_cut(
    server: PocketBaseProcess, announce: Announce, proxy: Proxy
) -> None:
    """What a reader who is woken sees is what was announced last, wherever the connection was cut."""
    numbers = random.Random(3)
    proxy.budget = lambda: numbers.randrange(1, 800)  # a stream's head and first event are about 400 bytes
    announced = seen = 0

    def read() -> None:
        nonlocal seen
        seen = announced

    def is_seen() -> bool:
        return seen == announced

    async with listening(server, proxy.url) as listener:
        listener.read = read
        for number in range(1, 41):
            announced = number
            await announce()
            await until(is_seen)
        assert proxy.connections > 20
        proxy.budget = None
        client_id = listener.id
        await proxy.cut()
        await listener.subscribed(other_than=client_id)
        wakes = listener.wakes
        assert await announce() == [listener.id]
        await until(lambda: listener.wakes == wakes + 1)


async def test_a_server_that_moved_is_found(server: PocketBaseProcess, proxy: Proxy) -> None:
    async with listening(server, proxy.url) as listener:
        client_id = await listener.subscribed()
        listener.client.connect(server.url, Authenticator(server.login))
        before = proxy.connections
        await proxy.cut()
        await listener.subscribed(other_than=client_id)
        assert proxy.connections == before


# Who is told


async def test_a_bad_token_is_renewed_before_it_is_taken_for_a_guests(
    server: PocketBaseProcess, announce: Announce
) -> None:
    sign_ins = 0

    def login() -> str:
        nonlocal sign_ins
        sign_ins += 1
        return server.login()

    async with listening(server, authenticator=Authenticator(login, bad_token())) as listener:
        await listener.subscribed()
        assert sign_ins == 1
        assert await announce() == [listener.id]


async def test_a_token_that_has_expired_does_not_subscribe(
    server: PocketBaseProcess, announce: Announce, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    def short_lived() -> str:
        with server.admin() as admin:
            (user,) = admin.send("GET", "/api/collections/_superusers/records")["items"]
            path = f"/api/collections/_superusers/impersonate/{user['id']}"
            return str(admin.send("POST", path, {"duration": 1})["token"])

    def is_superusers(token: str) -> bool:
        return httpx.get(f"{server.url}/api/owui/version", headers={"Authorization": token}).is_success

    token = await asyncio.to_thread(short_lived)
    await until(lambda: not is_superusers(token))
    async with listening(server, proxy.url, Authenticator(None, token)) as listener:
        await until(lambda: proxy.connections >= 6)
        assert await announce() == []
        assert (listener.id, listener.wakes) == ("", 0)
    (warning,) = messages(caplog, logging.WARNING)
    assert "answered 401" in warning
    assert token not in caplog.text


async def test_guests_may_subscribe_to_anything_else(server: PocketBaseProcess, announce: Announce) -> None:
    guest = Listener(server.url, Authenticator(None, bad_token())).client
    async with (
        httpx.AsyncClient() as http,
        aconnect_sse(http, "GET", f"{server.url}/api/realtime") as source,
    ):
        events = source.aiter_sse()  # one that nobody holds ends the stream
        client_id = json.loads((await anext(events)).data)["clientId"]
        await guest.subscribe(client_id, ["owui_tags/*"])
        for topics in ([TOPIC], ["owui_tags/*", TOPIC]):
            with pytest.raises(UnauthorizedError):
                await guest.subscribe(client_id, topics)
        assert await announce() == []
        with pytest.raises(NotFoundError):
            await guest.subscribe("nobody", [TOPIC])
    await guest.aclose()


async def test_the_stream_is_asked_for_without_the_token_and_past_proxies_of_the_environment(
    server: PocketBaseProcess,
    announce: Announce,
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    token = await asyncio.to_thread(server.login)
    async with listening(server, proxy.url, Authenticator(None, token)) as listener:
        await listener.subscribed()
        await announce()
        await until(lambda: listener.wakes == 2)
    streams = [bytes(sent) for sent in proxy.received if sent.startswith(b"GET /api/realtime ")]
    assert len(streams) == 1
    assert b"authorization" not in streams[0].lower()
    assert any(token.encode() in sent for sent in proxy.received)  # of the subscription
    assert token not in caplog.text


async def test_users_are_written_in_sql_although_somebody_listens_to_announcements(server: PocketBaseProcess) -> None:
    """As long as nobody wants records."""
    columns = dict.fromkeys(column.name for column in TABLES["user"].columns)
    user = {"user": columns | {"id": "u", "name": "u", "email": "u@example.com"}}
    async with listening(server) as listener:
        await listener.subscribed()
        await listener.client.write("users/insert_new_user", user)
        with server.admin() as admin:
            before: int = admin.send("GET", "/api/test/saved")
            await listener.client.write("users/update_user_by_id", {"id": "u", "changes": {"role": "first"}})
            assert admin.send("GET", "/api/test/saved") == before


# Streams that are of no use


@pytest.mark.parametrize("name", USELESS)
async def test_other_answers_are_survived_and_told_of_once(
    server: PocketBaseProcess, proxy: Proxy, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    proxy.answer, reason = USELESS[name]
    async with listening(server, proxy.url) as listener:
        await until(lambda: proxy.connections >= 6)
        assert (listener.id, listener.wakes) == ("", 0)
        proxy.answer = None
        await listener.subscribed()
        assert listener.wakes == 1
    (warning,) = messages(caplog, logging.WARNING)
    assert reason in warning
    assert messages(caplog, logging.INFO) == ["PocketBase announces changes again."]


async def test_a_server_that_says_nothing_is_given_up(
    server: PocketBaseProcess,
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "HANDSHAKE", 0.1)
    proxy.is_silent = True
    async with listening(server, proxy.url) as listener:
        await until(lambda: proxy.connections >= 3)
        monkeypatch.setattr(session_module, "HANDSHAKE", 10.0)
        proxy.is_silent = False
        await listener.subscribed()
    (warning,) = messages(caplog, logging.WARNING)
    assert "nothing came for 0.1 seconds" in warning


async def test_a_connection_that_is_only_half_open_is_given_up(
    server: PocketBaseProcess,
    announce: Announce,
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "SILENCE", 0.5)
    async with listening(server, proxy.url) as listener:
        client_id = await listener.subscribed()
        monkeypatch.setattr(session_module, "SILENCE", 60.0)
        proxy.freeze(b"GET /api/realtime ")
        await listener.subscribed(other_than=client_id)
        assert listener.wakes == 3
        assert listener.id in await announce()
        await until(lambda: listener.wakes == 4)
    assert messages(caplog, logging.WARNING) == []
