"""Protocols of the stock repositories of the group ``config``."""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["IConfigRepo"]


@runtime_checkable
class IConfigRepo(Protocol):
    """What callers use of ``Config``."""

    @staticmethod
    def configure(
        *, defaults: dict[str, Any] | None = None, enable_persistent: bool = True, enable_oauth_persistent: bool = False
    ) -> None: ...

    @staticmethod
    def default_value(key: str, default: Any = None) -> Any: ...

    @staticmethod
    def persistent_enabled_for(key: str) -> bool: ...

    @staticmethod
    async def get(key: str, default: Any = None) -> Any:
        """Get a config value by key. Returns default if not set."""

    @staticmethod
    async def get_many(*keys: str) -> dict[str, Any]:
        """Get multiple config values. Returns {key: value} for keys that exist."""

    @staticmethod
    async def get_namespace(namespace: str) -> dict[str, Any]:
        """Get all config keys under a dotted namespace."""

    @staticmethod
    async def get_all() -> dict[str, Any]:
        """Get all config as {key: value}."""

    @staticmethod
    async def upsert(updates: dict[str, Any], *, db: AsyncSession | None = None) -> None:
        """Upsert multiple config key-value pairs. Raises on failure."""

    @staticmethod
    async def delete(key: str) -> bool:
        """Delete a config key. Returns True if it existed."""

    @staticmethod
    async def clear() -> None:
        """Delete all config rows."""

    @staticmethod
    async def seed_defaults(defaults: dict[str, Any]) -> None:
        """Insert keys that don't yet exist in the DB."""

    @staticmethod
    async def rename_prefix(old_prefix: str, new_prefix: str) -> None:
        """Move persisted config keys from one dotted prefix to another."""

    @staticmethod
    async def repair_config_rows() -> None:
        """Repair known legacy config row shapes."""
