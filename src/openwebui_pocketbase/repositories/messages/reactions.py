"""Reactions to messages: the host's table ``message_reaction``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from open_webui.models.messages import MessageReactionModel, Reactions
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.messages import _senders
from openwebui_pocketbase.repositories.messages._base import MessageRows
from openwebui_pocketbase.repositories.neighbours import is_on_pocketbase

__all__ = ["MessageReactions"]


class MessageReactions(MessageRows):
    """The methods of messages about reactions."""

    async def add_reaction_to_message(
        self, id: str, user_id: str, name: str, db: AsyncSession | None = None
    ) -> MessageReactionModel | None:
        """Add a user's reaction, unless it is there already; return it."""
        reaction = {"message_id": id, "user_id": user_id, "name": name}
        row = MessageReactionModel(id=str(uuid.uuid4()), **reaction, created_at=int(time.time_ns())).model_dump()
        codec = codec_of("message_reaction")
        answer = await self._write("add_reaction_to_message", **reaction, reactions=[codec.record(row)])
        return MessageReactionModel.model_validate(codec.decode(answer))

    async def get_reactions_by_message_id(self, id: str, db: AsyncSession | None = None) -> list[Reactions]:
        """Return the reactions to a message, by name; those of users that are gone are left out."""
        return (await self._reactions([id], db))[id]

    async def get_reactions_by_message_ids(
        self, ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[Reactions]]:
        """Return the reactions to each of those messages, by name; those of users that are gone are left out."""
        return await self._reactions(ids, db) if ids else {}

    async def remove_reaction_by_id_and_user_id_and_name(
        self, id: str, user_id: str, name: str, db: AsyncSession | None = None
    ) -> bool:
        """Take a user's reaction back."""
        await self._write("remove_reaction", message_id=id, user_id=user_id, name=name)
        return True

    async def delete_reactions_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete all reactions to a message."""
        await self._write("delete_reactions_by_id", message_id=id)
        return True

    async def _reactions(self, ids: list[str], db: AsyncSession | None) -> dict[str, list[Reactions]]:
        with_users = is_on_pocketbase("Users")
        rows = await self._read("get_reactions_by_message_ids", message_ids=list(ids), with_users=with_users)
        found: dict[str, list[Any]] = {message_id: [] for message_id in ids}
        for message_id, *reaction in rows:
            found[message_id].append(reaction)
        names = await self._names(rows, db)
        return {message_id: self._grouped(reactions, names) for message_id, reactions in found.items()}

    async def _names(self, rows: Iterable[Sequence[Any]], db: AsyncSession | None) -> dict[str, str]:
        """Return the names of the users who reacted, by id, as far as they are there.

        Args:
            rows: Message, name of the reaction, user's id and, from PocketBase, the user's name.
            db: The host's session, if there is one.
        """
        if is_on_pocketbase("Users"):
            return {row[2]: row[3] for row in rows}
        users = await _senders.users({row[2] for row in rows}, db)
        return {user_id: user["name"] for user_id, user in users.items()}

    @staticmethod
    def _grouped(reactions: Iterable[Sequence[Any]], names: dict[str, str]) -> list[Reactions]:
        """Return reactions of one message by name, in the order in which each name came first."""
        users: dict[str, list[dict[str, Any]]] = {}
        for name, user_id, *_ in reactions:
            if user_id in names:
                users.setdefault(name, []).append({"id": user_id, "name": names[user_id]})
        return [Reactions(name=name, users=found, count=len(found)) for name, found in users.items()]
