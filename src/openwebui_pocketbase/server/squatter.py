"""Naming the program that listens on a port which should be ours, as far as the system tells."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["describe_listener"]

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENING = "0A"


def describe_listener(port: int) -> str:
    """Return for example ``process 123 (nc) of uid 1000``; less where the system does not tell."""
    for uid, inode in _listeners(port):
        pid = _process_of(inode)
        if pid is None:  # processes of others show their files to root only
            return f"a program of uid {uid}"
        return f"process {pid} ({_command_of(pid)}) of uid {uid}"
    return "another program"


def _listeners(port: int) -> list[tuple[str, str]]:
    """Return uid and inode of the sockets that listen on a port."""
    found = []
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, state, _, _, _, uid, _, inode, *_ = line.split()
                if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                    found.append((uid, inode))
    return found


def _process_of(inode: str) -> str | None:
    socket = f"socket:[{inode}]"
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if any(str(fd.readlink()) == socket for fd in (process / "fd").iterdir()):
                    return process.name
    return None


def _command_of(pid: str) -> str:
    try:
        # The name only: arguments can hold somebody's secrets.
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"
