"""Loading Open WebUI's own storage code, extended as in its server, into the process of a command."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from openwebui_pocketbase import _autostart
from openwebui_pocketbase.cli.site import Site, find_open_webui, is_distribution
from openwebui_pocketbase.exceptions import CompatibilityError, ConfigurationError
from openwebui_pocketbase.last_start import database_name

__all__ = ["load_database", "load_host", "require_database"]


def load_host(site: Site) -> None:
    """Make ``open_webui`` importable, with the repositories that the site's settings ask for.

    Nothing of the host's database is changed: no migration runs. The repositories connect when they are first used; a
    server that has no data yet is not made.

    Raises:
        CompatibilityError: Open WebUI is not installed.
        ConfigurationError: There is no such data directory or SQL database, or Open WebUI's last start had another one.
    """
    _make_importable(site.existing())
    _autostart.install()
    require_database(site, import_module("open_webui.internal.db"))


def load_database(site: Site) -> ModuleType:
    """Return the host's module that knows its SQL database, which need not be there; nothing of the host is extended.

    Raises:
        CompatibilityError: Open WebUI is not installed, or not what it needs for this database.
    """
    _make_importable(site)
    _autostart.uninstall()
    try:
        return import_module("open_webui.internal.db")
    except ModuleNotFoundError as error:
        raise CompatibilityError(
            f"Open WebUI's code for its SQL database cannot be loaded: {error}.",
            hint="Install what DATABASE_URL needs where this command runs; for PostgreSQL: pip install psycopg2-binary",
        ) from None


def _make_importable(site: Site) -> None:
    found = find_open_webui(site.last_start)
    if found is None:
        raise CompatibilityError(
            "Open WebUI is not installed.", hint="Run: pip install 'openwebui-pocketbase[open-webui]'"
        )
    package_dir, _ = found
    if not is_distribution() and str(package_dir.parent) not in sys.path:
        sys.path.insert(0, str(package_dir.parent))  # a container that runs from the source tree
    os.environ.update(site.environ)
    os.environ["DATA_DIR"] = str(site.data_dir)
    os.environ["ENABLE_DB_MIGRATIONS"] = "false"
    if is_distribution():
        os.environ["FROM_INIT_PY"] = "true"  # without it the host looks for a source tree
    # The host refuses to start without a key; nothing that these commands do signs anything.
    os.environ.setdefault("WEBUI_SECRET_KEY", "not-used-by-this-command")


def require_database(site: Site, database: ModuleType) -> None:
    """Refuse another SQL database than the site's, and one that is not there: connecting would make an empty one.

    Raises:
        ConfigurationError: It is one of these.
    """
    url = database.engine.url
    name = database_name(url, database.DATABASE_SCHEMA or "", site.data_dir)
    if site.last_start and site.last_start.database != name:
        raise ConfigurationError(
            f"Open WebUI last ran on {site.last_start.database}, but this command would use {name}.",
            hint="Run it with Open WebUI's environment variables that name its SQL database, such as DATABASE_URL.",
        )
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ConfigurationError(
            f"There is no Open WebUI database {url.database}.",
            hint="Name Open WebUI's data directory with --data-dir, or set DATABASE_URL as Open WebUI has it.",
        )
