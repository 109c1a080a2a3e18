"""Whether an archive fits what is installed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from openwebui_pocketbase.backup.manifest import Manifest
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION

__all__ = ["changes", "misfits"]

_REVISION = re.compile(r"^(down_)?revision\b[^=\n]*=\s*(.+)$", re.MULTILINE)


def misfits(manifest: Manifest, places: Places, pocketbase: str) -> list[str]:
    """Return why an archive cannot be restored here; nothing if it can.

    Args:
        manifest: What the archive says of itself.
        places: Where it would go.
        pocketbase: Version of PocketBase here; ``""`` if unknown.
    """
    return list(_misfits(manifest, places, pocketbase))


def changes(manifest: Manifest, places: Places) -> list[str]:
    """Return what the next start is going to bring to the versions here, as an upgrade does."""
    found = []
    if manifest.revision not in _heads(places.package_dir):
        found.append(f"Open WebUI brings its SQL database from {manifest.revision} up to {places.open_webui}.")
    if manifest.schema is not None and manifest.schema < SCHEMA_VERSION:
        found.append(f"PocketBase's schema is brought from version {manifest.schema} to {SCHEMA_VERSION}.")
    return found


def _misfits(manifest: Manifest, places: Places, pocketbase: str) -> Iterator[str]:
    here = places.database
    if manifest.database != here.kind:
        yield f"it has a database of {manifest.database}, and Open WebUI here uses {here.kind} (DATABASE_URL)"
    elif manifest.schema_name != here.schema:
        yield f"its tables are in the schema {manifest.schema_name}, and here it is {here.schema} (DATABASE_SCHEMA)"
    known = {revision for names in _revisions(places.package_dir) for revision in names}
    if not set(manifest.revision.split(", ")) <= known:
        yield (
            f"its SQL database is of Open WebUI {manifest.open_webui} (revision {manifest.revision}), which"
            f" {places.open_webui}, installed here, does not know"
        )
    if manifest.schema is None:
        return
    if manifest.schema > SCHEMA_VERSION:
        yield f"PocketBase's schema in it is version {manifest.schema}, and this package knows up to {SCHEMA_VERSION}"
    if manifest.is_encrypted and places.pocketbase is not None:
        yield "PocketBase's settings in it are encrypted, and the PocketBase that Open WebUI starts here has no key"
    if pocketbase and _number(manifest.pocketbase) > _number(pocketbase):
        yield f"it is of PocketBase {manifest.pocketbase}, and {pocketbase} is here"


def _number(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def _revisions(package_dir: Path) -> Iterator[tuple[str, ...]]:
    """Give each revision that this Open WebUI knows, and those before it, without importing it."""
    for path in sorted((package_dir / "migrations" / "versions").glob("*.py")):
        own, before = "", ""
        for down, value in _REVISION.findall(path.read_text(encoding="utf-8")):
            if down:
                before = value
            else:
                own = value
        yield (*_names(own), *_names(before))


def _heads(package_dir: Path) -> set[str]:
    every = list(_revisions(package_dir))
    return {each[0] for each in every if each} - {name for each in every for name in each[1:]}


def _names(value: str) -> list[str]:
    return re.findall(r"['\"](\w+)['\"]", value)
