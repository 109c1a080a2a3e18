"""Nothing but the challenge goes to a server that has not proved to be ours."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient, Trust
from openwebui_pocketbase.exceptions import UnavailableError, UntrustedServerError
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess, clone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "a-key-of-a-test"
TAGS = "tags/get_tags_by_user_id"
NOBODY = {"user_id": "nobody"}
CHALLENGE = re.compile(r"GET (/api/owui/proof\?number=[0-9a-f]{32}) HTTP/1\.1")


def client_of(url: str, trust: Trust, *, retry: float = 0.0, token: str = "a-token-of-a-test") -> PocketBaseClient:
    timeouts = TimeoutSettings(connect=2.0, read=5.0, retry=retry)
    client = PocketBaseClient(timeouts=timeouts, pool=PoolSettings())
    client.connect(url, Authenticator(None, token), trust=trust)
    return client


@pytest.fixture(scope="module")
def ours(prepared_pocketbase: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseProcess]:
    """A PocketBase that has the key and knows where it listens."""
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path_factory.mktemp("ours")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OWUI_KEY", KEY)
        patch.setenv("OWUI_LISTEN", f"127.0.0.1:{server.port}")
        server.start()
    yield server
    server.stop()


def trust_in(server: PocketBaseProcess) -> Trust:
    return Trust(KEY, f"127.0.0.1:{server.port}")


async def test_a_server_with_the_key_is_used(ours: PocketBaseProcess) -> None:
    with AdminClient(ours.url, trust=trust_in(ours)) as admin:
        token = admin.login(IDENTITY, PASSWORD)
        assert admin.version()["schema"]
        assert admin.read(TAGS, NOBODY) == []
    client = client_of(ours.url, trust_in(ours), token=token)
    try:
        assert await client.read(TAGS, NOBODY) == []
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    "trust", [Trust("another key", "127.0.0.1:{}"), Trust(KEY), Trust(KEY, "127.0.0.1:1")], ids=str
)
async def test_another_key_or_another_address_is_no_proof(ours: PocketBaseProcess, trust: Trust) -> None:
    trust = Trust(trust.key, trust.listen.format(ours.port))
    client = client_of(ours.url, trust)
    with pytest.raises(UntrustedServerError, match="is not our PocketBase"):
        await client.read(TAGS, NOBODY)
    with AdminClient(ours.url, trust=trust) as admin, pytest.raises(UntrustedServerError, match="What to do: "):
        admin.login(IDENTITY, PASSWORD)


class Squatter:
    """A program on somebody else's port: keeps what it is sent; a function of the request line answers."""

    def __init__(self, answer: Callable[[str], bytes]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.received: list[bytes] = []
        self._threads: list[threading.Thread] = []

    @contextmanager
    def running(self) -> Iterator[Squatter]:
        listening = threading.Thread(target=self._listen)
        listening.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for thread in (listening, *self._threads):
                thread.join()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            while data := connection.recv(65536):
                self.received.append(data)
                connection.sendall(self._answer(data.decode().split("\r\n")[0]))


def reply(status: int, body: bytes, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def relaying_to(server: PocketBaseProcess) -> Callable[[str], bytes]:
    """Answer what the real server answers to the same question."""

    def relay(line: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", line.split()[1])
        answer = connection.getresponse()
        return reply(answer.status, answer.read(), "Content-Type: application/json")

    return relay


SQUATTERS: dict[str, Callable[[PocketBaseProcess], Callable[[str], bytes]]] = {
    "refuses": lambda _: lambda _line: reply(404, b'{"message": "Nothing here."}'),
    "guesses": lambda _: lambda _line: reply(200, b'{"code": "%s"}' % (b"0" * 64)),
    "odd": lambda _: lambda _line: reply(200, b"[]", "Content-Type: application/json"),
    "busy": lambda _: lambda _line: reply(503, b"{}"),
    "redirects": lambda _: lambda _line: reply(302, b"", "Location: http://127.0.0.1:1/"),
    "no HTTP": lambda _: lambda _line: b"SSH-2.0-OpenSSH_9.6\r\n",
    "relays": relaying_to,
}


@pytest.mark.parametrize("name", SQUATTERS)
async def test_a_squatter_sees_only_the_challenge(ours: PocketBaseProcess, name: str) -> None:
    """It took the port of ours, which is thought to listen there."""
    with Squatter(SQUATTERS[name](ours)).running() as squatter:
        trust = Trust(KEY, f"127.0.0.1:{squatter.port}")
        client = client_of(squatter.url, trust, retry=0.3)
        with pytest.raises(UnavailableError):
            await client.write("tags/insert_new_tag", {"name": "private"})
        with AdminClient(squatter.url, timeout=2.0, token="a-token-of-a-test", trust=trust) as admin:
            for call in (lambda: admin.login(IDENTITY, PASSWORD), admin.version, lambda: admin.sql("SELECT 1")):
                with pytest.raises(UnavailableError):
                    call()
        await client.aclose()
    assert len(squatter.received) >= 4
    for request in squatter.received:
        head = request.decode()
        assert CHALLENGE.match(head), head
        assert head.endswith("\r\n\r\n")
        assert "authorization" not in head.lower()
        assert "private" not in head
    numbers = [request.split()[1] for request in squatter.received]
    assert len(set(numbers)) == len(numbers)


async def test_a_proof_is_no_longer_good_when_its_connection_has_ended(ours: PocketBaseProcess) -> None:
    """The real server's proof, behind which the connection ends: what comes next could be anybody's."""
    relay = relaying_to(ours)

    def closing(line: str) -> bytes:
        return relay(line).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)

    with Squatter(closing).running() as squatter:
        client = client_of(squatter.url, trust_in(ours))
        with pytest.raises(UntrustedServerError, match="for this one only"):
            await client.read(TAGS, NOBODY)
        with AdminClient(squatter.url, trust=trust_in(ours)) as admin, pytest.raises(UntrustedServerError):
            admin.login(IDENTITY, PASSWORD)
        await client.aclose()
        await asyncio.sleep(0.01)  # what was closed ends with the next turn of the loop; the squatter waits for it
    assert all(CHALLENGE.match(request.decode()) for request in squatter.received)


async def test_our_server_is_found_again_behind_a_squatter(ours: PocketBaseProcess) -> None:
    """The embedded server comes back on another port, with another proof."""
    with Squatter(lambda _: reply(200, b"{}")).running() as squatter:
        client = client_of(squatter.url, Trust(KEY, f"127.0.0.1:{squatter.port}"), retry=10.0)
        client.connect(
            squatter.url,
            Authenticator(ours.login),
            trust=Trust(KEY, f"127.0.0.1:{squatter.port}"),
            recover=lambda: (ours.url, trust_in(ours)),
        )
        assert await client.read(TAGS, NOBODY) == []
        await client.aclose()
    assert squatter.received
    assert all(CHALLENGE.match(request.decode()) for request in squatter.received)


def test_the_key_is_in_no_representation() -> None:
    assert KEY not in repr(Trust(KEY, "x"))


def test_certificates_are_verified(tmp_path: Path) -> None:
    """Neither the challenge nor anything else goes to a server whose certificate nobody vouches for."""
    files = ("-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem")
    options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-batch")
    subprocess.run(["openssl", "req", *options, *files], capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                received.append(secured.recv(65536))

    async def read() -> None:
        client = client_of(url, Trust(KEY))
        try:
            await client.read(TAGS, NOBODY)
        finally:
            await client.aclose()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with AdminClient(url, trust=Trust(KEY)) as admin, pytest.raises(UnavailableError, match="certificate verify"):
            admin.login(IDENTITY, PASSWORD)
        with pytest.raises(UnavailableError, match="certificate verify"):
            asyncio.run(read())
        thread.join()
    assert not any(received)
