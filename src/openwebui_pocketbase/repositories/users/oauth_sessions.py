"""Sessions with OAuth services in PocketBase; the hooks are in ``owui/users/oauth_sessions.js``."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

from open_webui.models.oauth_sessions import OAuthSessionModel, OAuthSessionTable
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.errors import default_on_error

__all__ = ["PocketBaseOAuthSessions"]

log = logging.getLogger(__name__)


class PocketBaseOAuthSessions(PocketBaseRepository, OAuthSessionTable):
    """`open_webui.models.oauth_sessions.OAuthSessionTable` with its rows in PocketBase.

    Tokens are encrypted and decrypted here, as in the stock class: PocketBase never sees one.
    """

    route = "oauth_sessions"
    table = "oauth_session"
    model = OAuthSessionModel

    @default_on_error(lambda: None, log.error, "Error creating OAuth session")
    async def create_session(
        self, user_id: str, provider: str, token: dict[str, Any], db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Store a new session."""
        now = int(time.time())
        session = {"id": str(uuid.uuid4()), "user_id": user_id, "provider": provider, **self._of_token(token)}
        session |= {"created_at": now, "updated_at": now}
        await self._write("create_session", session=self._encoded(session))
        return OAuthSessionModel(**{**session, "token": token})

    @default_on_error(lambda: None, log.error, "Error getting OAuth session by ID")
    async def get_session_by_id(self, session_id: str, db: AsyncSession | None = None) -> OAuthSessionModel | None:
        """Return the session with this id, or None."""
        return await self._one("get_session_by_id", id=session_id)

    @default_on_error(lambda: None, log.error, "Error getting OAuth session by ID")
    async def get_session_by_id_and_user_id(
        self, session_id: str, user_id: str, db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Return the user's session with this id, or None."""
        return await self._one("get_session_by_id_and_user_id", id=session_id, user_id=user_id)

    @default_on_error(lambda: None, log.error, "Error getting OAuth session by provider and user ID")
    async def get_session_by_provider_and_user_id(
        self, provider: str, user_id: str, db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Return the user's latest session with this provider, or None."""
        return await self._one("get_session_by_provider_and_user_id", provider=provider, user_id=user_id)

    @default_on_error(list, log.error, "Error getting OAuth sessions by user ID")
    async def get_sessions_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[OAuthSessionModel]:
        """Return the user's sessions; those which cannot be decrypted are deleted."""
        sessions, corrupted = [], []
        for row in await self._read("get_sessions_by_user_id", user_id=user_id):
            try:
                sessions.append(self._model_of(row))
            except Exception as error:  # noqa: BLE001 - whatever the cipher or the model has against it
                log.warning("Deleting OAuth session %s, which cannot be decrypted: %r", row[0], error)
                corrupted.append(row[0])
        if corrupted:
            await self._delete(id=corrupted)
        return sessions

    @default_on_error(lambda: None, log.error, "Error updating OAuth session tokens")
    async def update_session_by_id(
        self, session_id: str, token: dict[str, Any], db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Give the session a new token; None if there is no such session."""
        changes = {**self._of_token(token), "updated_at": int(time.time())}
        found = await self._write("update_session_by_id", id=session_id, changes=self._encoded(changes))
        if not found:
            return None
        session = {"id": session_id, **dict(zip(("user_id", "provider", "created_at"), found, strict=True)), **changes}
        return OAuthSessionModel(**{**session, "token": self._decrypt_token(session["token"])})

    @default_on_error(lambda: False, log.error, "Error deleting OAuth session")
    async def delete_session_by_id(self, session_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the session; False if there is none."""
        return await self._delete(id=session_id) > 0

    @default_on_error(lambda: False, log.error, "Error deleting OAuth sessions by user ID")
    async def delete_sessions_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete the user's sessions; True also if there are none."""
        return await self._delete(user_id=user_id) >= 0

    @default_on_error(lambda: False, log.error, "Error deleting OAuth sessions by user ID and provider")
    async def delete_sessions_by_user_id_and_provider(
        self, user_id: str, provider: str, db: AsyncSession | None = None
    ) -> bool:
        """Delete the user's sessions with this provider; False if there are none."""
        return await self._delete(user_id=user_id, provider=provider) > 0

    @default_on_error(lambda: False, log.error, "Error deleting OAuth sessions by provider")
    async def delete_sessions_by_provider(self, provider: str, db: AsyncSession | None = None) -> bool:
        """Delete all sessions with this provider; True also if there are none."""
        return await self._delete(provider=provider) >= 0

    async def _delete(self, **values: Any) -> int:
        """Delete the sessions which have these values; return their number."""
        return int(await self._write("delete_sessions", **values))

    def _of_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the columns that are made from a token."""
        return {"token": self._encrypt_token(token), "expires_at": token.get("expires_at") or int(time.time() + 3600)}

    def _decoded(self, row: Sequence[Any]) -> dict[str, Any]:
        columns = super()._decoded(row)
        return columns | {"token": self._decrypt_token(columns["token"])}
