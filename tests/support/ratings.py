"""Another plugin's table in this process: the example of `tests/packaging/ratings_plugin`, in two versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, Table, Text, UniqueConstraint

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.hookspecs import WrittenThrough
from openwebui_pocketbase.joining import join
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES, files_of_plugins
from openwebui_pocketbase.server.code import copy_code
from openwebui_pocketbase.settings import GROUPS

__all__ = ["RATINGS", "hooks_with_plugins", "joined", "rating_table", "row_of"]


def rating_table(*further: Column[Any]) -> Table:
    """Return the table, as it was first or with further columns."""
    return Table(
        "rating",
        MetaData(),
        Column("id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("model_id", Text, nullable=False),
        Column("stars", Integer, nullable=False),
        Column("is_public", Boolean, nullable=False, default=False),
        Column("comment", Text),
        Column("meta", JSON),
        Column("created_at", BigInteger, nullable=False),
        *further,
        UniqueConstraint("user_id", "model_id"),
    )


RATINGS = WrittenThrough("ratings", [rating_table()])


def row_of(number: int, **values: Any) -> dict[str, Any]:
    """Return a row."""
    return {
        "id": f"Rating_{number}",
        "user_id": f"u{number}",
        "model_id": "m",
        "stars": number,
        "is_public": False,
        "comment": None,
        "meta": {"b": [1.0, None], "a": "ä"},
        "created_at": 2**60 + number,
        **values,
    }


@contextmanager
def joined(*registered: WrittenThrough) -> Iterator[None]:
    """Have these tables joined for the duration."""
    before: Iterable[tuple[dict[str, Any], Mapping[str, Any]]] = [(TABLES, dict(TABLES)), (CATALOG, dict(CATALOG))]
    groups = list(GROUPS)
    try:
        join(registered)
        yield
    finally:
        for names, known in before:
            names.clear()
            names.update(known)
        GROUPS[:] = groups
        codec_of.cache_clear()


def hooks_with_plugins(directory: Path) -> Path:
    """Return a copy of the hooks with what declares the joined tables."""
    copy_code(HOOKS_DIR, directory, files_of_plugins())
    return directory
