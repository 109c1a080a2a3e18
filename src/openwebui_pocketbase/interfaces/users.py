"""Protocols of the stock repositories of the group ``users``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from open_webui.models.auths import AuthModel, MfaData
    from open_webui.models.oauth_sessions import OAuthSessionModel
    from open_webui.models.users import UserModel, UserStatus, UserStatusModel
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IAuthsRepo", "IOAuthSessionsRepo", "IUsersRepo"]


@runtime_checkable
class IUsersRepo(Protocol):
    """What callers use of ``Users``."""

    async def insert_new_user(
        self,
        id: str,
        name: str,
        email: str,
        profile_image_url: str = "/user.png",
        role: str = "pending",
        username: str | None = None,
        oauth: dict[str, Any] | None = None,
        db: AsyncSession | None = None,
    ) -> UserModel | None: ...

    async def get_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None:
        """Fetch a single user by primary key."""

    async def get_user_by_api_key(self, api_key: str, db: AsyncSession | None = None) -> UserModel | None:
        """Resolve a user from their API key via a JOIN on the api_key table."""

    async def get_user_by_email(self, email: str, db: AsyncSession | None = None) -> UserModel | None:
        """Case-insensitive email lookup using SQL lower()."""

    async def get_user_by_oauth_sub(self, provider: str, sub: str, db: AsyncSession | None = None) -> UserModel | None:
        """Look up a user by OAuth provider + subject claim."""

    async def get_user_by_scim_external_id(
        self, provider: str, external_id: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Look up a user by SCIM provider + external ID."""

    async def get_scim_users(
        self,
        filter: dict[str, Any] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]: ...

    async def get_scim_user_by_id(self, id: str, db: AsyncSession | None = None) -> UserModel | None: ...

    async def get_users(
        self,
        filter: dict[str, Any] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int | None = None,
        limit: int | None = None,
        db: AsyncSession | None = None,
    ) -> dict[str, Any]:
        """Paginated user listing with optional filters and sort."""

    async def get_users_by_group_id(self, group_id: str, db: AsyncSession | None = None) -> list[UserModel]: ...

    async def get_users_by_user_ids(
        self, user_ids: list[str], db: AsyncSession | None = None
    ) -> list[UserStatusModel]: ...

    async def get_num_users(self, db: AsyncSession | None = None) -> int | None: ...

    async def has_users(self, db: AsyncSession | None = None) -> bool: ...

    async def get_first_user(self, db: AsyncSession | None = None) -> UserModel | None:
        """Return the earliest-created user (bootstrap admin detection)."""

    async def get_num_users_active_today(self, db: AsyncSession | None = None) -> int | None: ...

    async def update_user_role_by_id(self, id: str, role: str, db: AsyncSession | None = None) -> UserModel | None: ...

    async def update_user_status_by_id(
        self, id: str, form_data: UserStatus, db: AsyncSession | None = None
    ) -> UserModel | None: ...

    async def update_user_profile_image_url_by_id(
        self, id: str, profile_image_url: str, db: AsyncSession | None = None
    ) -> UserModel | None: ...

    async def update_last_active_by_id(self, id: str, db: AsyncSession | None = None) -> None: ...

    async def update_user_oauth_by_id(
        self, id: str, provider: str, sub: str, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Update or insert an OAuth provider/sub pair into the user's oauth JSON field."""

    async def update_user_scim_by_id(
        self, id: str, provider: str, external_id: str | None, db: AsyncSession | None = None
    ) -> UserModel | None:
        """Update or insert a SCIM provider/external_id pair into the user's scim JSON field."""

    async def update_user_by_id(
        self, id: str, updated: dict[str, Any], db: AsyncSession | None = None
    ) -> UserModel | None: ...

    async def update_user_settings_by_id(
        self, id: str, updated: dict[str, Any], db: AsyncSession | None = None
    ) -> UserModel | None: ...

    async def delete_user_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> str | None: ...

    async def update_user_api_key_by_id(self, id: str, api_key: str, db: AsyncSession | None = None) -> bool: ...

    async def delete_user_api_key_by_id(self, id: str, db: AsyncSession | None = None) -> bool: ...

    async def get_valid_user_ids(self, user_ids: list[str], db: AsyncSession | None = None) -> list[str]: ...

    async def get_super_admin_user(self, db: AsyncSession | None = None) -> UserModel | None: ...

    async def get_active_user_count(self, db: AsyncSession | None = None) -> int: ...

    @staticmethod
    def is_active(user: UserModel) -> bool:
        """Compute active status from an already-loaded UserModel (no DB hit)."""

    async def is_user_active(self, user_id: str, db: AsyncSession | None = None) -> bool: ...


@runtime_checkable
class IAuthsRepo(Protocol):
    """What callers use of ``Auths``."""

    async def get_auth_by_id(self, user_id: str, db: AsyncSession | None = None) -> AuthModel | None: ...

    @staticmethod
    def clear_mfa_challenges(value: dict[str, Any] | None) -> dict[str, Any] | None: ...

    async def update_mfa_by_id(
        self, auth: AuthModel, mfa: MfaData, *, revoke: bool = False, db: AsyncSession
    ) -> AuthModel | None:
        """Compare-and-swap the complete credential state. The caller owns the transaction."""

    async def revoke_sessions_by_user_id(self, user_id: str, *, db: AsyncSession) -> bool: ...

    async def revoke_all_sessions(self, *, db: AsyncSession) -> list[str]: ...

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
        """Create an Auth + User pair inside a single transaction."""

    async def authenticate_user(
        self, email: str, verify_password: Callable[..., Any], db: AsyncSession | None = None
    ) -> tuple[UserModel, AuthModel] | None:
        """Verify email + password credentials and return the matching user."""

    async def authenticate_user_by_api_key(self, api_key: str, db: AsyncSession | None = None) -> UserModel | None:
        """Look up the user that owns the given API key."""

    async def authenticate_user_by_email(self, email: str, db: AsyncSession | None = None) -> UserModel | None:
        """Single-query auth via JOIN on Auth ↔ User, filtered by active flag."""

    async def update_email_by_id(self, user_id: str, email: str, db: AsyncSession | None = None) -> bool:
        """Set a new email on the auth record and propagate to the user row."""

    async def update_user_password_by_id(
        self, user_id: str, new_password: str, *, current_auth: AuthModel | None = None, db: AsyncSession | None = None
    ) -> bool:
        """Set a new password hash for an existing user."""

    async def delete_auth_by_id(self, id: str, db: AsyncSession | None = None) -> bool:
        """Remove a user and their auth credential in one transaction."""


@runtime_checkable
class IOAuthSessionsRepo(Protocol):
    """What callers use of ``OAuthSessions``."""

    async def create_session(
        self, user_id: str, provider: str, token: dict[str, Any], db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Create a new OAuth session"""

    async def get_session_by_id(self, session_id: str, db: AsyncSession | None = None) -> OAuthSessionModel | None:
        """Get OAuth session by ID"""

    async def get_session_by_id_and_user_id(
        self, session_id: str, user_id: str, db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Get OAuth session by ID and user ID"""

    async def get_session_by_provider_and_user_id(
        self, provider: str, user_id: str, db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Get OAuth session by provider and user ID"""

    async def get_sessions_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> list[OAuthSessionModel]:
        """Get all OAuth sessions for a user"""

    async def update_session_by_id(
        self, session_id: str, token: dict[str, Any], db: AsyncSession | None = None
    ) -> OAuthSessionModel | None:
        """Update OAuth session tokens"""

    async def delete_session_by_id(self, session_id: str, db: AsyncSession | None = None) -> bool:
        """Delete an OAuth session"""

    async def delete_sessions_by_user_id(self, user_id: str, db: AsyncSession | None = None) -> bool:
        """Delete all OAuth sessions for a user"""

    async def delete_sessions_by_user_id_and_provider(
        self, user_id: str, provider: str, db: AsyncSession | None = None
    ) -> bool:
        """Delete all OAuth sessions for a specific user and provider"""

    async def delete_sessions_by_provider(self, provider: str, db: AsyncSession | None = None) -> bool:
        """Delete all OAuth sessions for a provider"""
