"""The transport's connections: kept, given up, limited; and answers of every shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from openwebui_pocketbase.client.transport import Answer, Transport, TransportError
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server whose connections are served by a function; counts them."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.connections = 0
        self.url = httpx.URL()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()


@asynccontextmanager
async def running(
    serve: Serve, *, read: float = 5.0, max_connections: int = 10, keepalive: float = 30.0, wait: float = 5.0
) -> AsyncIterator[tuple[Server, Transport]]:
    server = Server(serve)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.url = httpx.URL(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    transport = Transport(
        server.url,
        timeouts=TimeoutSettings(connect=2.0, read=read, pool=wait),
        pool=PoolSettings(max_connections=max_connections, keepalive=keepalive),
    )
    try:
        yield server, transport
    finally:
        transport.close()
        listening.close()


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)


def answering(*parts: bytes, pause: float = 0.0, close: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            assert await request(reader) == HEAD + b"{}"
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if close:
                return

    return serve


ANSWERS = {
    "length": (OK, Answer(200, b"ok")),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        Answer(200, b"ok"),
    ),
    "nothing": (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"")),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, Answer(200, b"ok")),
    "an error": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Answer(500, b"")),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("in_bytes", [False, True], ids=["whole", "byte by byte"])
async def test_answers(name: str, in_bytes: bool) -> None:
    raw, expected = ANSWERS[name]
    parts = [bytes([byte]) for byte in raw] if in_bytes else [raw]
    async with running(answering(*parts)) as (server, transport):
        for _ in range(3):
            assert await transport.send(HEAD, b"{}") == expected
        assert server.connections == 1


async def test_end_of_the_connection_is_the_end_of_a_body_without_length() -> None:
    async with running(answering(b"HTTP/1.1 200 OK\r\n\r\no", b"k", pause=0.01, close=True)) as (server, transport):
        for _ in range(2):
            assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        assert server.connections == 2


@pytest.mark.parametrize("raw", [b"", OK[:10], OK[:-1], b"SSH-2.0\r\n", b"\x00"], ids=repr)
async def test_what_is_no_whole_answer(raw: bytes) -> None:
    async with running(answering(raw, close=True)) as (server, transport):
        with pytest.raises(TransportError):
            await transport.send(HEAD, b"{}")
        assert server.connections == 1


async def test_answer_that_closes_the_connection() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with running(answering(closing, close=True)) as (server, transport):
        for _ in range(3):
            assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        assert server.connections == 3


async def test_idle_connections_which_the_server_closed_are_replaced() -> None:
    # Closes after its answer without saying so: some of these are noticed only when the next request is sent.
    async with running(answering(OK, close=True)) as (server, transport):
        for _ in range(20):
            assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        assert server.connections == 20


async def test_bytes_nobody_asked_for_end_a_connection() -> None:
    async with running(answering(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", pause=0.05)) as (
        server,
        transport,
    ):
        for _ in range(3):
            assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
            await asyncio.sleep(0.1)
        assert server.connections == 3


async def test_a_cancelled_request_takes_its_connection_along() -> None:
    async with running(answering(OK, pause=0.0)) as (server, transport):
        assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        task = asyncio.ensure_future(transport.send(HEAD, b"{}"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        assert server.connections == 2


async def test_silence_ends_a_request_and_slowness_does_not() -> None:
    async with running(answering(*(bytes([byte]) for byte in OK), pause=0.02), read=0.3) as (_, transport):
        assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")  # takes longer than that
    async with running(answering(OK[:5], pause=3.0), read=0.3) as (_, transport):
        with pytest.raises(TimeoutError, match="nothing came for"):
            await transport.send(HEAD, b"{}")


async def test_silence_on_kept_connections_is_waited_for_once() -> None:
    """It is no closed connection: the request is not sent again on the next one."""
    heard = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        while True:
            await request(reader)
            heard += 1
            if heard <= 4:
                await asyncio.sleep(0.05)
                writer.write(OK)

    async with running(serve, read=0.3) as (server, transport):
        await asyncio.gather(*(transport.send(HEAD, b"{}") for _ in range(4)))
        assert server.connections == 4
        with pytest.raises(TimeoutError):
            await transport.send(HEAD, b"{}")
        assert heard == 5


async def test_connections_are_limited_and_reused() -> None:
    busy = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        while True:
            await request(reader)
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.01)
            busy -= 1
            writer.write(OK)

    async with running(serve, max_connections=4) as (server, transport):
        answers = await asyncio.gather(*(transport.send(HEAD, b"{}") for _ in range(40)))
        assert answers == [Answer(200, b"ok")] * 40
        assert server.connections == most == 4


async def test_a_request_nobody_waits_for_counts_until_it_is_answered() -> None:
    busy = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        while True:
            await request(reader)
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.05)
            busy -= 1
            writer.write(OK)

    async with running(serve, max_connections=4) as (server, transport):
        for _ in range(3):
            impatient = [asyncio.ensure_future(transport.send(HEAD, b"{}")) for _ in range(10)]
            await asyncio.sleep(0.01)
            for each in impatient:
                each.cancel()
            await asyncio.wait(impatient)
        answers = await asyncio.gather(*(transport.send(HEAD, b"{}") for _ in range(10)))
        assert answers == [Answer(200, b"ok")] * 10  # each its own, none that was meant for somebody before
        assert server.connections == most == 4


async def test_a_slot_comes_back_whenever_its_caller_goes() -> None:
    """Also when the answer has come and the caller has not been told yet."""
    async with running(answering(OK), max_connections=1, wait=2.0) as (server, transport):
        await transport.send(HEAD, b"{}")
        for number in range(200):
            asking = asyncio.ensure_future(transport.send(HEAD, b"{}"))
            for _ in range(number % 25):  # the answer takes a few turns of the event loop
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert await transport.send(HEAD, b"{}") == Answer(200, b"ok")
        assert server.connections == 1


async def test_long_requests_leave_half_of_the_connections_to_others() -> None:
    at_once: list[bytes] = []
    most = 0
    release = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            if b"long" in head:
                at_once.append(head)
                most = max(most, len(at_once))
                await release.wait()
                at_once.pop()
            writer.write(OK)

    async with running(serve, max_connections=5, wait=5.0) as (_, transport):
        long = HEAD.replace(b"Host: h", b"Host: long")
        searching = [asyncio.ensure_future(transport.send(long, b"{}", is_long=True)) for _ in range(10)]
        await asyncio.sleep(0.05)
        searching[0].cancel()  # the server works on
        searching[-1].cancel()  # it had not been sent
        await asyncio.sleep(0.05)
        for _ in range(20):
            assert await asyncio.wait_for(transport.send(HEAD, b"{}"), 2) == Answer(200, b"ok")
        assert most == 3
        release.set()
        await asyncio.gather(*searching, return_exceptions=True)
        assert [task.cancelled() for task in searching] == [True, *[False] * 8, True]
        assert most == 3
        assert transport._slots._value == 5
        assert transport._long_slots._value == 3


async def test_a_request_of_which_a_part_was_sent_is_broken_off() -> None:
    got = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(100_000_000)
        got.set()

    async with running(serve, max_connections=1) as (_, transport):
        head = b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n"
        sending = asyncio.ensure_future(transport.send(head, bytes(100_000_000)))
        await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.wait([sending])
        await asyncio.wait_for(got.wait(), 5)


async def test_a_server_that_never_answers_gets_its_time_only() -> None:
    async with running(answering(OK[:5], pause=30.0), max_connections=1, read=0.3) as (server, transport):
        first = asyncio.ensure_future(transport.send(HEAD, b"{}"))
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.wait([first])
        with pytest.raises(TimeoutError):
            await transport.send(HEAD, b"{}")
        assert server.connections == 2


async def test_closing_ends_what_nobody_waits_for() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        await reader.read()
        ended.set()

    async with running(serve) as (_, transport):
        first = asyncio.ensure_future(transport.send(HEAD, b"{}"))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.wait([first])
        transport.close()
        await asyncio.wait_for(ended.wait(), 5)


async def test_waiting_for_a_connection_ends() -> None:
    async with running(answering(OK[:5], pause=3.0), max_connections=1, wait=0.2) as (_, transport):
        first = asyncio.ensure_future(transport.send(HEAD, b"{}"))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await transport.send(HEAD, b"{}")
        first.cancel()
        await asyncio.wait([first])


async def test_old_connections_are_closed() -> None:
    async with running(answering(OK), keepalive=0.1) as (server, transport):
        await transport.send(HEAD, b"{}")
        await asyncio.sleep(0.2)
        await transport.send(HEAD, b"{}")
        assert server.connections == 2


async def test_large_bodies() -> None:
    body = b"x" * 20_000_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got = await reader.readexactly(len(body))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(got) + got)

    async with running(serve) as (_, transport):
        head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert await transport.send(head, body) == Answer(200, body)
