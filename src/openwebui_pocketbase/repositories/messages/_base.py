"""What the modules of messages share: rows, with what they quote and who sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from open_webui.models.messages import MessageModel, MessageReplyToResponse
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import LARGE, PocketBaseRepository, codec_of, in_thread_if, list_of
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.repositories.messages import _senders
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["MessageRows", "Quoting", "Row"]

Row = dict[str, Any]


@dataclass
class Quoting:
    """Messages as they come from PocketBase with what they quote.

    Attributes:
        messages: Their rows.
        quoted: The rows of those that they reply to.
        webhooks: Name of each webhook that sent one of these, by id.
        users: Id, name and role of users, by id.
        rest: What else the reply has.
        size: Bytes of the reply.
        apps: Name of each app that sent one of these, by id.
    """

    messages: list[Row]
    quoted: dict[str, Row]
    webhooks: dict[str, str]
    users: dict[str, Row]
    rest: list[Any]
    size: int = 0
    apps: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reply: Sequence[Any], size: int = 0) -> Quoting:
        """Return what a reply says."""
        messages, quoted, webhooks, users, *rest = reply
        decode = codec_of("message").decode
        return cls(
            [decode(row) for row in messages],
            {row["id"]: row for row in map(decode, quoted)},
            dict(webhooks),
            {user_id: {"id": user_id, "name": name, "role": role} for user_id, name, role in users},
            rest,
            size,
        )

    @property
    def everything(self) -> list[Row]:
        """All rows."""
        return [*self.messages, *self.quoted.values()]

    def unless_user(self, message: Row) -> Row | None:
        """Return the app or webhook that sent a message, as the host describes it; None if it was a user."""
        if app_id := message["app_id"]:
            return {"id": app_id, "name": self.apps.get(app_id, "Removed App"), "role": "app"}
        webhook = message["meta"].get("webhook") if message["meta"] else None
        if webhook and (webhook_id := webhook.get("id")):
            name = self.webhooks.get(webhook_id, "Deleted Webhook")
            return {"id": webhook_id, "name": name, "role": "webhook"}
        return None

    def sender(self, message: Row) -> Row | None:
        """Return who sent a message; None if that user is gone."""
        return self.unless_user(message) or self.users.get(message["user_id"])

    def quoted_by(self, message: Row) -> Row | None:
        """Return the message that one replies to, with who sent it; None if there is none, or none any more."""
        quoted = self.quoted.get(message["reply_to_id"])
        return quoted and {**quoted, "user": self.sender(quoted)}

    def responses(self) -> list[MessageReplyToResponse]:
        """Return the messages as the host's lists have them: users are named where the lists are used."""
        return list_of(MessageReplyToResponse).validate_python(
            [{**row, "user": self.unless_user(row), "reply_to_message": self.quoted_by(row)} for row in self.messages]
        )


class MessageRows(PocketBaseRepository):
    """The table of messages."""

    route = "messages"
    table = "message"
    model = MessageModel
    is_urgent = False
    _host_errors = staticmethod(integrity_errors)

    async def _quoting(self, method: str, **parameters: Any) -> Quoting:
        """Return messages that a reading method finds, with what they quote."""
        parameters["with_users"] = is_on_pocketbase("Users")
        reply = await self.pocketbase.read_bytes(f"{self.route}/{method}", parameters)
        size = len(reply)
        return await in_thread_if(size >= LARGE, lambda: Quoting.of(orjson.loads(reply), size))

    async def _responses(self, db: AsyncSession | None, method: str, **parameters: Any) -> list[MessageReplyToResponse]:
        """Return messages that a reading method finds, as the host's lists have them."""
        found = await self._quoting(method, **parameters)
        await self._with_senders(found, found.quoted.values(), db)
        return await in_thread_if(found.size >= LARGE, found.responses)

    async def _with_senders(self, found: Quoting, of_users: Iterable[Row], db: AsyncSession | None) -> None:
        """Add who sent the messages, as far as that is in the SQL database.

        Args:
            found: The messages.
            of_users: Those whose users are wanted.
            db: The host's session, if there is one.
        """
        found.apps = await _senders.apps({row["app_id"] for row in found.everything if row["app_id"]}, db)
        if not is_on_pocketbase("Users"):
            found.users = await _senders.users({row["user_id"] for row in of_users if row["user_id"]}, db)
