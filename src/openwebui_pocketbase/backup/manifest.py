"""What an archive says of itself: when it was made, by which versions, and what is in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from openwebui_pocketbase.exceptions import BackupError

__all__ = ["CHECKSUMS", "FORMAT", "MANIFEST", "Manifest", "Part", "name_of", "read_name"]

FORMAT = 1
"""Version of the layout of archives."""

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"

_NAME = re.compile(r"openwebui-(\d{8}-\d{6})(?:-([0-9a-f]{8}))?(?:-\d{1,3})?\.zip")
"""Names of before have no site."""

_STAMP = "%Y%m%d-%H%M%S"


@dataclass
class Part:
    """One part of an archive.

    Attributes:
        files: How many files it has.
        bytes: Their size.
    """

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    Attributes:
        made_at: The moment of which it is, ISO 8601 in UTC.
        package: Version of this package.
        open_webui: Version of Open WebUI.
        revision: Alembic revision of the SQL database.
        database: Kind of the SQL database: ``sqlite`` or ``postgresql``.
        schema_name: PostgreSQL's schema; ``""`` with SQLite.
        schema: Version of PocketBase's schema; None if PocketBase has none of our data.
        pocketbase: Version of PocketBase; ``""`` if there is none.
        waited: For how many seconds writers had to wait, by what they wrote to.
        notes: What whoever restores it has to know.
        parts: Name -> what there is of it.
        checksums: SHA-256 of the list of checksums.
        format: Version of the layout.
        modes: SHA-256 of the files' modes, in the order of that list; ``""`` in archives of before.
        site: Which site it is of; ``""`` in archives of before.
        has_bucket: Whether PocketBase has its files in a bucket, and so not in the archive.
        is_encrypted: Whether PocketBase's settings are encrypted: it does not start without the key.
    """

    made_at: str
    package: str
    open_webui: str
    revision: str
    database: str
    schema_name: str
    schema: int | None
    pocketbase: str
    waited: dict[str, float]
    notes: list[str]
    parts: dict[str, Part]
    checksums: str
    format: int = field(default=FORMAT)
    modes: str = ""
    site: str = ""
    has_bucket: bool = False
    is_encrypted: bool = False

    @property
    def size(self) -> int:
        """Size of everything, unpacked."""
        return sum(part.bytes for part in self.parts.values())

    def dump(self) -> bytes:
        """Return it as it is written."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        return text.encode(errors="backslashreplace")  # JSON writes what is no UTF-8 just so

    @classmethod
    def load(cls, text: bytes) -> Self:
        """Read what `dump` has written.

        Raises:
            BackupError: It is none of ours, or of a later version of this package.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if int(values["format"]) > FORMAT:
                raise BackupError(
                    f"The archive has the layout {values['format']}; this version knows up to {FORMAT}.",
                    hint=f"Install openwebui-pocketbase {values.get('package', '')} or later.",
                )
            parts = {name: Part(**part) for name, part in values.pop("parts").items()}
            return cls(**values, parts=parts)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackupError("The archive's manifest is damaged.", hint="Take another archive.") from None


def name_of(at: datetime, site: str, number: int = 0) -> str:
    """Return the name of an archive: PocketBase takes lower case, digits, ``-`` and ``_`` only."""
    return f"openwebui-{at:{_STAMP}}-{site}{f'-{number}' if number else ''}.zip"


def read_name(name: str) -> tuple[datetime, str] | None:
    """Return when the archive of this name was made, and of which site; None if the name is none of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC), found[2] or ""
    except ValueError:  # no such day
        return None
