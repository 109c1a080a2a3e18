"""Processes of an Open WebUI: what they are started with, and how to wait for them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.support.ports import free_port

START_SECONDS = 180.0
STOP_SECONDS = 180.0

PASSWORD = "a-user's-password"
SECRET_KEY = "a-secret-key-only-for-tests"
SCIM_TOKEN = "a-token-only-for-tests"

LIGHT = Path(__file__).with_name("light")
"""What makes the host's processes faster is there, for Python to find when it starts."""

SOURCE = Path(__file__).parents[2] / "src"
"""This checkout's own code, whichever one the environment has installed."""

APP_ORIGIN = f"http://127.0.0.1:{free_port()}"
"""Where the app of the tests is, if there is one: an instance has to know when it starts."""

ENVIRONMENT = {
    "WEBUI_SECRET_KEY": SECRET_KEY,
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "false",
    "RAG_EMBEDDING_ENGINE": "openai",  # the default one loads a model
    "RAG_OPENAI_API_BASE_URL": "http://127.0.0.1:9",  # nobody is there
    "USER_PERMISSIONS_FOLDERS_ALLOW_SHARING": "true",
    "ENABLE_API_KEYS": "true",
    "ENABLE_CHANNELS": "true",
    "ENABLE_APPS": "true",
    "APP_ALLOWED_PRIVATE_ORIGINS": APP_ORIGIN,
    "ENABLE_SCIM": "true",
    "SCIM_TOKEN": SCIM_TOKEN,
    "SCIM_AUTH_PROVIDER": "oidc",
    "PYTHONPATH": f"{LIGHT}{os.pathsep}{SOURCE}",
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "0",  # the host puts tags through sets
}
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG")


def eventually(condition: Callable[[], Any], what: str, *, seconds: float = 60.0) -> Any:
    """Return what the condition gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {what}"
        time.sleep(0.05)
    return result


def environment(data_dir: Path, extra: dict[str, str]) -> dict[str, str]:
    """Return all the environment of a process: nothing of the test run's own settings gets into it."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, **ENVIRONMENT, "DATA_DIR": str(data_dir), **extra}


def processes_of(data_dir: Path) -> dict[int, str]:
    """Return the processes that work for a data directory: process id -> command line."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("DATA_DIR") == str(data_dir) and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())
    return found
