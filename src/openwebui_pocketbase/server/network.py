"""Ports and addresses of the embedded server."""

from __future__ import annotations

import errno
import random
import socket

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.squatter import describe_listener

__all__ = ["choose_port", "listen_address", "local_url", "port_taken"]

# Outside the ranges that Linux and macOS take the ports of outgoing connections from: a client that
# tries again while PocketBase restarts could otherwise be given the very port it is trying to reach.
FREE_PORTS = range(20000, 32768)
ATTEMPTS = 100


def choose_port(host: str, *, wanted: int, previous: int | None) -> int:
    """Return the port to listen on.

    Args:
        host: Address to listen on.
        wanted: The configured port; 0 for any free one.
        previous: The port of the last run, taken again if it is free, so that addresses stay valid.

    Raises:
        ServerError: The wanted port is taken, or the host is not an address of this machine.
    """
    if wanted:
        error = _bind_error(host, wanted)
        if error is None:
            return wanted
        if error.errno == errno.EADDRINUSE:
            raise port_taken(host, wanted)
        raise _cannot_listen(host, wanted, error)
    candidates = [previous] if previous else []
    candidates += random.sample(FREE_PORTS, ATTEMPTS)
    for port in candidates:
        error = _bind_error(host, port)
        if error is None:
            return port
        if error.errno != errno.EADDRINUSE:  # so it is the host: another port would fail as well
            break
    raise _cannot_listen(host, port, error)


def port_taken(host: str, port: int) -> ServerError:
    """Return the error that says that another program listens on the port, and which."""
    return ServerError(
        f"Port {port} on {host} is already taken by {describe_listener(port)}.",
        hint="Stop that program, or set [pocketbase.embedded] port to another one, or to 0 for any free one.",
    )


def listen_address(host: str, port: int) -> str:
    """Return ``host:port`` as PocketBase's ``--http`` wants it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def local_url(host: str, port: int) -> str:
    """Return the address under which programs of this machine reach a server listening there."""
    return f"http://{listen_address(_local(host), port)}"


def _local(host: str) -> str:
    # "Every address" is an address to listen on, not one to connect to.
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def _cannot_listen(host: str, port: int, error: OSError | None) -> ServerError:
    return ServerError(
        f"PocketBase cannot listen on {listen_address(host, port)}: {error}.",
        hint="Correct [pocketbase.embedded] host and port; 127.0.0.1 is the usual host, and ports below 1024"
        " are for privileged programs.",
    )


def _bind_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As PocketBase does: connections of the last run that linger in TIME_WAIT do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None
