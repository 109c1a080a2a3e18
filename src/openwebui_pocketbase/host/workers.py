"""The exit status of a parent whose workers could not start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from openwebui_pocketbase.host import STARTUP_FAILURE

__all__ = ["tell_failed_start"]


def tell_failed_start(multiprocess: ModuleType) -> Callable[[], None]:
    """Have uvicorn's parent of several workers end with status 3 when one of them could not start.

    By itself it stops then, but with status 0, so that no service manager notices.

    Args:
        multiprocess: The module ``uvicorn.supervisors.multiprocess``.

    Returns:
        A function that undoes it.
    """
    parent = multiprocess.Multiprocess
    stock = parent.run

    def run(self: Any) -> None:
        stock(self)
        if any(worker.exitcode == STARTUP_FAILURE for worker in self.processes):
            sys.exit(STARTUP_FAILURE)

    parent.run = run

    def undo() -> None:
        parent.run = stock

    return undo
