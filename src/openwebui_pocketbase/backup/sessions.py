"""Finding sessions that use PostgreSQL's tables when none should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.psql import ask
from openwebui_pocketbase.exceptions import UnchangedError

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Database

__all__ = ["PATIENCE", "in_use"]

PATIENCE = 10
"""Seconds for which locks are waited for."""

_SESSIONS = """
SELECT DISTINCT concat('pid ', a.pid, ' (', concat_ws(', ', coalesce(a.usename, a.backend_type),
    nullif(a.application_name, ''), a.state || ' for ' || date_trunc('second', clock_timestamp() - a.state_change)),
  ')')
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_database b ON b.oid = l.database AND b.datname = current_database() JOIN pg_stat_activity a ON a.pid = l.pid
WHERE n.nspname = current_setting('owui.schema') AND l.granted AND l.pid <> pg_backend_pid();
"""
"""What others do is told to their own user and to superusers only; who they are, to everybody."""


def in_use(database: Database) -> UnchangedError:
    """Return the error that names the sessions which have locks on the tables."""
    found = [printable(line) for line in ask(database, _SESSIONS).splitlines()]
    return UnchangedError(
        f"Others use Open WebUI's tables, and have not let go of them in {PATIENCE} seconds:"
        f" {', '.join(found) or 'nobody any more, or a prepared transaction (pg_prepared_xacts)'}.",
        hint="End these sessions (SELECT pg_terminate_backend(PID);), and run this again. The database is as it was.",
    )
