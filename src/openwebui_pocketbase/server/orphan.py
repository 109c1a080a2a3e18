"""Finding and ending a PocketBase that outlived its supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

__all__ = ["find_servers", "stop_orphan"]

POLL = 0.02


def stop_orphan(pid: int, *, marker: str, grace: float) -> None:
    """End the process, if it is what it was recorded as, and wait until it is gone.

    On Linux the kernel has already asked it to stop, as its supervisor died, and waiting is what
    matters: it keeps the port and the database until it has.

    Args:
        pid: Process id, possibly reused by another program by now.
        marker: Text that its command line must contain.
        grace: Seconds it may take to stop by itself before it is killed.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + grace
        if marker in _command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while marker in _command_line(pid):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL)


def find_servers(data_dir: Path, *, marker: str) -> list[int]:
    """Return the process ids of the PocketBases on a data directory, whoever started them.

    Args:
        data_dir: The directory, in which they work.
        marker: Text that their command lines contain.
    """
    if not Path("/proc/self").exists():
        ps = ["/bin/ps", "-ww", "-ax", "-o", "pid=,command="]
        lines = subprocess.run(ps, capture_output=True, text=True, errors="replace", check=False).stdout.splitlines()  # noqa: S603 - fixed
        return [int(line.split()[0]) for line in lines if marker in line]
    # The same path can be another directory, in a container that shares its processes with this one.
    return [
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and marker in _command_line(int(process.name)) and _works_in(process, data_dir)
    ]


def _works_in(process: Path, directory: Path) -> bool:
    try:
        return (process / "cwd").samefile(directory)
    except OSError:
        return False


def _command_line(pid: int) -> str:
    """Return the command line of a process, or ``""`` if there is no such process."""
    if Path("/proc/self").exists():  # Linux, where small container images have no ps
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended, or is none of ours
            return ""
    ps = ["/bin/ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(ps, capture_output=True, text=True, errors="replace", check=False).stdout  # noqa: S603 - fixed
