"""The client, with a real PocketBase and with servers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient
from openwebui_pocketbase.client.errors import response_error
from openwebui_pocketbase.client.transport import Answer, Transport, TransportError
from openwebui_pocketbase.exceptions import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotPocketBaseError,
    OpenWebUIPocketBaseError,
    RequestError,
    ResponseError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAGS = "tags/get_tags_by_user_id"
NOBODY = {"user_id": "nobody"}
SECRET = "a-secret-that-nobody-must-see"


def new_client(url: str, authenticator: Authenticator, *, retry: float = 5.0, read: float = 20.0) -> PocketBaseClient:
    timeouts = TimeoutSettings(connect=2.0, read=read, retry=retry)
    client = PocketBaseClient(timeouts=timeouts, pool=PoolSettings())
    client.connect(url, authenticator)
    return client


class Login:
    """A sign-in that counts how often it is asked for."""

    def __init__(self, login: Callable[[], str]) -> None:
        self._login = login
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return self._login()


def token_that_expires_in(seconds: float) -> str:
    parts = ({"alg": "HS256"}, {"exp": int(time.time() + seconds)})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "x"])


# Errors


class FakeTransport:
    """Answers requests with what a function of the request's headers gives."""

    def __init__(self, answer: Callable[[dict[str, str]], Answer]) -> None:
        self._answer = answer
        self.requests: list[dict[str, str]] = []

    async def send(self, head: bytes, body: bytes, **_: bool) -> Answer:
        self.requests.append(headers_of(head))
        return self._answer(self.requests[-1])


def headers_of(head: bytes) -> dict[str, str]:
    assert head.endswith(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])


def fake(client: PocketBaseClient, answer: Callable[[dict[str, str]], Answer]) -> FakeTransport:
    transport = FakeTransport(answer)
    client._transport = lambda: transport  # type: ignore[method-assign, assignment, return-value]
    return transport


@pytest.mark.parametrize("kind", [TransportError, ConnectionResetError, TimeoutError, ssl.SSLError, socket.gaierror])
async def test_every_transport_error_means_unavailable(kind: type[OSError]) -> None:
    client = new_client("http://pocketbase", Authenticator(None, SECRET), retry=0)

    def fail(_: dict[str, str]) -> Answer:
        raise kind("the reason")

    transport = fake(client, fail)
    calls = [
        lambda: client.read(TAGS, NOBODY),
        lambda: client.write("tags/x", NOBODY),
        client.ping,
    ]
    for call in calls:
        with pytest.raises(UnavailableError, match="the reason"):
            await call()
    assert len(transport.requests) == 3


STATUSES = [
    (400, b'{"message": "Wrong."}', ResponseError),  # a hook that crashed, maybe
    (400, b'{"code": "invalid"}', InvalidRequestError),
    (400, b'{"data": {"key": {"code": "validation_not_unique"}}}', ConflictError),
    (400, b'{"data": {"key": {"code": "validation_required"}}}', InvalidRequestError),
    (400, b'{"data": []}', ResponseError),
    (400, b"", ResponseError),
    (401, b"{}", UnauthorizedError),
    (403, b"{}", UnauthorizedError),
    (404, b"{}", NotFoundError),
    (404, b"<html>", NotPocketBaseError),
    (403, b"<html>", NotPocketBaseError),
    (302, b"", NotPocketBaseError),
    (409, b'{"code": "conflict"}', ConflictError),
    (413, b"{}", TooLargeError),
    (413, b"<html>", TooLargeError),
    (418, b"[]", ResponseError),
    (429, b'{"message": "Slow down."}', TooManyRequestsError),
    (500, b'{"code": "hook_failed", "message": "x"}', ResponseError),
    (500, b"", UnavailableError),
    (500, b"<html>", UnavailableError),
    (502, b'{"message": "x"}', UnavailableError),
    (503, b"", UnavailableError),
    (504, b"", UnavailableError),
]


@pytest.mark.parametrize(("status", "body", "kind"), STATUSES)
async def test_every_status_has_its_error(status: int, body: bytes, kind: type[RequestError]) -> None:
    client = new_client("http://pocketbase", Authenticator(None, SECRET), retry=0)
    fake(client, lambda _: Answer(status, body))
    with pytest.raises(RequestError) as raised:
        await client.read(TAGS, NOBODY)
    assert type(raised.value) is kind
    assert raised.value.url == f"http://pocketbase/api/owui/{TAGS}"
    if isinstance(raised.value, ResponseError):
        assert raised.value.status == status


async def test_a_subscription_has_a_reply_without_a_body() -> None:
    client = new_client("http://pocketbase", Authenticator(None, SECRET), retry=0)
    answers = [Answer(204, b""), Answer(200, b"<html>"), Answer(404, b"{}"), Answer(204, b"")]
    fake(client, lambda _: answers.pop(0))
    await client.subscribe("c", ["a", "b"])
    with pytest.raises(NotPocketBaseError, match="it answered 200"):
        await client.subscribe("c", ["a"])
    with pytest.raises(NotFoundError):
        await client.subscribe("c", ["a"])
    with pytest.raises(NotPocketBaseError, match="it answered 204"):
        await client.read(TAGS, NOBODY)


def test_code_of_an_error_is_the_answers() -> None:
    error = response_error("u", 400, b'{"data": {"a": {"code": "validation_required"}, "b": "x"}}')
    assert isinstance(error, ResponseError)
    assert (error.code, set(error.data)) == ("validation_required", {"a", "b"})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("-3", 0.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_time_not_to_ask_again(status: int, header: str, seconds: float) -> None:
    error = response_error("u", status, b"{}", {"retry-after": header})
    assert isinstance(error, UnavailableError)
    assert error.retry_after == seconds


def test_date_not_to_ask_before() -> None:
    error = response_error("u", 429, b"{}", {"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert isinstance(error, TooManyRequestsError)
    assert 90 < error.retry_after <= 100


async def test_errors_and_representations_keep_secrets(own_pocketbase: PocketBaseProcess) -> None:
    url = own_pocketbase.url
    texts = []

    def wrong_login() -> str:
        with AdminClient(url) as admin:
            return admin.login(IDENTITY, SECRET)

    def collect(error: BaseException | None) -> None:
        while error is not None:
            texts.extend([str(error), repr(error), repr(vars(error))])
            error = error.__cause__

    for login, token in ((None, SECRET), (wrong_login, ""), (wrong_login, SECRET)):
        client = new_client(url, Authenticator(login, token), retry=0)
        texts += [repr(client), repr(client._authenticator)]
        with pytest.raises(UnauthorizedError) as raised:
            await client.read(TAGS, NOBODY)
        collect(raised.value)
        await client.aclose()
    own_pocketbase.stop()
    client = new_client(url, Authenticator(None, SECRET), retry=0)
    with pytest.raises(UnavailableError) as unavailable:
        await client.write("tags/x", {"a": 1})
    collect(unavailable.value)
    await client.aclose()
    with AdminClient(url, token=SECRET) as admin:
        texts.append(repr(admin))
        for call in (lambda: admin.login(IDENTITY, SECRET), admin.version):
            with pytest.raises(UnavailableError) as unavailable:
                call()
            collect(unavailable.value)
    assert len(texts) > 10
    assert [text for text in texts if SECRET in text] == []


# Signing in


async def test_fifty_rejected_requests_sign_in_once(pocketbase: PocketBaseProcess) -> None:
    login = Login(pocketbase.login)
    client = new_client(pocketbase.url, Authenticator(login, "rejected"))
    try:
        assert await asyncio.gather(*(client.read(TAGS, NOBODY) for _ in range(50))) == [[]] * 50
        assert login.count == 1
        await client.read(TAGS, NOBODY)
        assert login.count == 1
    finally:
        await client.aclose()


@pytest.mark.parametrize(("expires_in", "logins"), [(-10, 1), (100, 1), (1000, 0)])
async def test_token_is_renewed_before_it_expires(expires_in: float, logins: int) -> None:
    login = Login(lambda: token_that_expires_in(86_400))
    old = token_that_expires_in(expires_in)
    client = new_client("http://pocketbase", Authenticator(login, old))
    transport = fake(client, lambda _: Answer(200, b"[]"))
    await asyncio.gather(*(client.read(TAGS, NOBODY) for _ in range(20)))
    assert login.count == logins
    sent = {request["Authorization"] for request in transport.requests}
    assert (old in sent) == (logins == 0)
    assert len(sent) == 1


async def test_wrong_password_fails_at_once(pocketbase: PocketBaseProcess) -> None:
    def wrong() -> str:
        with AdminClient(pocketbase.url) as admin:
            return admin.login(IDENTITY, "wrong")

    for token in ("", "rejected"):
        login = Login(wrong)
        client = new_client(pocketbase.url, Authenticator(login, token), retry=30)
        began = time.monotonic()
        with pytest.raises(UnauthorizedError, match="must be those of a superuser"):
            await client.read(TAGS, NOBODY)
        assert login.count == 1
        assert time.monotonic() - began < 20
        await client.aclose()


async def test_rejected_token_without_password_fails_at_once(pocketbase: PocketBaseProcess) -> None:
    client = new_client(pocketbase.url, Authenticator(None, "rejected"), retry=30)
    try:
        for request in (client.read(TAGS, NOBODY), client.ping()):
            with pytest.raises(UnauthorizedError, match="must be those of a superuser"):
                await request
    finally:
        await client.aclose()


async def test_token_that_is_rejected_again_is_no_loop() -> None:
    login = Login(lambda: "another")
    client = new_client("http://pocketbase", Authenticator(login, "rejected"), retry=30)
    transport = fake(client, lambda _: Answer(401, b"{}"))
    with pytest.raises(UnauthorizedError):
        await client.read(TAGS, NOBODY)
    assert (login.count, len(transport.requests)) == (1, 2)


async def test_sign_in_waits_for_a_server_that_comes_back(own_pocketbase: PocketBaseProcess) -> None:
    """The token expired while the server restarts: the request is repeated as any other."""
    login = Login(own_pocketbase.login)
    client = new_client(own_pocketbase.url, Authenticator(login, token_that_expires_in(1)), retry=20)
    own_pocketbase.kill()
    request = asyncio.ensure_future(client.read(TAGS, NOBODY))
    try:
        await asyncio.sleep(0.3)
        await asyncio.to_thread(own_pocketbase.start)
        assert await request == []
    finally:
        await asyncio.wait([request])
        await client.aclose()


# Outages


def folder(folder_id: str) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(("parent_id", "items", "meta", "data"))
    values |= {"is_expanded": False, "created_at": 1, "updated_at": 1}
    return {"folder": {**values, "id": folder_id, "name": folder_id, "user_id": "u"}}


WRITERS = 32


async def test_no_write_is_lost_or_doubled_when_the_server_crashes(own_pocketbase: PocketBaseProcess) -> None:
    client = own_pocketbase.client(retry=30)
    stop = asyncio.Event()
    written: dict[str, int] = {}  # id -> updates
    reads = 0

    async def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            folder_id = f"{writer}-{number}"
            answer = await client.write("folders/insert_new_folder", folder(folder_id))
            assert answer[0] == folder_id
            written[folder_id] = 0
            method, parameters = (
                "folders/update_folder_is_expanded_by_id_and_user_id",
                {"id": folder_id, "user_id": "u"},
            )
            assert await client.write(method, parameters | {"is_expanded": True, "updated_at": number})
            written[folder_id] += 1

    async def read() -> None:
        nonlocal reads
        while not stop.is_set():
            for folder_id in list(written)[-3:]:
                assert (await client.read("folders/get_folder_by_id", {"id": folder_id}))[0] == folder_id
                reads += 1
            await asyncio.sleep(0.001)

    async def progress() -> None:
        """Wait until there were some more writes and reads."""
        wanted = (len(written) + 3 * WRITERS, reads + 20)
        while len(written) < wanted[0] or reads < wanted[1]:
            for task in tasks:
                assert not task.done() or task.result()  # raises what went wrong
            await asyncio.sleep(0.01)

    tasks = [asyncio.ensure_future(task) for task in (*(write(writer) for writer in range(WRITERS)), read(), read())]
    for _ in range(3):
        await progress()
        await asyncio.to_thread(own_pocketbase.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(own_pocketbase.start)
    await progress()
    stop.set()
    await asyncio.gather(*tasks)
    await client.aclose()
    with own_pocketbase.admin() as admin:
        stored = admin.sql("SELECT count(*) AS n FROM owui_folders WHERE is_expanded")
        seen = admin.sql("SELECT op, count(*) AS n, count(DISTINCT record_id) AS ids FROM owui_changes GROUP BY op")
    number = str(len(written))
    assert stored == [{"n": number}]
    assert seen == [{"op": op, "n": number, "ids": number} for op in ("create", "update")]
    assert set(written.values()) == {1}


class LosingTransport:
    """Loses the first answer to each request that carries a key; the server has done what it was asked for."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.lost: set[str] = set()

    async def send(self, head: bytes, body: bytes, **_: bool) -> Answer:
        answer = await self._inner.send(head, body)
        key = headers_of(head).get("Idempotency-Key", "")
        if key and key not in self.lost:
            self.lost.add(key)
            raise TransportError("lost")
        return answer


async def test_write_whose_answer_is_lost_is_applied_once(own_pocketbase: PocketBaseProcess) -> None:
    client = own_pocketbase.client(retry=60.0)  # on a machine that does more than this
    transport = LosingTransport(client._transport())
    client._transport = lambda: transport  # type: ignore[method-assign, assignment, return-value]
    ids = [f"lost-{number}" for number in range(WRITERS)]
    answers = await asyncio.gather(*(client.write("folders/insert_new_folder", folder(name)) for name in ids))
    assert [answer[0] for answer in answers] == ids
    change = {"user_id": "u", "is_expanded": True, "updated_at": 1}
    method = "folders/update_folder_is_expanded_by_id_and_user_id"
    await asyncio.gather(*(client.write(method, {**change, "id": name}) for name in ids))
    transport._inner.close()
    assert len(transport.lost) == 2 * WRITERS
    with own_pocketbase.admin() as admin:
        seen = admin.sql("SELECT op, count(*) AS n, count(DISTINCT record_id) AS ids FROM owui_changes GROUP BY op")
    assert seen == [{"op": op, "n": str(WRITERS), "ids": str(WRITERS)} for op in ("create", "update")]


async def test_a_write_that_took_too_long_is_not_given_up_before_it_is_known(own_pocketbase: PocketBaseProcess) -> None:
    """Or it is there in spite of its error, and whoever tries again has it twice."""
    client = new_client(own_pocketbase.url, Authenticator(own_pocketbase.login), retry=0.5, read=1.5)
    await client.write("folders/insert_new_folder", folder("before"))
    assert own_pocketbase.process is not None
    own_pocketbase.process.send_signal(signal.SIGSTOP)
    writing = asyncio.create_task(client.write("folders/insert_new_folder", folder("late")))
    try:
        await asyncio.sleep(1.8)
    finally:
        own_pocketbase.process.send_signal(signal.SIGCONT)
    assert (await writing)[0] == "late"
    await client.aclose()
    with own_pocketbase.admin() as admin:
        assert [row["id"] for row in admin.sql("SELECT id FROM owui_folders ORDER BY rowid")] == ["before", "late"]


async def test_retrying_ends_after_its_time() -> None:
    client = new_client(f"http://127.0.0.1:{free_port()}", Authenticator(None, "t"), retry=0.6)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="Check that PocketBase runs"):
        await client.write("tags/x", {})
    assert 0.2 < time.monotonic() - began < 20
    await client.aclose()


async def test_every_repetition_has_the_same_key() -> None:
    answers = iter([503, 502, 200])
    client = new_client("http://pocketbase", Authenticator(None, "t"))
    transport = fake(client, lambda _: Answer(next(answers), b'{"answer":[],"first":3,"last":4}'))
    assert await client.write("tags/x", {}) == []
    assert client.written == 4
    keys = [request["Idempotency-Key"] for request in transport.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    again = {"first": None, "last": None}
    fake(client, lambda headers: Answer(200, json.dumps({"answer": headers["Idempotency-Key"], **again}).encode()))
    assert await client.submit("tags/x", {}) > (keys[0], None, None, None)
    assert client.written == 4


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'"x"', b"{}", b'{"answer":1}', b'{"answer":1,"first":1,"last":1,"x":1}']
)
async def test_what_is_no_reply_of_a_write_is_refused(body: bytes) -> None:
    client = new_client("http://pocketbase", Authenticator(None, "t"))
    fake(client, lambda _: Answer(200, body))
    with pytest.raises(NotPocketBaseError):
        await client.write("tags/x", {})


async def test_another_process_is_met_before_its_answer_is_given() -> None:
    """Once, and not by what the meeting itself reads."""
    runs = iter("aabbb")
    client = new_client("http://pocketbase", Authenticator(None, "t"))
    fake(client, lambda _: Answer(200, b"[]", {"x-owui-run": next(runs)}))
    met = []

    async def meet(run: str) -> None:
        await client.read("changes/get_mirrored", {}, meet=False)
        met.append(run)
        client.met_run = run

    assert await client.read("tags/x", {}) == []
    assert client.met_run == "a"
    client.on_new_run = meet
    assert await client.read_bytes("tags/x", {}) == b"[]"
    assert met == []
    assert await client.read("tags/x", {}) == []
    assert await client.read_bytes("tags/x", {}) == b"[]"
    assert met == ["b"]


async def test_recovery_can_move_the_server(pocketbase: PocketBaseProcess) -> None:
    client = new_client("http://nowhere.invalid", Authenticator(pocketbase.login))
    nowhere = f"http://127.0.0.1:{free_port()}"
    client.connect(nowhere, Authenticator(pocketbase.login), recover=lambda: (pocketbase.url, None))
    try:
        assert await client.read(TAGS, NOBODY) == []
    finally:
        await client.aclose()


async def test_calls_before_the_start_fail_clearly() -> None:
    client = PocketBaseClient(timeouts=TimeoutSettings(retry=0), pool=PoolSettings())
    with pytest.raises(UnavailableError, match="There is no connection to PocketBase yet"):
        await client.read(TAGS, NOBODY)


@contextmanager
def misbehaving(answer: bytes | None) -> Iterator[str]:
    """A server that gives every request the same bytes and hangs up; None: it never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            connection.recv(65536)
            if answer is not None:
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in connections:
            connection.close()


def http_answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


PAGE = b"<html>another server</html>"
MISBEHAVIOUR: dict[str, bytes | None] = {
    "hangs up": b"",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,",
    "cut off in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "silent": None,
    "page": http_answer("200 OK", PAGE, "Content-Type: text/html"),
    "nothing": http_answer("200 OK", b""),
    "redirection": http_answer("302 Found", b"", "Location: /login"),
    "error page": http_answer("502 Bad Gateway", PAGE),
}


misbehaviours = pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in MISBEHAVIOUR.items()]
)


@misbehaviours
async def test_server_that_is_no_pocketbase(answer: bytes | None) -> None:
    """Another error would be swallowed by some of the host's methods: "not found"."""
    with misbehaving(answer) as url:
        client = new_client(url, Authenticator(None, "t"), retry=0, read=0.3)
        try:
            with pytest.raises(RequestError) as raised:
                await client.read(TAGS, NOBODY)
            assert not isinstance(raised.value, (InvalidRequestError, ConflictError, NotFoundError))
        finally:
            await client.aclose()


@misbehaviours
def test_administration_of_a_server_that_is_no_pocketbase(answer: bytes | None) -> None:
    with misbehaving(answer) as url, AdminClient(url, timeout=0.3, token="t") as admin:
        for call in (lambda: admin.login("i", "p"), admin.version, admin.health, admin.collections):
            with pytest.raises(OpenWebUIPocketBaseError):
                call()


# Surroundings


def test_two_event_loops_at_once(pocketbase: PocketBaseProcess) -> None:
    login = Login(pocketbase.login)
    client = new_client(pocketbase.url, Authenticator(login, "rejected"))
    together = threading.Barrier(2)
    results: list[list[Any]] = []

    async def work() -> list[Any]:
        try:
            together.wait()
            return await asyncio.gather(*(client.read(TAGS, NOBODY) for _ in range(100)))
        finally:
            await client.aclose()

    threads = [threading.Thread(target=lambda: results.append(asyncio.run(work()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [[[]] * 100] * 2
    assert login.count == 1


async def test_client_can_be_used_after_closing(pocketbase: PocketBaseProcess) -> None:
    client = pocketbase.client()
    for _ in range(2):
        assert await client.read(TAGS, NOBODY) == []
        await client.aclose()


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
async def test_proxies_of_the_environment_are_ignored(
    name: str, pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    client = pocketbase.client(retry=0)
    try:
        assert await client.read(TAGS, NOBODY) == []
    finally:
        await client.aclose()


TRACED = """
import asyncio, contextlib, sys
from opentelemetry import trace
from openwebui_pocketbase.client import Authenticator, PocketBaseClient
from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

class Tracer(trace.NoOpTracer):
    @contextlib.contextmanager
    def start_as_current_span(self, name, *args, **kwargs):
        print(name, kwargs["kind"].name, sorted(kwargs["attributes"].items()))
        yield trace.INVALID_SPAN

class Provider(trace.TracerProvider):
    def get_tracer(self, name, *args, **kwargs):
        print("tracer", name)
        return Tracer()

trace.set_tracer_provider(Provider())
client = PocketBaseClient(timeouts=TimeoutSettings(retry=0), pool=PoolSettings())
client.connect(sys.argv[1], Authenticator(None, sys.argv[2]))

async def main():
    await client.read("tags/get_tags_by_user_id", {"user_id": "private"})
    await client.aclose()

asyncio.run(main())
"""


def test_requests_are_traced(pocketbase: PocketBaseProcess) -> None:
    """In a process of its own: a tracer provider can be set only once."""
    pytest.importorskip("opentelemetry.trace")
    command = [sys.executable, "-c", TRACED, pocketbase.url, pocketbase.login()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    tracer, span = result.stdout.splitlines()
    assert tracer == "tracer openwebui_pocketbase"
    assert span.startswith("pocketbase tags/get_tags_by_user_id CLIENT ")
    assert "('db.system.name', 'pocketbase')" in span
    assert "private" not in span
    assert PASSWORD not in result.stdout
