"""Access grants in PocketBase; the hooks are in ``owui/access.js``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

from open_webui.models.access_grants import (
    AccessGrantModel,
    AccessGrantsTable,
    access_control_to_grants,
    grants_to_access_control,
    normalize_access_grants,
)
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.base import PocketBaseRepository, host_transaction
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.repositories.neighbours import neighbour

__all__ = ["PocketBaseAccessGrants"]


class PocketBaseAccessGrants(PocketBaseRepository, AccessGrantsTable):
    """`open_webui.models.access_grants.AccessGrantsTable` with its rows in PocketBase.

    The groups are there as well: what a user inherits from them is found in the same request.
    """

    route = "access"
    table = "access_grant"
    model = AccessGrantModel
    _host_errors = staticmethod(integrity_errors)

    async def grant_access(
        self,
        resource_type: str,
        resource_id: str,
        principal_type: str,
        principal_id: str,
        permission: str,
        db: AsyncSession | None = None,
    ) -> AccessGrantModel | None:
        """Add a grant, unless it is there already; return it."""
        grant = {
            "id": str(uuid.uuid4()),
            "resource_type": resource_type,
            "resource_id": resource_id,
            "principal_type": principal_type,
            "principal_id": principal_id,
            "permission": permission,
            "created_at": int(time.time()),
        }
        return self._model_of(await self._write("grant_access", grant=self._encoded(grant)))

    async def revoke_access(
        self,
        resource_type: str,
        resource_id: str,
        principal_type: str,
        principal_id: str,
        permission: str,
        db: AsyncSession | None = None,
    ) -> bool:
        """Remove a grant; False if there is none."""
        deleted: int = await self._write(
            "revoke_access",
            resource_type=resource_type,
            resource_id=resource_id,
            principal_type=principal_type,
            principal_id=principal_id,
            permission=permission,
        )
        return deleted > 0

    async def revoke_all_access(self, resource_type: str, resource_id: str, db: AsyncSession | None = None) -> int:
        """Remove all grants on a resource; return how many there were."""
        parameters = {"resource_type": resource_type, "resource_id": resource_id}
        deleted: int = await self._write("revoke_all_access", **parameters)
        return deleted

    async def revoke_all_access_to_each(self, resource_type: str, resource_ids: Iterable[str]) -> int:
        """Remove all grants on several resources at once, which the stock repository leaves to its callers' SQL."""
        parameters = {"resource_type": resource_type, "resource_ids": list(resource_ids)}
        deleted: int = await self._write("revoke_all_access_to_each", **parameters)
        return deleted

    async def set_access_control(
        self,
        resource_type: str,
        resource_id: str,
        access_control: dict[str, Any] | None,
        db: AsyncSession | None = None,
    ) -> list[AccessGrantModel]:
        """Replace all grants on a resource by those which an old-style ``access_control`` stands for.

        Raises:
            IntegrityError: It names somebody twice; nothing is changed then.
        """
        grants = access_control_to_grants(resource_type, resource_id, access_control)
        return await self._replace(resource_type, resource_id, grants)

    async def set_access_grants(
        self,
        resource_type: str,
        resource_id: str,
        access_grants: list[Any] | None,
        db: AsyncSession | None = None,
    ) -> list[AccessGrantModel]:
        """Replace all grants on a resource."""
        return await self._replace(resource_type, resource_id, normalize_access_grants(access_grants))

    async def replace_access_grants(
        self, db: Any, resource_type: str, resource_id: str, access_grants: list[Any] | None
    ) -> list[AccessGrantModel]:
        """Replace all grants on a resource, as the last step of the caller's SQL transaction.

        What the caller has done so far is sent to the database first: if that refuses it, the grants stay.
        """
        if not isinstance(db, AsyncSession):
            return await self.set_access_grants(resource_type, resource_id, access_grants)
        await db.flush()
        with host_transaction(db):
            return await self.set_access_grants(resource_type, resource_id, access_grants)

    async def get_access_control(
        self, resource_type: str, resource_id: str, db: AsyncSession | None = None
    ) -> dict[str, Any] | None:
        """Return the grants on a resource as an old-style ``access_control``."""
        grants = await self.get_grants_by_resource(resource_type, resource_id)
        access_control: dict[str, Any] | None = grants_to_access_control(grants)
        return access_control

    async def get_grants_by_resource(
        self, resource_type: str, resource_id: str, db: AsyncSession | None = None
    ) -> list[AccessGrantModel]:
        """Return the grants on a resource, oldest first."""
        return await self._many("get_grants_by_resource", resource_type=resource_type, resource_id=resource_id)

    async def get_grants_by_resources(
        self, resource_type: str, resource_ids: list[str], db: AsyncSession | None = None
    ) -> dict[str, list[AccessGrantModel]]:
        """Return the grants on each of those resources, oldest first."""
        grants: dict[str, list[AccessGrantModel]] = {resource_id: [] for resource_id in resource_ids}
        if grants:
            parameters = {"resource_type": resource_type, "resource_ids": list(grants)}
            for grant in await self._many("get_grants_by_resources", **parameters):
                grants[grant.resource_id].append(grant)
        return grants

    async def has_anyone_access(
        self, resource_type: str, resource_id: str, permission: str = "read", db: AsyncSession | None = None
    ) -> bool:
        """Return whether a resource is open to those who are not signed in."""
        parameters = {"resource_type": resource_type, "resource_id": resource_id, "permission": permission}
        granted: bool = await self._read("has_anyone_access", **parameters)
        return granted

    async def has_access(
        self,
        user_id: str,
        resource_type: str,
        resource_id: str,
        permission: str = "read",
        user_group_ids: set[str] | None = None,
        db: AsyncSession | None = None,
    ) -> bool:
        """Return whether a user is granted this permission, in person, as one of all or as member of a group.

        Args:
            user_id: The user.
            resource_type: What kind of thing it is.
            resource_id: Its id.
            permission: What is to be done with it.
            user_group_ids: Their groups; None: those they are in and all above them.
            db: Ignored.
        """
        parameters = {
            "user_id": user_id,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "permission": permission,
        }
        granted: bool
        if user_group_ids is None:
            granted = await self._read("has_access", **parameters)
        else:
            granted = await self._read("has_access_by_groups", **parameters, user_group_ids=list(user_group_ids))
        return granted

    async def get_accessible_resource_ids(
        self,
        user_id: str,
        resource_type: str,
        resource_ids: list[str],
        permission: str = "read",
        user_group_ids: set[str] | None = None,
        db: AsyncSession | None = None,
    ) -> set[str]:
        """Return those of the resources for which `has_access` is true."""
        if not resource_ids:
            return set()
        parameters: dict[str, Any] = {
            "user_id": user_id,
            "resource_type": resource_type,
            "resource_ids": list(resource_ids),
            "permission": permission,
        }
        if user_group_ids is None:
            return set(await self._read("get_accessible_resource_ids", **parameters))
        parameters["user_group_ids"] = list(user_group_ids)
        return set(await self._read("get_accessible_resource_ids_by_groups", **parameters))

    async def get_users_with_access(
        self, resource_type: str, resource_id: str, permission: str = "read", db: AsyncSession | None = None
    ) -> list[Any]:
        """Return the users who are granted this permission."""
        grants = await self.get_grants_by_resource(resource_type, resource_id)
        user_ids = await self.get_user_ids_by_access_grants(grants, permission, db=db)
        return await neighbour("Users").get_users_by_user_ids(list(user_ids), db=db) if user_ids else []

    async def _replace(
        self, resource_type: str, resource_id: str, grants: list[dict[str, Any]]
    ) -> list[AccessGrantModel]:
        resource = {"resource_type": resource_type, "resource_id": resource_id}
        rows = [{**grant, **resource, "id": str(uuid.uuid4()), "created_at": int(time.time())} for grant in grants]
        grants = [self._encoded(row) for row in rows]
        return self._models_of(await self._write("replace_access_grants", **resource, grants=grants))
