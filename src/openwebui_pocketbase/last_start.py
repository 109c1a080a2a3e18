"""A record of the settings that Open WebUI's last start with this package used, in its data directory; no secrets.

Commands may run in another environment than the server. Without this record they would look for its data where their
own settings say.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.config_file import CONFIG_VARIABLE, find_config_file
from openwebui_pocketbase.settings import environment_names, secret_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

__all__ = [
    "JOURNAL",
    "KEY_FILE",
    "LAST_START",
    "RESTORE",
    "RUNNING",
    "LastStart",
    "database_name",
    "is_half_restored",
    "is_moving",
]

KEY_FILE = ".webui_secret_key"
"""The file with ``WEBUI_SECRET_KEY``: where ``open-webui serve`` is started, or in the data directory."""

LAST_START = ".openwebui-pocketbase.json"
"""The file, in the data directory."""

JOURNAL = "openwebui-pocketbase/migrate.json"
"""The journal of ``migrate``, in the data directory."""

RESTORE = "openwebui-pocketbase/restore.json"
"""The journal of ``backup restore``, in the data directory."""

RUNNING = "openwebui-pocketbase/running.lock"
"""A file in the data directory: who runs Open WebUI has it locked, together with others; a restore, alone."""


@dataclass(frozen=True)
class LastStart:
    """One start.

    Attributes:
        groups: Group -> backend, of the groups that were not in the SQL database.
        variables: This package's environment variables; of those that are secrets only the name, with ``""``.
        package_dir: The directory ``open_webui``.
        database: The SQL database; see `database_name`.
        at: When it was, or, if ``leave`` was run since, when that was; seconds since the epoch.
        failure: Why it did not get as far as serving; ``""`` if it did.
        without_at: When Open WebUI has started without these settings since; 0 if it has not.
        has_left: Whether ``leave`` was run since.
        secret_key: The file that ``WEBUI_SECRET_KEY`` was read from; ``""`` if it is in none, None if unknown.
    """

    groups: Mapping[str, str]
    variables: Mapping[str, str]
    package_dir: str
    database: str
    at: int
    failure: str = ""
    without_at: int = 0
    has_left: bool = False
    secret_key: str | None = None

    @classmethod
    def now(
        cls, groups: Mapping[str, str], package_dir: Path, data_dir: Path, database: str, failure: str = ""
    ) -> LastStart:
        """Describe the start of this process; see the attributes."""
        secrets = secret_settings()
        variables = {
            name: "" if keys in secrets else os.environ[name]
            for name, keys in environment_names().items()
            if os.environ.get(name)
        }
        config = find_config_file(data_dir, os.environ)
        if config and config.parent != data_dir:
            variables[CONFIG_VARIABLE] = str(config.absolute())
        at = int(time.time())
        return cls(dict(groups), variables, str(package_dir), database, at, failure, secret_key=_key_file(data_dir))

    @classmethod
    def read(cls, data_dir: Path) -> LastStart | None:
        """Return the last start on a data directory; None if there is none, or it cannot be read."""
        try:
            values = json.loads((data_dir / LAST_START).read_bytes())
            return cls(
                _texts(values["groups"]),
                _texts(values["variables"]),
                str(values["package_dir"]),
                str(values["database"]),
                int(values["at"]),
                str(values["failure"]),
                int(values["without_at"]),
                bool(values["has_left"]),
                values.get("secret_key"),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def left(self) -> LastStart:
        """Return what is known when these data have left this package: no group is in it, and nothing is assumed."""
        return replace(self, groups={}, variables={}, at=int(time.time()), failure="", without_at=0, has_left=True)

    def ignored(self) -> LastStart:
        """Return what is known when Open WebUI starts without these settings now."""
        return replace(self, without_at=int(time.time()))

    def write(self, data_dir: Path) -> None:
        """Keep it, if the data directory can be written to; the workers of one start write the same."""
        temporary = data_dir / f"{LAST_START}.{os.getpid()}"
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
            temporary.replace(data_dir / LAST_START)


def _key_file(data_dir: Path) -> str:
    # Open WebUI's own command looks where it is started, and says nothing of that to anybody else.
    key = os.environ.get("WEBUI_SECRET_KEY", "").strip()
    for path in (Path.cwd() / KEY_FILE, data_dir.absolute() / KEY_FILE):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if key and path.read_text(encoding="utf-8").strip() == key:
                return str(path)
    return ""


def is_moving(data_dir: Path) -> bool:
    """Return whether groups of data have been copied to PocketBase, or back: what is there is known."""
    return os.access(data_dir / JOURNAL, os.F_OK)


def is_half_restored(data_dir: Path) -> bool:
    """Return whether a restore, or its undoing, is going on or was cut off: some data are of then, some of now."""
    try:
        state = json.loads((data_dir / RESTORE).read_bytes())["state"]
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return state in {"switching", "undoing"}


def database_name(url: URL, schema: str, data_dir: Path) -> str:
    """Return what tells the SQL database of one Open WebUI from that of another; no user, no password.

    Args:
        url: Its address.
        schema: Schema of the tables, or ``""``.
        data_dir: Open WebUI's data directory: a file in it has the same name wherever that is.
    """
    kind = url.get_backend_name()
    if kind == "sqlite":
        file, directory = (os.path.realpath(path) for path in (url.database or "", data_dir))
        inside = os.path.commonpath([file, directory]) == directory
        return f"{kind} file {os.path.relpath(file, directory) if inside else file}"
    where = ":".join(str(part) for part in (url.host, url.port) if part)
    return f"{kind} database {url.database} at {where}" + (f", schema {schema}" if schema else "")


def _texts(values: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}
