"""An httpx transport that sends nothing until the server has proved that it is ours.

A connection serves one request: the proof is good for the connection on which it came, and httpx does not say which one
it uses. These are rare calls; the hot path has a transport of its own.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from openwebui_pocketbase.client.trust import Trust

__all__ = ["ProvenTransport"]

PIECE = 1 << 18
"""Bytes of a reply's body that are read at once."""


class ProvenTransport(httpx.BaseTransport):
    """Opens a connection per request, has the server prove itself on it, and sends the request behind that.

    Args:
        base: Address of the server, whose path comes before the challenge's.
        trust: What the server has to prove.
    """

    def __init__(self, base: str, trust: Trust) -> None:
        self._base = base.rstrip("/")
        self._prefix = httpx.URL(self._base).raw_path.decode().rstrip("/")
        self._trust = trust

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            UntrustedServerError: The server has not proved to be ours; the request was not sent.
            httpx.TransportError: There was no whole reply.
        """
        # A body is passed on piece by piece, as it is read; without a length it would be none.
        body = request.stream if "Content-Length" in request.headers else b""
        connection = _connection(request.url, request.extensions.get("timeout", {}))
        try:
            with _failures_of(request):
                self._prove(connection)
                connection.request(request.method, request.url.raw_path.decode(), body, dict(request.headers))  # type: ignore[arg-type]  # iterable
                reply = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        stream = _Body(request, connection, reply)
        return httpx.Response(reply.status, headers=reply.getheaders(), stream=stream, request=request)

    def _prove(self, connection: http.client.HTTPConnection) -> None:
        challenge = self._trust.challenge()
        connection.request("GET", self._prefix + challenge.path)
        reply = connection.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        body = reply.read()
        self._trust.check(challenge, self._base, reply.status, body, headers, closes=connection.sock is None)


class _Body(httpx.SyncByteStream):
    """The body of a reply, piece by piece; the connection ends with it."""

    def __init__(
        self, request: httpx.Request, connection: http.client.HTTPConnection, reply: http.client.HTTPResponse
    ) -> None:
        self._request = request
        self._connection = connection
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        with _failures_of(self._request):
            while piece := self._reply.read(PIECE):
                yield piece
            if self._reply.length:  # known, and not all has come
                raise http.client.IncompleteRead(b"", self._reply.length)

    def close(self) -> None:
        self._reply.close()
        self._connection.close()


@contextmanager
def _failures_of(request: httpx.Request) -> Iterator[None]:
    """Raise httpx's errors in place of those of the standard library."""
    try:
        yield
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except (OSError, http.client.HTTPException) as error:
        raise httpx.ReadError(str(error) or type(error).__name__, request=request) from error


def _connection(url: httpx.URL, timeout: Mapping[str, float | None]) -> http.client.HTTPConnection:
    """Return an open connection, which does not open another one by itself."""
    patience = timeout.get("connect")
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            url.host, url.port, timeout=patience, context=context
        )
    else:
        connection = http.client.HTTPConnection(url.host, url.port, timeout=patience)
    try:
        connection.connect()
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    connection.auto_open = 0  # after a "Connection: close" it would go on with a server that has proved nothing
    connection.sock.settimeout(timeout.get("read"))
    return connection
