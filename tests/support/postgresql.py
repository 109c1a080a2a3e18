"""The PostgreSQL server that tests use, and where PostgreSQL and SQLite differ under the host."""

from __future__ import annotations

import atexit
import os
import secrets
from functools import cache

import psycopg

POSTGRESQL_URL = os.environ.get("OWUI_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")

POSTGRESQL_DIFFERENCES = {
    "NUL": "PostgreSQL has no NUL in text; SQLite keeps it, and so does ours",
    "long key": "a PostgreSQL index entry holds 2,704 bytes; SQLite has no limit, and neither has ours",
    "folding": "PostgreSQL's lower() folds Unicode; SQLite's only ASCII, and so does ours",
    "namesakes": "which of several rows PostgreSQL finds first changes with updates; SQLite's and ours is the oldest",
    "ties": "rows of the same time have no order in PostgreSQL",
    "negative": "PostgreSQL refuses a negative LIMIT or OFFSET; to SQLite, and to ours, it is none",
    "JSON scalars": "PostgreSQL reads JSON's true as the text 'true', SQLite as the number 1; so does ours",
    "whole numbers": "PostgreSQL keeps a bare 1.0 in JSON; to SQLite, and to ours, it is 1",
    "foreign keys": "PostgreSQL enforces foreign keys; SQLite does not, and ours has none",
}
"""Where the oracles differ: ours does what SQLite does. Tests skip PostgreSQL for these reasons only."""


@cache
def answers() -> bool:
    """Tell whether there is a server."""
    try:
        psycopg.connect(POSTGRESQL_URL, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def on_server(statement: str) -> None:
    """Run a statement about whole databases."""
    with psycopg.connect(POSTGRESQL_URL, autocommit=True) as connection:
        connection.execute(statement)


def new_database(template: str = "template0") -> str:
    """Create a database, dropped when the tests end, and return its name."""
    name = f"owui_tests_{secrets.token_hex(6)}"
    on_server(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    atexit.register(on_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return name


def url_of(name: str, driver: str = "") -> str:
    """Return the URL of a database.

    Args:
        name: Its name.
        driver: Such as ``+psycopg``, the one driver which the host has for both its synchronous and its
            asynchronous engine.
    """
    base, _, query = POSTGRESQL_URL.replace("postgresql://", f"postgresql{driver}://", 1).partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
