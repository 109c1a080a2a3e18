"""Whether the host's SQL database has the schema that the installed host needs; imports the host."""

from __future__ import annotations

from pathlib import Path

import open_webui
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from open_webui.env import DATABASE_SCHEMA, VERSION
from open_webui.internal import db

from openwebui_pocketbase.exceptions import CompatibilityError
from openwebui_pocketbase.ours import ours_only

__all__ = ["require_revision"]


def require_revision() -> tuple[str, str]:
    """Return the version of Open WebUI, and the Alembic revision of the database.

    Raises:
        CompatibilityError: It is not the one of the installed Open WebUI: its tables have other columns.
    """
    root = Path(open_webui.__file__).parent
    config = Config()
    config.set_main_option("script_location", str(root / "migrations"))
    wanted = set(ScriptDirectory.from_config(config).get_heads())
    options = {"version_table_schema": DATABASE_SCHEMA} if DATABASE_SCHEMA else {}
    with ours_only(), db.engine.connect() as connection:
        found = set(MigrationContext.configure(connection, opts=options).get_current_heads())
    if found == wanted:
        return str(VERSION), ", ".join(sorted(found))
    named = ", ".join(sorted(found)) or "none"
    raise CompatibilityError(
        f"The SQL database has the revision {named}, but Open WebUI {VERSION}, which is installed, needs"
        f" {', '.join(sorted(wanted))}.",
        hint="Start this Open WebUI once with all data in the SQL database: it brings the database up. Then try again.",
    )
