"""For commands that use Open WebUI's own storage code: that code in this process, extended as its server would be."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from openwebui_pocketbase import _autostart
from openwebui_pocketbase.cli.site import Site, find_open_webui, is_distribution
from openwebui_pocketbase.exceptions import CompatibilityError, ConfigurationError
from openwebui_pocketbase.last_start import database_name

__all__ = ["load_host"]


def load_host(site: Site) -> None:
    """Make ``open_webui`` importable, with the repositories that the site's settings ask for.

    Nothing of the host's database is changed: no migration runs. The repositories connect when they are first used; a
    server that has no data yet is not made.

    Raises:
        CompatibilityError: Open WebUI is not installed.
        ConfigurationError: The environment names another SQL database than Open WebUI's last start had.
    """
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
    _autostart.install()
    database = database_name(import_module("open_webui.internal.db").engine.url)
    if site.last_start and site.last_start.database != database:
        raise ConfigurationError(
            f"Open WebUI last ran on {site.last_start.database}, but this command would use {database}.",
            hint="Give it the variables of Open WebUI that name its SQL database, such as DATABASE_URL.",
        )
