"""An httpx transport that sends nothing before the server has proved to be ours.

A connection serves one request: the proof is good for the connection on which it came, and httpx does not say which one
it uses. These are rare calls; the hot path has a transport of its own.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping

import httpx

from openwebui_pocketbase.client.trust import Trust

__all__ = ["ProvenTransport"]


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
        content = request.read()
        connection = _connection(request.url, request.extensions.get("timeout", {}))
        try:
            self._prove(connection)
            connection.request(request.method, request.url.raw_path.decode(), content, dict(request.headers))
            reply = connection.getresponse()
            stream = httpx.ByteStream(reply.read())
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except (OSError, http.client.HTTPException) as error:
            raise httpx.ReadError(str(error) or type(error).__name__, request=request) from error
        finally:
            connection.close()
        return httpx.Response(reply.status, headers=reply.getheaders(), stream=stream, request=request)

    def _prove(self, connection: http.client.HTTPConnection) -> None:
        challenge = self._trust.challenge()
        connection.request("GET", self._prefix + challenge.path)
        reply = connection.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        body = reply.read()
        self._trust.check(challenge, self._base, reply.status, body, headers, closes=connection.sock is None)


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
