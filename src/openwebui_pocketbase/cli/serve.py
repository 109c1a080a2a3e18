"""``serve``: Open WebUI's own server, with its data in PocketBase."""

from __future__ import annotations

import base64
import errno
import importlib
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from openwebui_pocketbase import _autostart
from openwebui_pocketbase.cli.init import init
from openwebui_pocketbase.cli.site import SERVE_DATA_DIR, ConfigOption, is_distribution, named_data_dir
from openwebui_pocketbase.config_file import CONFIG_FILE, CONFIG_VARIABLE, find_config_file
from openwebui_pocketbase.exceptions import CompatibilityError, ConfigurationError
from openwebui_pocketbase.host.contract import installed_open_webui
from openwebui_pocketbase.last_start import KEY_FILE
from openwebui_pocketbase.settings import DISABLE_VARIABLE, load_settings

__all__ = ["serve"]

KEY_BYTES = "24"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            show_default=False,
            help="Directory of all data, made if need be; default: $DATA_DIR, else ./data.",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run Open WebUI on PocketBase.

    Without a config file and without STORAGE_BACKEND, a config file is written into the data directory that moves
    every group of data to PocketBase.
    """
    _require_open_webui()
    _require_start_up()
    _require_free_port(host, port)
    directory = (named_data_dir(data_dir) or SERVE_DATA_DIR).expanduser().absolute()
    _prepare_environment(directory, config)
    # Open WebUI imports for many seconds before it gets to the settings: errors in them come first.
    settings = load_settings(directory)
    if not settings.wants_other_backend():
        typer.echo("openwebui-pocketbase: the settings leave all data in Open WebUI's SQL database.", err=True)
    if not os.environ.get("WEBUI_SECRET_KEY"):
        os.environ["WEBUI_SECRET_KEY"] = _secret_key(directory)
    if port:  # else the system chooses one
        typer.echo(f"Open WebUI: http://{f'[{host}]' if ':' in host else host}:{port}")
    importlib.import_module("open_webui").serve(host=host, port=port)


def _require_open_webui() -> None:
    if installed_open_webui() is None:
        raise CompatibilityError(
            "Open WebUI is not installed.", hint="Run: pip install 'openwebui-pocketbase[open-webui]'"
        )
    if not is_distribution():
        raise CompatibilityError(
            "This Open WebUI runs from its source tree and has a start script of its own.",
            hint="Set STORAGE_BACKEND=pocketbase and start it as usual: its data then goes to PocketBase, too.",
        )


def _require_start_up() -> None:
    if os.environ.get(DISABLE_VARIABLE) == "1":
        raise ConfigurationError(
            f"{DISABLE_VARIABLE}=1 switches this package off.", hint="Unset it, or run: open-webui serve"
        )
    if any(isinstance(finder, _autostart.ModuleWatcher) for finder in sys.meta_path):
        return
    if os.environ.get("UVICORN_WORKERS", "1") not in ("", "0", "1"):
        # They are Python programs of their own, which nothing would lead to PocketBase.
        raise ConfigurationError(
            "The start-up file of this package has not run, and UVICORN_WORKERS asks for several processes.",
            hint="Install this package with pip into this environment again, or unset UVICORN_WORKERS.",
        )
    _autostart.install()


def _require_free_port(host: str, port: int) -> None:
    """Refuse a port that is taken: the server itself would notice only after Open WebUI is loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:  # any other is the server's to tell
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(f"Port {port} on {host} is in use.", hint="Choose another with --port.") from None


def _prepare_environment(directory: Path, config: Path | None) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The data directory {directory} cannot be made: {error.strerror}.") from None
    # Variables and not arguments: the worker processes have to find the same.
    os.environ["DATA_DIR"] = str(directory)
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config.expanduser().absolute())
    if not os.environ.get("STORAGE_BACKEND") and find_config_file(directory, os.environ) is None:
        # A file and not a variable: every later start on these data, also the host's own, has to find the same.
        init(directory / CONFIG_FILE)


def _secret_key(directory: Path) -> str:
    """Return the key that signs the sessions, kept with the data.

    ``open-webui serve`` keeps it in the working directory: that one is taken over, so that the sessions
    survive, and with them the tokens encrypted by it.
    """
    path = directory / KEY_FILE
    try:
        key = _read(path)
        if not key:
            key = _read(Path(KEY_FILE)) or _new_key()
            _write_privately(path, key)
    except OSError as error:
        raise ConfigurationError(
            f"The secret key cannot be kept in {path}: {error.strerror}.",
            hint="Correct the permissions, or set WEBUI_SECRET_KEY.",
        ) from None
    return key


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _new_key() -> str:
    length = os.environ.get("WEBUI_SECRET_KEY_LENGTH") or KEY_BYTES
    if not length.isdecimal() or int(length) == 0:
        raise ConfigurationError("WEBUI_SECRET_KEY_LENGTH must be a positive integer.")
    return base64.b64encode(secrets.token_bytes(int(length))).decode()


def _write_privately(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        os.fchmod(fd, 0o600)
        file.write(text)
