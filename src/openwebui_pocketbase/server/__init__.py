"""The embedded PocketBase: one server for any number of worker processes.

Every worker that uses the server holds a shared lock on ``leases.lock``. The first one starts a
small detached process, the supervisor, which holds ``supervisor.lock``, runs PocketBase as its
child, restarts it when it dies or hangs, and stops it when nobody holds a lease any more. The kernel
releases the locks however a process ends, so nothing has to be cleaned up after a crash.

=================  ===============================================================
`.embedded`        what a worker uses: `EmbeddedServer`
`.info`            how to reach the server: `ServerInfo`
`.launch`          starting the detached process
`.supervisor`      the detached process
`.pocketbase`      the PocketBase process itself: command line, output, end
`.vitals`          whether it answers, and goes on answering
`.probe`           whether it is ours that answers on a port
`.orphan`          a PocketBase that outlived its supervisor
`.code`            the private copy of the hooks and migrations it runs
`.rundir`          the files in ``<data_dir>/.owui`` through which they talk
`.locks`           file locks
`.permissions`     who may read the files, and as whom root works
`.credentials`     the superuser's generated password, and the key
`.binary`          finding the ``pocketbase`` program
`.versions`        the versions of PocketBase that fit
`.network`         ports and addresses
`.squatter`        the name of another program on a port
=================  ===============================================================

The supervisor imports this package too and has to start quickly, so the public names are loaded
on first use, and only `.embedded`, `.info` and `.binary` may import more than the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openwebui_pocketbase.server.binary import check_ready_to_start, find_binary
    from openwebui_pocketbase.server.embedded import EmbeddedServer
    from openwebui_pocketbase.server.info import ServerInfo

__all__ = ["EmbeddedServer", "ServerInfo", "check_ready_to_start", "find_binary"]

_HOMES = {
    "EmbeddedServer": "embedded",
    "ServerInfo": "info",
    "check_ready_to_start": "binary",
    "find_binary": "binary",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - kept out of the supervisor's start-up

    return getattr(import_module(f"{__name__}.{home}"), name)
