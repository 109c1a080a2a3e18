"""Asking a port whether our PocketBase answers there: before anything else is sent, and now and then afterwards."""

from __future__ import annotations

import enum
import socket
import time
from urllib.parse import urlsplit

from openwebui_pocketbase.proof import new_challenge

__all__ = ["Reply", "probe"]

MOST_BYTES = 65_536


class Reply(enum.Enum):
    """What came back."""

    PROVED = "our server answered"
    OTHER = "something else answered"
    NONE = "the connection was accepted, or is pending, and nothing came"
    CLOSED = "nothing listens there, or the connection was cut"


def probe(url: str, key: str, *, seconds: float) -> Reply:
    """Send a challenge, and nothing secret.

    Needs no database: a PocketBase that is busy with a long write, or copies a backup, replies as well.

    Args:
        url: Address of the server.
        key: The key that our server has.
        seconds: For how long to wait, all in all; somebody else's server may send its bytes as slowly as it likes.
    """
    address = urlsplit(url)
    challenge = new_challenge(key, address.netloc)
    deadline = time.monotonic() + seconds
    try:
        with socket.create_connection((address.hostname, address.port or 80), timeout=seconds) as connection:
            # HTTP 1.0, so that the body is what comes until the connection ends.
            connection.sendall(f"GET {challenge.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
            received = _receive(connection, deadline)
    except TimeoutError:
        return Reply.NONE
    except OSError:
        return Reply.CLOSED
    if not received:
        return Reply.CLOSED
    head, _, body = received.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    proved = status == [b"200"] and challenge.is_met(200, body)
    return Reply.PROVED if proved else Reply.OTHER


def _receive(connection: socket.socket, deadline: float) -> bytes:
    received = b""
    while len(received) < MOST_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(MOST_BYTES)
        if not part:
            break
        received += part
    return received
