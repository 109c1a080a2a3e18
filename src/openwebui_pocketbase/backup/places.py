"""Where the parts of a backup are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.config_file import CONFIG_FILE
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import JOURNAL, KEY_FILE, LAST_START

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["Database", "Places", "database_of"]


@dataclass(frozen=True)
class Database:
    """The host's SQL database.

    Attributes:
        kind: ``sqlite`` or ``postgresql``.
        url: Its address.
        schema: PostgreSQL's schema; ``""`` with SQLite.
    """

    kind: str
    url: URL
    schema: str

    @property
    def path(self) -> Path:
        """The file of SQLite."""
        return Path(self.url.database or "").absolute()


@dataclass(frozen=True)
class Places:
    """Where the parts of one site are.

    Attributes:
        data_dir: Open WebUI's data directory.
        pocketbase: Directory of the embedded PocketBase's data; None if PocketBase is not ours.
        database: The SQL database.
        name: What tells this database from others; see `last_start.database_name`.
        package_dir: The directory ``open_webui``.
        open_webui: Version of Open WebUI.
        config: The config file in force, wherever it is.
        secret_key: The file with ``WEBUI_SECRET_KEY``, wherever that is.
    """

    data_dir: Path
    pocketbase: Path | None
    database: Database
    name: str
    package_dir: Path
    open_webui: str
    config: Path | None = None
    secret_key: Path | None = None

    @property
    def private(self) -> Path:
        """Our own directory in the data directory."""
        return self.data_dir / "openwebui-pocketbase"

    @property
    def vector_db(self) -> Path:
        """The vector store's folder, if it is one on this disk."""
        return self.data_dir / "vector_db"

    @property
    def has_pocketbase(self) -> bool:
        """Whether there is an embedded PocketBase with data."""
        return self.pocketbase is not None and (self.pocketbase / "data.db").is_file()

    def sources(self) -> Iterator[tuple[str, Path]]:
        """Give the small files that there are, and their names in an archive."""
        found = {"config/openwebui-pocketbase.toml": self.config, "config/webui_secret_key": self.secret_key}
        for member, place in self.files():
            path = found.get(member) or place
            if path.is_file():
                yield member, path

    def files(self) -> Iterator[tuple[str, Path]]:
        """Give the names of small files in an archive, and where they go; databases apart."""
        yield f"config/{CONFIG_FILE}", self.data_dir / CONFIG_FILE
        yield "config/last-start.json", self.data_dir / LAST_START
        yield "config/migrate.json", self.data_dir / JOURNAL
        yield "config/webui_secret_key", self.data_dir / KEY_FILE

    def trees(self) -> Iterator[tuple[str, Path]]:
        """Give the directories whose files are written once, and where they are."""
        if self.pocketbase is not None:
            yield "pocketbase/storage", self.pocketbase / "storage"
        yield "uploads", self.data_dir / "uploads"

    def place_of(self, member: str) -> Path | None:
        """Return the file or directory of a part of an archive; None if it has no place of its own on this disk."""
        places = {**dict(self.trees()), **dict(self.files()), "vector_db": self.vector_db}
        if self.pocketbase is not None:
            places["pocketbase/data.db"] = self.pocketbase / "data.db"
        if self.database.kind == "sqlite":
            places["database/webui.db"] = self.database.path
        return places.get(member)


def database_of(url: URL, schema: str) -> Database:
    """Return the SQL database of an address.

    Raises:
        BackupError: It is of a kind that cannot be backed up.
    """
    kind = url.get_backend_name()
    if kind == "sqlite" and url.get_driver_name() in {"", "pysqlite", "aiosqlite"}:
        return Database("sqlite", url, "")
    if kind == "postgresql":
        return Database("postgresql", url, schema or "public")
    raise BackupError(
        f"The SQL database is {url.drivername}; backups know SQLite and PostgreSQL.",
        hint="Back it up with its own programs.",
    )
