"""The trip-wire and the guard, on the host's database; imports the host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, Literal

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from open_webui.env import DATABASE_SCHEMA
from open_webui.internal import db
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from openwebui_pocketbase.changes.sql import alter
from openwebui_pocketbase.changes.state import create_state
from openwebui_pocketbase.changes.watch import unwatch
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.triggers import Change, Refusing, guarded_tables, install, remove
from openwebui_pocketbase.guard.tripwire import TripWire
from openwebui_pocketbase.ours import ours_only
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["arm", "give_back", "guarded", "install_guard", "lift_for_migrations", "remove_guard"]

log = logging.getLogger(__name__)

SCHEMA: str | None = DATABASE_SCHEMA or None


def arm(groups: Collection[str], mode: Literal["error", "warn"]) -> Callable[[], None]:
    """Have other code's statements on the tables of groups in PocketBase fail; return a function that ends it."""
    tables = {name: table for name, table in moved_tables(groups).items() if not table.through}
    if not tables:
        return lambda: None
    return TripWire(tables, (db.engine, db.async_engine.sync_engine), schema=SCHEMA, mode=mode).arm()


async def install_guard(groups: Collection[str], *, is_moved: bool = False) -> None:
    """Have the database refuse changes of the tables of groups in PocketBase, and of no others.

    What keeps it from doing so is logged: everything works without the guard.

    Args:
        groups: The groups in PocketBase.
        is_moved: Whether the rows of others were copied back to the database.
    """
    refusing = [Refusing(table.name, table.refusal, table.through) for table in moved_tables(groups).values()]
    try:
        with ours_only():
            if refusing:
                await create_state()
            change = await alter(lambda connection: connection.run_sync(install, refusing, schema=SCHEMA))
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).strip()
        log.warning(
            "The SQL database takes changes of tables whose rows are in PocketBase: the guard could not be installed"
            " (%s). Whoever runs Open WebUI needs the right to create triggers; see docs/operations.md, The guard.",
            why,
        )
        return
    _tell(change, is_moved=is_moved)


def guarded() -> list[str]:
    """Return the tables that refuse changes."""
    with ours_only(), db.engine.begin() as connection:
        return guarded_tables(connection, schema=SCHEMA)


def remove_guard() -> list[str]:
    """Let all tables take changes again; return those which did not."""
    with ours_only(), db.engine.begin() as connection:
        return list(remove(connection, schema=SCHEMA).lifted)


async def give_back(groups: Collection[str], left: Collection[str]) -> None:
    """Have the database take changes of groups that have come back to it, and note no longer who made them.

    Args:
        groups: Those groups.
        left: The groups that are still in PocketBase.
    """
    await install_guard(left, is_moved=True)
    names = [name for name, table in TABLES.items() if table.mirrored and table.group in groups]
    await alter(lambda connection: connection.run_sync(unwatch, names))


def lift_for_migrations() -> Callable[[], None]:
    """Have the host's migrations change guarded tables; return a function that undoes it.

    The guard is lifted only if there is something to migrate. It comes back when the application starts.
    """
    stock = command.upgrade

    def upgrade(config: Any, *args: Any, **kwargs: Any) -> Any:
        with ours_only():
            if _has_migrations(config):
                tables = remove_guard()
                log.info("The guard of %s is lifted for Open WebUI's migrations.", ", ".join(tables))
            return stock(config, *args, **kwargs)

    command.upgrade = upgrade

    def undo() -> None:
        command.upgrade = stock

    return undo


def _has_migrations(config: Any) -> bool:
    """Tell whether a guarded database is older than the host's code."""
    with db.engine.connect() as connection:
        if not guarded_tables(connection, schema=SCHEMA):
            return False
        return _heads(connection) != set(ScriptDirectory.from_config(config).get_heads())


def _heads(connection: Connection) -> set[str]:
    options = {"version_table_schema": SCHEMA} if SCHEMA else {}
    return set(MigrationContext.configure(connection, opts=options).get_current_heads())


def _tell(change: Change, *, is_moved: bool) -> None:
    if change.guarded:
        log.info("The SQL database refuses changes of %s from now on.", ", ".join(change.guarded))
    if change.lifted:
        log.info("The SQL database takes changes of %s again.", ", ".join(change.lifted))
    if "auth" in change.lifted and not is_moved:
        log.warning(
            "Passwords and API keys are still in PocketBase only: nobody can sign in. To copy them, stop Open WebUI and"
            " run openwebui-pocketbase leave, once, with the settings that keep users in PocketBase."
        )
