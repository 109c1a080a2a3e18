"""The texts of a knowledge's files, which the SQL database's copies of these do not have.

The stock methods of `Knowledges` run as they are, over the copies. Where they return files, the texts are filled in
by one request; where they search the texts, one request says which files match.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from types import FunctionType
from typing import Any

from open_webui.config import RAG_FILE_CONTENT_SEARCH_MAX_CHARS
from open_webui.internal.db import get_async_db_context
from open_webui.models.access_grants import AccessGrants
from open_webui.models.files import File, Files
from open_webui.models.knowledge import Knowledge, KnowledgeFile, KnowledgeFileListResponse
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.seams._entities import among
from openwebui_pocketbase.seams._rebind import rebound

__all__ = ["searching_all", "searching_one", "with_texts"]

Method = Callable[..., Awaitable[Any]]


def with_texts(stock: Method) -> Method:
    """Return a method that returns files, or pairs of a file and something, which have their texts."""

    @wraps(stock)
    async def method(*args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = await stock(*args, **kwargs)
        files = [item[0] if isinstance(item, tuple) else item for item in found]
        texts = await Files.get_texts([file.id for file in files]) if files else {}
        for file in files:
            if file.id in texts:
                file.data = {**(file.data or {}), "content": texts[file.id]}
        return found

    return method


def searching_one(stock: FunctionType) -> Method:
    """Return `KnowledgeTable.search_files_by_id`, which searches the texts in PocketBase."""

    async def search_files_by_id(
        self: Any,
        knowledge_id: str,
        user_id: str,
        filter: dict[str, Any],
        skip: int = 0,
        limit: int = 30,
        db: AsyncSession | None = None,
    ) -> KnowledgeFileListResponse:
        files = select(KnowledgeFile.file_id).where(KnowledgeFile.knowledge_id == knowledge_id)
        search = await _over_texts(stock, filter, lambda _: files, db)
        return await search(self, knowledge_id, user_id, filter, skip, limit, db)

    return search_files_by_id


def searching_all(stock: FunctionType) -> Method:
    """Return `KnowledgeTable.search_knowledge_files`, which searches the texts in PocketBase."""

    async def search_knowledge_files(
        self: Any, filter: dict[str, Any], skip: int = 0, limit: int = 30, db: AsyncSession | None = None
    ) -> KnowledgeFileListResponse:
        def files(session: AsyncSession) -> Select[Any]:
            readable: Select[Any] = AccessGrants.has_permission_filter(
                db=session,
                query=select(KnowledgeFile.file_id).join(Knowledge, KnowledgeFile.knowledge_id == Knowledge.id),
                DocumentModel=Knowledge,
                filter=filter,
                resource_type="knowledge",
                permission="read",
            )
            return readable

        search = await _over_texts(stock, filter, files, db)
        return await search(self, filter, skip, limit, db)

    return search_knowledge_files


async def _over_texts(
    stock: FunctionType,
    filter: dict[str, Any] | None,
    files: Callable[[AsyncSession], Select[Any]],
    db: AsyncSession | None,
) -> Any:
    """Return a stock search whose condition on a text is that the file is one of those which match.

    Args:
        stock: The method.
        filter: What is searched for.
        files: Makes the statement of the ids of the files among which it searches.
        db: The host's session, if there is one.
    """
    query = (filter or {}).get("query")
    if not query or not (filter or {}).get("include_content"):
        return stock
    async with get_async_db_context(db) as session:
        ids = [*dict.fromkeys((await session.execute(files(session))).scalars())]
        dialect = session.bind.dialect.name
    length = RAG_FILE_CONTENT_SEARCH_MAX_CHARS
    matching = await Files.get_ids_with_text_like(ids, f"%{query}%", length) if ids else []
    return rebound(stock, func=_Functions(among(File.id, matching, dialect)))


class _Functions:
    """SQLAlchemy's ``func`` as the stock searches use it; the beginning of a text knows which files match."""

    def __init__(self, condition: Any) -> None:
        self._condition = condition

    def __getattr__(self, name: str) -> Any:
        return getattr(func, name)

    def substr(self, *_: Any) -> _Text:
        return _Text(self._condition)


class _Text:
    """The beginning of a file's text."""

    def __init__(self, condition: Any) -> None:
        self._condition = condition

    def ilike(self, _pattern: str) -> Any:
        return self._condition
