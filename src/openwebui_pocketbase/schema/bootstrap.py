"""Bringing a PocketBase server to the schema this version needs, and telling what does not fit."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any

from openwebui_pocketbase.assets import HOOKS_DIR, left_over
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import NotFoundError, ResponseError, SchemaError
from openwebui_pocketbase.schema.apply import LEASE, apply_schema
from openwebui_pocketbase.schema.description import Schema, wanted_schema
from openwebui_pocketbase.schema.objects import NAMES, fingerprint, names_of
from openwebui_pocketbase.schema.tables import files_of_plugins
from openwebui_pocketbase.server.versions import SUPPORTED_VERSIONS, is_supported

__all__ = ["SchemaState", "bring_up", "hook_digests", "inspect"]

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often the schema is applied if PocketBase refuses it."""

PAUSE = 0.2
"""Seconds between two attempts."""

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
        hooks_left_over: Hook files of earlier versions, which do no harm.
        differs: Whether triggers, full-text tables or collections are not those of this version, whatever version
            the server's schema has; only known where the hooks are ours.
        lacks: Tables, indexes and fields (with their type) that somebody has removed or changed.
    """

    schema: int | None
    wanted: int
    hooks_missing: tuple[str, ...]
    hooks_different: tuple[str, ...]
    pocketbase: str = ""
    hooks_left_over: tuple[str, ...] = ()
    differs: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def is_behind(self) -> bool:
        """Whether the schema is to be applied: it is older, or of this version and yet another one."""
        if self.schema is None or self.schema > self.wanted:
            return False
        return self.schema < self.wanted or self.differs or bool(self.lacks)

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
                    "Run: openwebui-pocketbase schema apply, or start Open WebUI, which does the same.",
                )
            )
        if self.schema == self.wanted and self.differs:
            what = "its triggers, search tables or collections are not those of this package"
            found.append(
                (
                    f"PocketBase's schema is version {self.schema}, but {what}.",
                    "Run: openwebui-pocketbase schema apply, or start Open WebUI, which does the same.",
                )
            )
        if self.schema == self.wanted and self.lacks:
            found.append(
                (
                    f"PocketBase lacks, or has in another type: {', '.join(self.lacks)}.",
                    "Run: openwebui-pocketbase schema apply",
                )
            )
        wrong = [*(f"{name} is missing" for name in self.hooks_missing)]
        wrong += [f"{name} is of another version" for name in self.hooks_different]
        if wrong:
            found.append((f"PocketBase's hooks do not fit: {', '.join(wrong)}.", EXPORT_HINT))
        return found

    def advice(self) -> list[tuple[str, str]]:
        """Return what works, but should be put in order, each with its remedy."""
        if not self.hooks_left_over:
            return []
        detail = (
            "PocketBase's pb_hooks has files of an earlier version of this package, or of a plugin that is not"
            " installed here, which nobody needs."
        )
        return [(detail, f"Remove from it, and restart the server: {', '.join(self.hooks_left_over)}")]


def hook_digests() -> dict[str, str]:
    """Return the SHA-256 of each hook file of this package, and of those that declare tables of plugins, by name."""
    paths = sorted(path for path in HOOKS_DIR.rglob("*") if path.suffix in (".js", ".json"))
    files = {path.relative_to(HOOKS_DIR).as_posix(): path.read_bytes() for path in paths}
    files |= {name: text.encode() for name, text in files_of_plugins().items()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def inspect(admin: AdminClient, schema: Schema | None = None) -> SchemaState:
    """Compare a server with what this version needs, or with another schema."""
    schema = schema or wanted_schema()
    ours = hook_digests()
    try:
        version = admin.version()
    except NotFoundError:
        return SchemaState(None, schema.version, tuple(ours), ())
    theirs: dict[str, Any] = version["hooks"]
    missing = tuple(name for name in ours if name not in theirs)
    different = tuple(name for name in ours if name in theirs and theirs[name] != ours[name])
    is_ours = not (missing or different)
    lacks: list[str] = []
    if is_ours and version["schema"] == schema.version:
        (found,) = admin.sql(NAMES)
        lacks = sorted(names_of(schema) - set(found["names"].split("\n")))
    return SchemaState(
        schema=version["schema"],
        wanted=schema.version,
        hooks_missing=missing,
        hooks_different=different,
        pocketbase=version.get("pocketbase", ""),
        hooks_left_over=left_over(theirs, ours),
        differs=is_ours and version["fingerprint"] != fingerprint(schema),
        lacks=tuple(lacks),
    )


def bring_up(admin: AdminClient, schema: Schema | None = None) -> None:
    """Bring a server to the schema this version needs; waits while another process does so.

    Args:
        admin: The server.
        schema: What it has to have; default: what this version needs, with the tables of plugins.

    Raises:
        SchemaError: The server's hooks or schema do not fit; says what to do.
    """
    schema = schema or wanted_schema()
    state = inspect(admin, schema)
    failures = 0
    until = time.monotonic() + 2 * LEASE
    if state.is_behind:
        log.info("Bringing PocketBase's schema from version %d to %d", state.schema, state.wanted)
    while state.is_behind and time.monotonic() < until:
        try:
            is_done = apply_schema(admin, schema)
        except ResponseError as error:
            failures += 1
            if failures == ATTEMPTS:
                raise SchemaError(f"PocketBase refused the schema: {error}") from error
            is_done = False
        if not is_done:
            time.sleep(PAUSE)
        state = inspect(admin, schema)
        if is_done:
            break
    problems = state.problems()
    if problems:
        remedies = dict.fromkeys(remedy for _, remedy in problems)
        raise SchemaError(" ".join(what for what, _ in problems), hint=" ".join(remedies))
    if is_supported(state.pocketbase) is None:
        log.warning(
            "PocketBase does not say which version it is (%r); needed is %s", state.pocketbase, SUPPORTED_VERSIONS
        )
