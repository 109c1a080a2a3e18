"""Ports for the servers of tests, which no other test is given."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
from collections.abc import Iterator

WORKERS = 8
PORTS = range(10_000, 30_000)
"""Below those that the kernel gives to outgoing connections, and to whoever asks for any."""

RESERVED = frozenset({11_434, 15_672, 27_017})
"""Of well-known servers, which may be started while the tests run."""


def _of_this_worker() -> range:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    each = len(PORTS) // WORKERS
    return PORTS[number * each : (number + 1) * each]


_ports = _of_this_worker()
_start = secrets.randbelow(len(_ports))  # another run may be on the same machine
_next: Iterator[int] = itertools.cycle([*_ports[_start:], *_ports[:_start]])


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, and that no other test is given."""
    for port in itertools.islice(_next, len(_ports)):
        if port not in RESERVED and _is_free(port):
            return port
    raise RuntimeError("every port of this worker is taken")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
