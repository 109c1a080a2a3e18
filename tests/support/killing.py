"""A program that runs a command again and again and kills it; Open WebUI's code is loaded once.

Arguments: how often, the longest time that it lives in seconds, and the command's own. The last time it is not killed.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
import time

importlib.import_module("openwebui_pocketbase.cli")
for name in (
    "open_webui.internal.db",
    *(spec.module for spec in importlib.import_module("openwebui_pocketbase.catalog").REPOSITORIES),
    "openwebui_pocketbase.migrate.run",
    "openwebui_pocketbase.migrate.sides",
    "openwebui_pocketbase.host.revision",
):
    importlib.import_module(name)


def run(arguments: list[str]) -> int:
    """Run the command in a child; return that child's id."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    sys.argv = ["openwebui-pocketbase", *arguments]
    try:
        importlib.import_module("openwebui_pocketbase.cli").app()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    os._exit(70)


def main() -> None:
    """See above."""
    times, longest, arguments = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    killed = 0
    while killed < times:
        child = run(arguments)
        time.sleep(random.uniform(0.0, longest))
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    _, status = os.waitpid(run(arguments), 0)
    print(f"killed: {killed}")
    sys.exit(os.waitstatus_to_exitcode(status))


main()
