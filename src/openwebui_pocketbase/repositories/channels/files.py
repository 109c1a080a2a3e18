"""Which files are shown in a channel."""

from __future__ import annotations

import time
import uuid

from open_webui.models.channels import ChannelFileModel
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.channels._base import ChannelRepository
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["ChannelFiles"]


class ChannelFiles(ChannelRepository):
    """The methods of `ChannelTable` for files."""

    async def add_file_to_channel_by_id(
        self, channel_id: str, file_id: str, user_id: str, db: AsyncSession | None = None
    ) -> ChannelFileModel | None:
        """Show a file in a channel; None if it is there already."""
        now = int(time.time())
        link = ChannelFileModel(
            id=str(uuid.uuid4()),
            channel_id=channel_id,
            file_id=file_id,
            user_id=user_id,
            created_at=now,
            updated_at=now,
        )
        return await self._add(link)

    @default_on_error(lambda: None)
    async def _add(self, link: ChannelFileModel) -> ChannelFileModel:
        record = codec_of("channel_file").record({**link.model_dump(), "message_id": None})
        await self._write("add_file_to_channel_by_id", links=[record])
        return link

    @default_on_error(lambda: False)
    async def set_file_message_id_in_channel_by_id(
        self, channel_id: str, file_id: str, message_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Note which message shows a file; False if the file is not in the channel."""
        changed = codec_of("channel_file").changes({"message_id": message_id, "updated_at": int(time.time())})
        parameters = {"channel_id": channel_id, "file_id": file_id}
        found: bool = await self._write("set_file_message_id_in_channel_by_id", **parameters, **changed)
        return found

    @default_on_error(lambda: False)
    async def remove_file_from_channel_by_id(
        self, channel_id: str, file_id: str, db: AsyncSession | None = None
    ) -> bool:
        """Take a file out of a channel, if it is there."""
        await self._write("remove_file_from_channel_by_id", channel_id=channel_id, file_id=file_id)
        return True
