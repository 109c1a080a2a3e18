"""The exit status of a process whose workers could not start."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host import STARTUP_FAILURE
from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.settings import load_settings

__all__ = ["end_if_failed"]


def end_if_failed(statuses: Iterable[int | None]) -> None:
    """End with status 3 if a worker did, and the settings put any data into another place than the SQL database.

    Args:
        statuses: Exit statuses of the workers; None for one that runs.
    """
    if STARTUP_FAILURE in statuses and _is_wanted():
        sys.exit(STARTUP_FAILURE)


def _is_wanted() -> bool:
    try:
        return load_settings(_data_dir()).wants_other_backend()
    except ConfigurationError:
        return True  # it is what the workers failed for


def _data_dir() -> Path:
    """Return the data directory as ``open_webui.env`` finds it, which this process may not have imported."""
    env = sys.modules.get("open_webui.env")
    if env is not None:
        return Path(env.DATA_DIR)
    found = installed_open_webui()
    return Path(os.environ.get("DATA_DIR") or (found[0].parent / "data" if found else "data"))
