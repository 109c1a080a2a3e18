"""One message: reading, posting, changing and deleting it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from open_webui.models.messages import MessageForm, MessageModel, MessageResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.codec.rows import int64_of, int64_text
from openwebui_pocketbase.repositories.base import JSON, codec_of
from openwebui_pocketbase.repositories.channels._base import records_of
from openwebui_pocketbase.repositories.channels.members import joining
from openwebui_pocketbase.repositories.messages._base import Quoting, Row
from openwebui_pocketbase.repositories.messages.reactions import MessageReactions
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["MessageWrites"]

NOT_INDEXED = -1
"""Sign of the number that a message has in the full-text index; the indexer changes it."""


class MessageWrites(MessageReactions):
    """The methods of messages about a single one."""

    async def get_message_by_id(
        self, id: str, include_thread_replies: bool | None = True, db: AsyncSession | None = None
    ) -> MessageResponse | None:
        """Return a message with what it quotes, its reactions, and number and time of its replies, or None.

        Args:
            id: The message.
            include_thread_replies: Whether its replies count.
            db: For apps and users in the SQL database.
        """
        found = await self._quoting("get_message_by_id", id=id, with_replies=bool(include_thread_replies))
        return await self._response(found, db) if found.messages else None

    async def insert_new_message(
        self, form_data: MessageForm, channel_id: str, user_id: str, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Post a message; its user joins the channel.

        Raises:
            IntegrityError: It is nobody's.
        """
        message = _new(form_data, channel_id, user_id=user_id)
        members, record = records_of([joining(channel_id, user_id)]), _record(message)
        await self._write("insert_new_message", channel_id=channel_id, members=members, messages=[record])
        posted = _as_read(message, record)
        await _publish(posted, "channel.message.created")
        return posted

    async def insert_new_app_message(
        self, app_id: str, channel_id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse:
        """Post a message of an app."""
        message = {**_new(form_data, channel_id, app_id=app_id), "meta": None}
        asked = {"id": message["id"], "with_replies": True, "with_users": is_on_pocketbase("Users")}
        record = _record(message)
        reply = await self._write("insert_new_app_message", **asked, messages=[record])
        await _publish(_as_read(message, record), "channel.message.created")
        return await self._response(Quoting.of(reply), db)

    async def update_app_message_by_id(
        self, id: str, app_id: str, updated_at: int, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageResponse | None:
        """Replace content and data of an app's message; None if it is not as the app knows it.

        Args:
            id: The message.
            app_id: The app.
            updated_at: When it was changed last, in nanoseconds, as the app knows it.
            form_data: The new content and data.
            db: For apps and users in the SQL database.
        """
        now = max(time.time_ns(), updated_at + 1)
        changes = {"content": form_data.content, "data": form_data.data, "updated_at": now}
        reply = await self._write(
            "update_app_message_by_id",
            id=id,
            app_id=app_id,
            updated_at=int64_text(updated_at),
            with_replies=True,
            with_users=is_on_pocketbase("Users"),
            **codec_of("message").changes(changes),
        )
        if reply is None:
            return None
        found = Quoting.of(reply)
        await _publish(MessageModel.model_validate(found.messages[0]), "channel.message.updated")
        return await self._response(found, db)

    async def update_message_by_id(
        self, id: str, form_data: MessageForm, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Set the content of a message, and merge its data and meta key by key.

        Raises:
            AttributeError: There is no such message.
        """
        codec = codec_of("message")
        message = await self._changed(
            "update_message_by_id",
            id,
            "content",
            merged=codec.encode({"data": form_data.data or {}, "meta": form_data.meta or {}}),
            **codec.changes({"content": form_data.content, "updated_at": time.time_ns()}),
        )
        await _publish(message, "channel.message.updated")
        return message

    async def update_is_pinned_by_id(
        self, id: str, is_pinned: bool, pinned_by: str | None = None, db: AsyncSession | None = None
    ) -> MessageModel | None:
        """Pin a message, or end that.

        Raises:
            AttributeError: There is no such message.
        """
        pinned = {"pinned_at": time.time_ns(), "pinned_by": pinned_by} if is_pinned else _NOT_PINNED
        changes = codec_of("message").changes({"is_pinned": is_pinned, **pinned})
        return await self._changed("update_is_pinned_by_id", id, "is_pinned", **changes)

    async def delete_message_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete a message and its reactions; its replies stay."""
        deleted = await self._write("delete_message_by_id", id=id, message_id=id)
        if deleted:
            await self._publish_deleted(deleted)
        return True

    async def delete_replies_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete the replies to a message; their reactions stay."""
        for deleted in await self._write("delete_replies_by_id", parent_id=id):
            await self._publish_deleted(deleted)
        return True

    async def _publish_deleted(self, row: Sequence[Any]) -> None:
        """Tell apps of a message that is gone, also of one which the host's model does not take, as the stock does."""
        await _publish(SimpleNamespace(**self._decoded(row)), "channel.message.deleted")

    async def _changed(self, method: str, id: str, column: str, **parameters: Any) -> MessageModel:
        """Change a message; return it.

        Raises:
            AttributeError: There is no such message: the stock method sets the column of None.
        """
        row = await self._write(method, id=id, **parameters)
        if row is None:
            raise AttributeError(f"'NoneType' object has no attribute '{column}'")
        message: MessageModel = self._model_of(row)
        return message

    async def _response(self, found: Quoting, db: AsyncSession | None) -> MessageResponse:
        """Return the message of a reply of `get_message_by_id`, or of a write that is answered like it."""
        (message,), (reactions, (number, latest)) = found.messages, found.rest
        await self._with_senders(found, found.everything, db)
        return MessageResponse.model_validate(
            {
                **message,
                "user": found.sender(message),
                "reply_to_message": found.quoted_by(message),
                "latest_reply_at": int64_of(latest) if latest else None,
                "reply_count": number,
                "reactions": self._grouped((reaction for _, *reaction in reactions), await self._names(reactions, db)),
            }
        )


_NOT_PINNED: Row = {"pinned_at": None, "pinned_by": None}


def _new(form: MessageForm, channel_id: str, **columns: Any) -> Row:
    """Return the row of a new message."""
    now = time.time_ns()
    return {
        "id": str(uuid.uuid4()),
        "user_id": None,
        "app_id": None,
        "channel_id": channel_id,
        "reply_to_id": form.reply_to_id,
        "parent_id": form.parent_id,
        "is_pinned": False,
        **_NOT_PINNED,
        "content": form.content,
        "created_at": now,
        "updated_at": now,
        **columns,
        "data": form.data,
        "meta": form.meta,
    }


def _as_read(message: Row, record: Row) -> MessageModel:
    """Return a new message as it will be read from its record: keys of its JSON are texts then."""
    documents = {name: JSON.loads(record[name]) for name in ("data", "meta") if message[name]}
    return MessageModel.model_validate({**message, **documents})


def _record(message: Row) -> Row:
    """Return a new message as the fields of its record; it waits for the full-text index unless a model writes it."""
    meta = message["meta"] or {}
    is_streamed = bool(meta.get("model_id")) and not meta.get("done")
    return codec_of("message").record(message) | {"doc": NOT_INDEXED, "waits": not is_streamed}


async def _publish(message: MessageModel | SimpleNamespace, kind: str) -> None:
    """Tell apps of a change that is committed."""
    from open_webui.utils import apps  # noqa: PLC0415 - it imports the host's messages

    await apps.publish_app_message_event(message, kind)
