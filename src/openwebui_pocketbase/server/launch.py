"""Starting the supervisor: a process of its own, which nothing ties to the worker that starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.permissions import open_private, owner_to_become
from openwebui_pocketbase.server.supervisor import STOP_GRACE
from openwebui_pocketbase.server.supervisor import __name__ as supervisor

if TYPE_CHECKING:
    from openwebui_pocketbase.server.locks import FileLock
    from openwebui_pocketbase.server.permissions import Owner
    from openwebui_pocketbase.server.pocketbase import ServeOptions

__all__ = ["STOP_GRACE", "launch"]


def launch(options: ServeOptions, lock: FileLock, log: Path) -> subprocess.Popen[bytes]:
    """Start a supervisor, as the owner of the data if this process is root.

    Args:
        options: What it is to serve.
        lock: The supervisor's lock, held; the supervisor inherits it.
        log: File to which it writes.

    Raises:
        ServerError: The process cannot be started.
    """
    owner = owner_to_become(Path(options.data_dir))
    try:
        with os.fdopen(open_private(log, os.O_WRONLY | os.O_APPEND), "ab") as output:
            return subprocess.Popen(  # noqa: S603 - fixed arguments
                # -P: nothing is imported from the working directory, which stays ours for PYTHONPATH's sake.
                [sys.executable, "-P", "-m", supervisor, str(lock.fd), json.dumps(asdict(options))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[lock.fd],
                start_new_session=True,  # Ctrl-C in the terminal is for the workers only
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
            )
    except OSError as error:
        raise _cannot_launch(options.data_dir, owner, error) from None


def _cannot_launch(data_dir: str, owner: Owner | None, error: OSError) -> ServerError:
    if owner is None:
        return ServerError(
            f"The process that is to run PocketBase cannot be started: {error}.",
            hint="Look at the memory, the number of processes and the disk space of this machine.",
        )
    return ServerError(
        f"PocketBase's data in {data_dir} belong to uid {owner.uid}, as whom root cannot run PocketBase: {error}.",
        hint=f"Run this as uid {owner.uid}, who must be able to read {sys.prefix}; or, if Open WebUI is to run as root:"
        f" chown -R root {data_dir}",
    )
