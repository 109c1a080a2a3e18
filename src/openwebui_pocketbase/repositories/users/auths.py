"""Credentials in PocketBase; the hooks are in ``owui/users/auths.js``."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from open_webui.models import auths as host
from open_webui.models.auths import AuthModel, AuthsTable, MfaData
from open_webui.models.users import UserModel
from open_webui.utils.json_codec import JSONCodec
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories import signed_in
from openwebui_pocketbase.repositories.base import PocketBaseRepository, host_transaction
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.repositories.users._base import delete_belongings, new_user, user_of, wire_of

__all__ = ["PocketBaseAuths"]

log = logging.getLogger(__name__)

CHANGED = "Authentication changed in another request. Please try again."
"""What the host tells whose credentials are not as they were; routers pass it on."""

# A session of the caller's is used for the mirror only, as it may have SQLite's write lock: nothing of a credential is
# in SQL, and a compare-and-swap holds as soon as PocketBase has answered.


def _known(auth: AuthModel) -> dict[str, Any]:
    """Return what must not have changed since the credentials were read."""
    revision = auth.mfa.revision if auth.mfa else None
    return {"password": auth.password, "session_stamp": auth.session_stamp, "revision": revision}


class PocketBaseAuths(PocketBaseRepository, AuthsTable):
    """`open_webui.models.auths.AuthsTable` with its rows in PocketBase."""

    route = "auths"
    table = "auth"
    model = AuthModel
    _host_errors = staticmethod(integrity_errors)

    async def get_auth_by_id(self, user_id: str, db: AsyncSession | None = None) -> AuthModel | None:
        """Return the user's credentials, or None."""
        if not signed_in.is_wanted():
            return await self._one("get_auth_by_id", id=user_id)
        asked_at = time.monotonic()
        parameters = {"id": user_id, "groups": signed_in.has_groups_here()}
        auth, user, groups = await self._read("get_auth_and_person_by_id", **parameters)
        signed_in.keep(signed_in.Person(user_id, user, groups), asked_at)
        return self._model_of(auth)

    async def get_mfa_values(self) -> list[Any]:
        """Return the MFA data of all users who have any, as it is stored."""
        return [JSONCodec.loads(text) for text in await self._read("get_mfa_values")]

    async def update_mfa_by_id(
        self, auth: AuthModel, mfa: MfaData, *, revoke: bool = False, db: AsyncSession
    ) -> AuthModel | None:
        """Replace the user's MFA data; None if the credentials are not those that were read, or not in use."""
        mfa = mfa.model_copy(deep=True, update={"revision": str(uuid.uuid4())})
        stamp = str(uuid.uuid4()) if revoke else auth.session_stamp
        parameters = {"expected": _known(auth), "mfa": self._json(mfa), "session_stamp": stamp}
        with host_transaction(db):
            updated = await self._write("update_mfa_by_id", id=auth.id, **parameters)
        if not updated:
            return None
        return auth.model_copy(update={"mfa": mfa, "session_stamp": stamp})

    async def revoke_sessions_by_user_id(self, user_id: str, *, db: AsyncSession) -> bool:
        """End all sessions of the user and pending challenges; False if there are no credentials."""
        parameters = {"session_stamp": str(uuid.uuid4()), **self._fresh_mfa()}
        with host_transaction(db):
            return bool(await self._write("revoke_sessions_by_user_id", id=user_id, **parameters))

    async def revoke_all_sessions(self, *, db: AsyncSession) -> list[str]:
        """End the sessions of all users and pending challenges; return the users' ids."""
        with host_transaction(db):
            ids: list[str] = await self._write("revoke_all_sessions")
        return ids

    async def insert_new_auth(
        self,
        email: str,
        password: str,
        name: str,
        profile_image_url: str = "/user.png",
        role: str = "pending",
        oauth: dict[str, Any] | None = None,
        db: AsyncSession | None = None,
    ) -> UserModel | None:
        """Create a user with credentials.

        Raises:
            IntegrityError: Another user has this address.
        """
        log.info("insert_new_auth")
        new_id = str(uuid.uuid4())
        auth = {"id": new_id, "email": email, "password": password, "active": True, "mfa": None}
        auth["session_stamp"] = str(uuid.uuid4())
        user = new_user(new_id, name, email, profile_image_url, role, oauth=oauth)
        await self._write("insert_new_auth", auth=self._encoded(auth), user=wire_of(user))
        return user

    async def authenticate_user(
        self, email: str, verify_password: Callable[..., Any], db: AsyncSession | None = None
    ) -> tuple[UserModel, AuthModel] | None:
        """Return user and credentials if the address (any ASCII case) and the password are right, or None."""
        log.info("authenticate_user: %s", email)
        found = await self._read("authenticate_user", email=email.lower())
        user = user_of(found[0]) if found else None
        auth = self._decoded(found[1]) if found and found[1][0] else None
        if user is None or auth is None or not auth["active"]:
            # So that the time it takes does not tell whether there is such a user.
            await verify_password(host.PLACEHOLDER_HASH)
            return None
        if not await verify_password(auth["password"]):
            return None
        return user, AuthModel.model_validate(auth)

    async def authenticate_user_by_email(self, email: str, db: AsyncSession | None = None) -> UserModel | None:
        """Return the user whose credentials have exactly this address and are in use, or None."""
        log.info("authenticate_user_by_email: %s", email)
        user = await self._read("authenticate_user_by_email", email=email)
        return user_of(user) if user else None

    async def update_email_by_id(self, user_id: str, email: str, db: AsyncSession | None = None) -> bool:
        """Set the address of credentials and user; False if there are no credentials.

        Raises:
            IntegrityError: Another user has this address; nothing is changed then.
        """
        return bool(await self._write("update_email_by_id", id=user_id, email=email))

    async def update_user_password_by_id(
        self, user_id: str, new_password: str, *, current_auth: AuthModel | None = None, db: AsyncSession | None = None
    ) -> bool:
        """Set the hash of a new password and end all sessions; False if there are no credentials.

        Raises:
            ValueError: The credentials are not those that were read, or not in use.
        """
        parameters: dict[str, Any] = {"password": new_password, "expected": None, "mfa": None}
        if current_auth is not None:
            mfa = current_auth.mfa.model_copy(deep=True) if current_auth.mfa else MfaData()
            mfa.login_challenge = mfa.manage_challenge = mfa.reset_ticket = None
            mfa.revision = str(uuid.uuid4())
            parameters |= {"expected": _known(current_auth), "mfa": self._json(mfa)}
        else:
            parameters |= self._fresh_mfa()
        parameters["session_stamp"] = str(uuid.uuid4())
        updated = await self._write("update_user_password_by_id", id=user_id, **parameters)
        if updated is None:
            return False
        if not updated:
            raise ValueError(CHANGED)
        return True

    async def delete_auth_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Delete a user and the credentials; False if the chats could not be deleted."""
        if not await delete_belongings(id):
            return False
        await self._write("delete_auth_by_id", id=id)
        return True

    def _fresh_mfa(self) -> dict[str, str]:
        """Return a new revision, and empty MFA data with it, to which PocketBase adds what it has."""
        revision = str(uuid.uuid4())
        return {"fresh": self._json(MfaData(revision=revision)), "revision": revision}

    def _json(self, mfa: MfaData) -> str:
        """Return MFA data as JSON text, as it is stored."""
        text: str = self._encoded({"mfa": mfa.model_dump(mode="json")})["mfa"]
        return text
