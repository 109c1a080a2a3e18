"""Files in PocketBase, without their contents; the hooks are in ``owui/files.js``.

What was extracted of a file, ``data["content"]``, can be megabytes. It is kept apart: each row comes with it, as from
the stock class, unless whoever asks never looks at it and says so; see `PocketBaseFiles.seen`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from open_webui.internal.db import get_async_db_context
from open_webui.models.files import (
    FileForm,
    FileListResponse,
    FileMetadataResponse,
    FileModel,
    FileModelResponse,
    FilesTable,
    FileUpdateForm,
)
from open_webui.utils.misc import sanitize_metadata
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.files import text_apart
from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of, list_of
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["PocketBaseFiles", "stored_record"]

log = logging.getLogger(__name__)


_SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_LOWER = {letter: letter.lower() for letter in map(chr, range(128, 0x1F000)) if letter.lower() != letter}
_LOWER["\N{GREEK SMALL LETTER FINAL SIGMA}"] = _SIGMA
"""Capital letters outside of ASCII -> their lower case. Sigma at the end of a word is one like any other."""


def stored_record(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the host's table as the fields of its record, without those of the contents."""
    data, text = text_apart(file["data"])
    return codec_of("file").record({**file, "data": data}) | {"text": text}


class PocketBaseFiles(PocketBaseRepository, FilesTable):
    """`open_webui.models.files.FilesTable` with its rows in PocketBase.

    Attributes:
        reads_text: Whether what is read comes with its text; ``data["content"]`` is empty otherwise.
        returns_text: The same of what a write returns.
    """

    route = "files"
    table = "file"
    model = FileModel
    reads_text: bool = True
    returns_text: bool = True

    async def insert_new_file(
        self, user_id: str, form_data: FileForm, db: AsyncSession | None = None
    ) -> FileModel | None:
        """Create a file, of contents that are in PocketBase already or elsewhere; None if there is one with its id."""
        values = form_data.model_dump()
        if values.get("meta"):
            values["meta"] = sanitize_metadata(values["meta"])
        now = int(time.time())
        file = FileModel(**{**values, "user_id": user_id, "created_at": now, "updated_at": now})
        return await self._insert(file.model_dump())

    @default_on_error(lambda: None, log.exception, "Error inserting a new file")
    async def _insert(self, file: dict[str, Any]) -> FileModel:
        record = stored_record(file)
        answer = await self._write("insert_new_file", id=file["id"], files=[record], with_text=self.returns_text)
        return self._model_of(answer)

    async def get_file_by_id(self, id: str, db: AsyncSession | None = None) -> FileModel | None:
        """Return the file with this id, or None."""
        return await self._get(id, with_text=self.reads_text)

    @default_on_error(lambda: None)
    async def _get(self, id: str, *, with_text: bool) -> FileModel | None:
        file: FileModel | None = await self._one("get_file_by_id", id=id, with_text=with_text)
        return file

    @default_on_error(lambda: None)
    async def get_file_by_id_and_user_id(
        self, id: str, user_id: str, db: AsyncSession | None = None
    ) -> FileModel | None:
        """Return the user's file with this id, or None."""
        return await self._one("get_file_by_id_and_user_id", id=id, user_id=user_id, with_text=self.reads_text)

    @default_on_error(lambda: None)
    async def get_file_metadata_by_id(self, id: str, db: AsyncSession | None = None) -> FileMetadataResponse | None:
        """Return what the file with this id is, without its data, or None."""
        row = await self._read("get_file_metadata_by_id", id=id)
        return FileMetadataResponse.model_validate(self._decoded(row)) if row else None

    async def get_files(self, db: AsyncSession | None = None) -> list[FileModel]:
        """Return all files, oldest first."""
        return await self._many("get_files", with_text=self.reads_text)

    async def count_files_by_user_id(self, user_id: str | None = None, db: AsyncSession | None = None) -> int:
        """Return the number of a user's files, or of all."""
        number: int = await self._read("count_files_by_user_id", user_id=user_id)
        return number

    async def check_access_by_user_id(
        self, id: str, user_id: str, permission: str = "write", db: AsyncSession | None = None
    ) -> bool:
        """Return whether the file is the user's."""
        file = await self._get(id, with_text=False)
        return file is not None and file.user_id == user_id

    async def get_files_by_ids(self, ids: list[str], db: AsyncSession | None = None) -> list[FileModel]:
        """Return those files, latest change first."""
        return await self._many("get_files_by_ids", ids=ids, with_text=self.reads_text)

    async def get_file_metadatas_by_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> list[FileMetadataResponse]:
        """Return what those files are, without their data, latest change first."""
        rows = await self._read("get_file_metadatas_by_ids", ids=ids)
        return list_of(FileMetadataResponse).validate_python([self._decoded(row) for row in rows])

    async def get_files_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[FileModel]:
        """Return the user's files, oldest first."""
        return await self._many("get_files_by_user_id", user_id=user_id, with_text=self.reads_text)

    async def get_file_list(
        self, user_id: str | None = None, skip: int = 0, limit: int = 50, db: AsyncSession | None = None
    ) -> FileListResponse:
        """Return a page of a user's files, or of all, latest change first, and how many there are."""
        found = await self._read("get_file_list", user_id=user_id, skip=skip, limit=limit, with_text=self.reads_text)
        return FileListResponse(items=self._responses(found["rows"]), total=found["total"])

    async def search_files(
        self,
        user_id: str | None = None,
        filename: str = "*",
        skip: int = 0,
        limit: int = 100,
        db: AsyncSession | None = None,
    ) -> list[FileModel]:
        """Return a page of a user's files, or of all, whose name is like a glob pattern in any case, newest first."""
        pattern = self._glob_to_like_pattern(filename)
        return await self._many(
            "search_files",
            user_id=user_id,
            pattern=None if pattern == "%" else pattern.lower(),
            skip=skip,
            limit=limit,
            with_text=self.reads_text,
        )

    @default_on_error(lambda: None, log.exception, "Error updating file completely by id")
    async def update_file_by_id(
        self, id: str, form_data: FileUpdateForm, db: AsyncSession | None = None
    ) -> FileModel | None:
        """Set the hash, merge data and meta, as far as they are given; None if there is no such file."""
        columns = {"hash": form_data.hash} if form_data.hash is not None else {}
        return await self._update(id, columns, data=form_data.data, meta=form_data.meta)

    @default_on_error(lambda: None)
    async def update_file_hash_by_id(
        self, id: str, hash: str | None, db: AsyncSession | None = None
    ) -> FileModel | None:
        """Set the hash; None if there is no such file."""
        return await self._update(id, {"hash": hash})

    @default_on_error(lambda: None)
    async def update_file_data_by_id(
        self, id: str, data: dict[str, Any], db: AsyncSession | None = None
    ) -> FileModel | None:
        """Merge into the data; None if there is no such file."""
        return await self._update(id, {}, data={**data})

    @default_on_error(lambda: None)
    async def update_file_metadata_by_id(
        self, id: str, meta: dict[str, Any], db: AsyncSession | None = None
    ) -> FileModel | None:
        """Merge into meta; None if there is no such file."""
        return await self._update(id, {}, meta={**meta})

    @default_on_error(lambda: None)
    async def update_file_name_by_id(self, id: str, name: str, db: AsyncSession | None = None) -> FileModel | None:
        """Rename the file, also in its meta; None if there is no such file."""
        return await self._update(id, {"filename": name}, meta={"name": name})

    async def get_pending_files_for_knowledge(
        self, knowledge_id: str, db: AsyncSession | None = None
    ) -> list[FileModelResponse]:
        """Return the uploads for a knowledge that are still being processed and not in it yet, newest first."""
        return await self._pending(knowledge_id, db)

    @default_on_error(list, log.warning, "Error fetching pending files for knowledge")
    async def _pending(self, knowledge_id: str, db: AsyncSession | None) -> list[FileModelResponse]:
        # As a rule there are none: then SQL is not asked which of them are linked.
        rows = await self._read("get_pending_files_for_knowledge", knowledge_id=knowledge_id, with_text=self.reads_text)
        linked = await _linked(knowledge_id, [row[0] for row in rows], db) if rows else set()
        return self._responses([row for row in rows if row[0] not in linked])

    @default_on_error(lambda: False)
    async def delete_file_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the file with its contents in PocketBase; True also if there is none."""
        await self._write("delete_file_by_id", id=id)
        return True

    @default_on_error(lambda: False)
    async def delete_all_files(self, db: AsyncSession | None = None) -> bool:
        """Delete all files with their contents in PocketBase, but no upload that is going on."""
        await self._write("delete_all_files")
        return True

    def seen(self, *, reads_text: bool = False, returns_text: bool = False) -> PocketBaseFiles:
        """Return the same files for those who do not look at the text in what they read, or in what writes return."""
        files = PocketBaseFiles()
        files.pocketbase = self.pocketbase
        files.reads_text, files.returns_text = reads_text, returns_text
        return files

    async def get_texts(self, ids: list[str]) -> dict[str, str]:
        """Return the texts of those files which have one, by id."""
        return dict(await self._read("get_texts", ids=ids))

    async def get_ids_with_text_like(self, ids: list[str], pattern: str, length: int) -> list[str]:
        """Return those of the files whose text matches as with the host's ILIKE on SQLite.

        Args:
            ids: The files.
            pattern: ``%`` and ``_`` are wildcards.
            length: Number of characters of each text that are looked at.
        """
        folded = pattern.lower().replace("\N{GREEK SMALL LETTER FINAL SIGMA}", _SIGMA)
        found: list[str] = await self._read(
            "get_ids_with_text_like", ids=ids, pattern=folded, length=length, folds=_folds(folded)
        )
        return found

    async def _update(self, id: str, columns: Mapping[str, Any], **merged: dict[str, Any] | None) -> FileModel | None:
        """Change a file.

        Args:
            id: Its id.
            columns: Columns to set.
            merged: ``data``, ``meta``: members to set in them.
        """
        changed = codec_of("file").changes({**columns, "updated_at": int(time.time())})
        texts = {}
        for name, members in merged.items():
            if members is None:
                continue
            kept, text = text_apart(members) if name == "data" else (members, "")
            if name == "data" and "content" in members:
                changed["changes"]["text"] = text
            texts[name] = codec_of("file").encode({name: kept})[name]
        answer = await self._write("update_file", id=id, **changed, merged=texts, with_text=self.returns_text)
        return self._model_of(answer)

    def _decoded(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return a row as the host knows it: its text is the last but one of what came from PocketBase."""
        columns = super()._decoded(row)
        if row[-2]:
            columns["data"] = {**(columns["data"] or {}), "content": row[-2]}
        return columns

    def _responses(self, rows: Sequence[Sequence[Any]]) -> list[FileModelResponse]:
        # It takes members which it does not declare; the stock class gives it none, such as the path.
        wanted = FileModelResponse.model_fields
        files = [{name: value for name, value in self._decoded(row).items() if name in wanted} for row in rows]
        return list_of(FileModelResponse).validate_python(files)


def _folds(text: str) -> list[tuple[str, str]]:
    """Return the letters that have to be put into lower case in order to find a text, and their lower case.

    SQLite puts those of ASCII into lower case itself.
    """
    wanted = set(text)
    folds = [(letter, lower) for letter, lower in _LOWER.items() if not wanted.isdisjoint(lower)]
    # "_" stands for one character, and this letter becomes two.
    return [*folds, ("İ", "i̇")] if "_" in wanted else folds


async def _linked(knowledge_id: str, ids: list[str], db: AsyncSession | None) -> set[str]:
    """Return those of the files which are in the knowledge."""
    # Imported on the call: it imports the host's files.
    links = import_module("open_webui.models.knowledge").KnowledgeFile
    statement = select(links.file_id).where(links.knowledge_id == knowledge_id, links.file_id.in_(ids))
    async with get_async_db_context(db) as session:
        return set((await session.execute(statement)).scalars())
