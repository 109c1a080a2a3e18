"""Files of chats."""

from __future__ import annotations

import time
import uuid
from typing import Any

from open_webui.models.chats import ChatFileModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats._base import ChatRepository
from openwebui_pocketbase.repositories.errors import default_on_error
from openwebui_pocketbase.repositories.neighbours import neighbour

__all__ = ["FilesOfChats"]

_CODEC = codec_of("chat_file")


class FilesOfChats(ChatRepository):
    """The methods of `ChatTable` for the table ``chat_file``."""

    async def insert_chat_files(
        self, chat_id: str, message_id: str, file_ids: list[str], user_id: str, db: AsyncSession | None = None
    ) -> list[ChatFileModel] | None:
        """Link files to a message, unless the chat has them or the user must not read them; None if none are left."""
        if not file_ids:
            return None
        known = set(await self._read("get_file_ids", id=chat_id))
        new = list({file_id for file_id in file_ids if file_id and file_id not in known})
        if not new:
            return None
        user = await neighbour("Users").get_user_by_id(user_id, db=db)
        readable = [file_id for file_id in new if await _can_read(file_id, user_id, user, db)]
        return await self._insert_files(chat_id, message_id, readable, user_id) if readable else None

    @default_on_error(lambda: None)
    async def _insert_files(
        self, chat_id: str, message_id: str, file_ids: list[str], user_id: str
    ) -> list[ChatFileModel]:
        now = int(time.time())
        files = [
            ChatFileModel(
                id=str(uuid.uuid4()),
                user_id=user_id,
                chat_id=chat_id,
                message_id=message_id,
                file_id=file_id,
                created_at=now,
                updated_at=now,
            )
            for file_id in file_ids
        ]
        records = [_CODEC.record(file.model_dump()) for file in files]
        await self._write("insert_chat_files", files=records)
        return files

    async def get_chat_files_by_chat_id_and_message_id(
        self, chat_id: str, message_id: str, db: AsyncSession | None = None
    ) -> list[ChatFileModel]:
        """Return the files of a message, oldest first."""
        wires = await self._read("get_chat_files_by_chat_id_and_message_id", chat_id=chat_id, message_id=message_id)
        return [ChatFileModel.model_validate(_CODEC.decode(wire)) for wire in wires]

    @default_on_error(lambda: False)
    async def delete_chat_file(self, chat_id: str, file_id: str, db: AsyncSession | None = None) -> bool:
        """Take a file from the chat."""
        await self._write("delete_chat_file", chat_id=chat_id, file_id=file_id)
        return True


async def _can_read(file_id: str, user_id: str, user: Any, db: AsyncSession | None) -> bool:
    """Return whether the file exists and the user may link it: a chat must not reveal the files of others."""
    from open_webui.utils.access_control.files import has_access_to_file  # noqa: PLC0415 - it imports the chats

    file = await neighbour("Files").get_file_by_id(file_id, db=db)
    if not file:
        return False
    if file.user_id == user_id or (user and user.role == "admin"):
        return True
    return bool(user and await has_access_to_file(file_id, "read", user, db=db))
