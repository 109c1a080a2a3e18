"""Protocols of the stock repositories of the group ``access``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from open_webui.models.access_grants import AccessGrantModel
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IAccessRepo"]


@runtime_checkable
class IAccessRepo(Protocol):
    """What callers use of ``AccessGrants``."""

    async def grant_access(
        self,
        resource_type: str,
        resource_id: str,
        principal_type: str,
        principal_id: str,
        permission: str,
        db: AsyncSession | None = None,
    ) -> AccessGrantModel | None:
        """Add a single access grant. Idempotent (ignores duplicates)."""

    async def revoke_access(
        self,
        resource_type: str,
        resource_id: str,
        principal_type: str,
        principal_id: str,
        permission: str,
        db: AsyncSession | None = None,
    ) -> bool:
        """Remove a single access grant."""

    async def revoke_all_access(self, resource_type: str, resource_id: str, db: AsyncSession | None = None) -> int:
        """Remove all access grants for a resource."""

    async def set_access_control(
        self,
        resource_type: str,
        resource_id: str,
        access_control: dict[str, Any] | None,
        db: AsyncSession | None = None,
    ) -> list[AccessGrantModel]:
        """Replace all grants for a resource from an access_control JSON dict."""

    async def set_access_grants(
        self, resource_type: str, resource_id: str, access_grants: list[Any] | None, db: AsyncSession | None = None
    ) -> list[AccessGrantModel]:
        """Replace all grants for a resource from a direct access_grants list."""

    async def replace_access_grants(self, db: Any, resource_type: Any, resource_id: Any, access_grants: Any) -> Any:
        """Replace grants in the caller's transaction without committing."""

    async def get_access_control(
        self, resource_type: str, resource_id: str, db: AsyncSession | None = None
    ) -> dict[str, Any] | None:
        """Reconstruct the old-style access_control JSON dict from grants."""

    async def get_grants_by_resource(
        self, resource_type: str, resource_id: str, db: AsyncSession | None = None
    ) -> list[AccessGrantModel]:
        """Get all grants for a specific resource."""

    async def get_grants_by_resources(
        self, resource_type: str, resource_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[AccessGrantModel]]:
        """Batch-fetch grants for multiple resources. Returns {resource_id: [grants]}."""

    async def has_anyone_access(
        self, resource_type: str, resource_id: str, permission: str = "read", db: AsyncSession | None = None
    ) -> bool:
        """Check for a no-auth anyone:* grant. Callers must opt in explicitly."""

    async def has_access(
        self,
        user_id: str,
        resource_type: str,
        resource_id: str,
        permission: str = "read",
        user_group_ids: set[str] | None = None,
        db: AsyncSession | None = None,
    ) -> bool:
        """Check if a user has the specified permission on a resource."""

    async def get_accessible_resource_ids(
        self,
        user_id: str,
        resource_type: str,
        resource_ids: list[str],
        permission: str = "read",
        user_group_ids: set[str] | None = None,
        db: AsyncSession | None = None,
    ) -> set[str]:
        """Batch check: return the subset of resource_ids that the user can access."""

    async def get_users_with_access(
        self, resource_type: str, resource_id: str, permission: str = "read", db: AsyncSession | None = None
    ) -> list[Any]:
        """Get all users who have the specified permission on a resource."""

    async def get_user_ids_by_access_grants(
        self, access_grants: list[AccessGrantModel], permission: str = "read", db: AsyncSession | None = None
    ) -> set[str]:
        """Get user IDs with the specified permission, including public and group grants."""

    async def get_revoked_user_ids_by_resource(
        self,
        resource_type: str,
        resource_id: str,
        previous_access_grants: list[AccessGrantModel],
        permission: str = "read",
        db: AsyncSession | None = None,
    ) -> set[str]:
        """Get user IDs that lost the specified permission after a resource's grants changed."""

    def has_permission_filter(
        self,
        db: Any,
        query: Any,
        DocumentModel: Any,
        filter: dict[str, Any],
        resource_type: str,
        permission: str = "read",
    ) -> Any:
        """Apply access control filtering to a SQLAlchemy query by JOINing with access_grant."""
