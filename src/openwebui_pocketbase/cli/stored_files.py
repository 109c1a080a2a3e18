"""What the commands about files work on: the rows of files, and the places where this site keeps contents."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.schema import connected
from openwebui_pocketbase.cli.site import Site
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.hookspecs import STOCK
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND, plugin
from openwebui_pocketbase.server.locks import FileLock
from openwebui_pocketbase.storage.buckets import S3Place, SourceBucket, azure, gcs
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.storage.places import LocalPlace, Place, PocketBasePlace
from openwebui_pocketbase.storage.rows import PocketBaseRows, Rows, SqlRows

__all__ = ["StoredFiles", "stored_files"]

LOCK = ".owui-files.lock"


class StoredFiles:
    """The files of one site.

    Args:
        rows: Their rows.
        contents: The place in PocketBase; None if the rows are not there.
        directory: A directory for contents on their way; it is made when it is needed.

    Attributes:
        rows: Their rows.
        directory: That directory.
    """

    def __init__(self, rows: Rows, contents: PocketBasePlace | None, directory: Path) -> None:
        self.rows = rows
        self.directory = directory
        self._contents = contents
        self._config = import_module("open_webui.config")

    def places(self, names: Collection[str]) -> dict[str, Place]:
        """Return those of the places that this site has, by name."""
        found = {name: self._place(name) for name in names}
        return {name: place for name, place in found.items() if place is not None}

    def required(self, name: str) -> None:
        """Raise an error if this site has no place of this name.

        Raises:
            ConfigurationError: It has not; says what to do.
        """
        if self._place(name) is not None:
            return
        if name == "pocketbase":
            raise ConfigurationError(
                "The settings keep the group files in the SQL database, so contents cannot be in PocketBase.",
                hint='Set [groups] files = "pocketbase" (or STORAGE_BACKEND=pocketbase), and start Open WebUI once.',
            )
        raise ConfigurationError(
            f"There is no bucket for {name}.",
            hint="Run it with Open WebUI's S3_ variables, S3_BUCKET_NAME first.",
        )

    def delete(self, ids: Collection[str]) -> int:
        """Delete rows, by the host's own repository; return how many it deleted."""
        repository = import_module("open_webui.models.files").Files
        engine = import_module("open_webui.internal.db").async_engine

        async def delete_all() -> int:
            try:
                return sum([await repository.delete_file_by_id(each) for each in ids])
            finally:
                await plugin.openwebui_shutdown()
                await engine.dispose()

        return asyncio.run(delete_all())

    def _place(self, name: str) -> Place | None:
        config = self._config
        if name == "pocketbase":
            return self._contents
        if name == "local":
            return LocalPlace(Path(config.UPLOAD_DIR))
        provider = import_module("open_webui.storage.provider")
        if name == "s3" and config.S3_BUCKET_NAME:
            return S3Place(provider.S3StorageProvider(), tags=config.S3_ENABLE_TAGGING)
        return _source(name, config, provider)


def _source(name: str, config: ModuleType, provider: ModuleType) -> SourceBucket | None:
    if name == "gcs" and config.GCS_BUCKET_NAME:
        return gcs(provider.GCSStorageProvider(), provider.NotFound)
    if name == "azure" and config.AZURE_STORAGE_ENDPOINT:
        return azure(provider.AzureStorageProvider(), provider.ResourceNotFoundError)
    return None


@contextmanager
def stored_files(site: Site) -> Iterator[StoredFiles]:
    """Open a site's files; one command at a time.

    An embedded server is started for the duration if the rows are in it.

    Raises:
        ConfigurationError: Another such command is running, or files are in a backend that is not ours.
    """
    site.existing()
    settings = site.settings()
    backend = Registry(create_plugin_manager(settings), settings, site.data_dir).replaced.get("files", STOCK)
    if backend not in (STOCK, BACKEND):
        raise ConfigurationError(f"Files are in the backend {backend}, which this command does not know.")
    with ExitStack() as stack:
        if (lock := FileLock.take(site.data_dir / LOCK)) is None:
            raise ConfigurationError("Another command about files is running.", hint="Wait for its end.")
        stack.enter_context(lock)
        load_host(site)
        # The host logs to the standard output, which is for what was asked.
        logging.basicConfig(stream=sys.stderr, level=logging.ERROR, force=True)
        stack.callback(plugin.close)
        # Not in the host's own cache: Open WebUI serves that to everybody who has signed in.
        directory = site.data_dir / "openwebui-pocketbase" / "moving"
        database = import_module("open_webui.internal.db")
        in_sql = SqlRows(database.engine, import_module("open_webui.models.files").File.__table__)
        if backend == STOCK:
            yield StoredFiles(in_sql, None, directory)
            return
        connection, authenticator = stack.enter_context(connected(site))
        rows = PocketBaseRows(stack.enter_context(connection.admin(authenticator)))
        _refuse_strangers(rows, in_sql)
        contents = Contents(lambda: connection, retry=settings.pocketbase.timeouts.retry)
        yield StoredFiles(rows, PocketBasePlace(contents, rows), directory)


def _refuse_strangers(rows: Rows, in_sql: Rows) -> None:
    """Stop if the SQL database has files of its own: their contents would be taken for nobody's.

    Raises:
        ConfigurationError: It has.
    """
    known = {row.id for row in rows}
    strangers = sum(row.id not in known and rows.get(row.id) is None for row in in_sql)
    if strangers:
        raise ConfigurationError(
            f"Files in the SQL table file that PocketBase does not have: {strangers:,}.",
            hint='Leave them where they are with [groups] files = "sqlalchemy", or see '
            "`openwebui-pocketbase mirror status`.",
        )
