"""Bringing a PocketBase server to the schema this version needs, and telling what does not fit."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import NotFoundError, ResponseError, SchemaError
from openwebui_pocketbase.schema.definitions import (
    CORE_STATEMENTS,
    collection,
    small_collection,
    statements_of,
    version_statement,
)
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION, TABLES, Table
from openwebui_pocketbase.server.versions import SUPPORTED_VERSIONS, is_supported

__all__ = ["SchemaState", "apply_schema", "bring_up", "hook_digests", "inspect"]

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often the schema is applied while other processes do the same."""

EXPORT_HINT = (
    "Write the hooks with `openwebui-pocketbase assets export DIR`, put the contents of DIR/pb_hooks into the "
    "pb_hooks directory beside that server, and restart it."
)


@dataclass(frozen=True)
class SchemaState:
    """What a server has of what this version needs.

    Attributes:
        schema: Version of the server's schema; 0 if there is none, None if unknown (no hooks).
        wanted: Version of the schema this version needs.
        hooks_missing: Hook files the server does not have.
        hooks_different: Hook files the server has in another version.
        pocketbase: Version of PocketBase itself; ``""`` if the server does not tell.
    """

    schema: int | None
    wanted: int
    hooks_missing: tuple[str, ...]
    hooks_different: tuple[str, ...]
    pocketbase: str = ""

    @property
    def needs_our_hooks(self) -> bool:
        """Whether its hooks are others, and our own would fit its data."""
        return bool(self.hooks_missing or self.hooks_different) and (self.schema or 0) <= self.wanted

    def problems(self) -> list[tuple[str, str]]:
        """Return what does not fit, each with its remedy."""
        found = []
        if self.schema is None:
            return [("PocketBase has none of this package's hooks.", EXPORT_HINT)]
        if is_supported(self.pocketbase) is False:
            found.append(
                (
                    f"The server is PocketBase {self.pocketbase}; this package needs {SUPPORTED_VERSIONS}.",
                    f"Run PocketBase {SUPPORTED_VERSIONS}, or a version of this package that was made for yours.",
                )
            )
        if self.schema > self.wanted:
            found.append(
                (
                    f"PocketBase's schema is version {self.schema}; this package knows up to {self.wanted}.",
                    "Upgrade openwebui-pocketbase to the version that wrote this schema, or newer.",
                )
            )
        if self.schema < self.wanted:
            found.append(
                (
                    f"PocketBase's schema is version {self.schema}; version {self.wanted} is needed.",
                    "Run: openwebui-pocketbase schema apply",
                )
            )
        wrong = [*(f"{name} is missing" for name in self.hooks_missing)]
        wrong += [f"{name} is of another version" for name in self.hooks_different]
        if wrong:
            found.append((f"PocketBase's hooks do not fit: {', '.join(wrong)}.", EXPORT_HINT))
        return found


def hook_digests() -> dict[str, str]:
    """Return the SHA-256 of each hook file of this package, by name."""
    files = sorted(path for path in HOOKS_DIR.rglob("*") if path.suffix in (".js", ".json"))
    return {path.relative_to(HOOKS_DIR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def inspect(admin: AdminClient) -> SchemaState:
    """Compare a server with what this version needs."""
    ours = hook_digests()
    try:
        version = admin.version()
    except NotFoundError:
        return SchemaState(None, SCHEMA_VERSION, tuple(ours), ())
    theirs: dict[str, Any] = version["hooks"]
    return SchemaState(
        schema=version["schema"],
        wanted=SCHEMA_VERSION,
        hooks_missing=tuple(name for name in ours if name not in theirs),
        hooks_different=tuple(name for name in ours if name in theirs and theirs[name] != ours[name]),
        pocketbase=version.get("pocketbase", ""),
    )


def apply_schema(admin: AdminClient) -> None:
    """Create what is missing over the admin API; safe to repeat, and for several processes at once."""
    for statement in CORE_STATEMENTS:
        admin.sql(statement)
    existing = admin.collections()
    new = [table for table in TABLES.values() if table.collection not in existing]
    if new:
        admin.import_collections([small_collection(table) or collection(table) for table in new])
    admin.import_collections([_wanted(table, existing=table.collection in existing) for table in TABLES.values()])
    for table in TABLES.values():
        for statement in statements_of(table):
            admin.sql(statement)
    admin.sql(version_statement())


def _wanted(table: Table, *, existing: bool) -> dict[str, Any]:
    """Return a collection's definition; of one that exists without its options, which an administrator may have set."""
    definition = collection(table)
    return {name: definition[name] for name in ("name", "type", "fields", "indexes")} if existing else definition


def bring_up(admin: AdminClient) -> None:
    """Bring a server to the schema this version needs.

    Raises:
        SchemaError: The server's hooks or schema do not fit; says what to do.
    """
    state = inspect(admin)
    for attempt in range(ATTEMPTS):
        if state.schema is None or state.schema >= state.wanted:
            break
        log.info("Bringing PocketBase's schema from version %d to %d", state.schema, state.wanted)
        try:
            apply_schema(admin)
        except ResponseError as error:
            # Another process may be creating the same collections; what counts is the outcome.
            if attempt == ATTEMPTS - 1:
                raise SchemaError(f"PocketBase refused the schema: {error}") from error
            time.sleep(0.2)
        state = inspect(admin)
    problems = state.problems()
    if problems:
        remedies = dict.fromkeys(remedy for _, remedy in problems)
        raise SchemaError(" ".join(what for what, _ in problems), hint=" ".join(remedies))
    if is_supported(state.pocketbase) is None:
        log.warning(
            "PocketBase does not say which version it is (%r); needed is %s", state.pocketbase, SUPPORTED_VERSIONS
        )
