"""The host's table ``config``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import open_webui.models.config as host
from fastapi.encoders import jsonable_encoder
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.exceptions import ConflictError
from openwebui_pocketbase.repositories.base import PocketBaseRepository
from openwebui_pocketbase.repositories.config._copy import Copy, Snapshot, like
from openwebui_pocketbase.repositories.config._repairs import Change, renaming, repairs

__all__ = ["PocketBaseConfig"]

log = logging.getLogger(host.__name__)

ATTEMPTS = 20
"""So often a change is made from the present values, which others may change at that moment."""


class PocketBaseConfig(PocketBaseRepository):
    """What replaces the methods of the class `open_webui.models.config.Config`, with its rows in PocketBase.

    The class itself stays, with its defaults and switches: it is what the host's modules have imported.
    """

    route = "config"
    table = "config"

    @cached_property
    def _copy(self) -> Copy:
        return Copy()

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key; if it is not stored, its default, or the given one."""
        if host.Config.persistent_enabled_for(key):
            snapshot = await self._copy.current(self.pocketbase)
            if key in snapshot:
                return snapshot.value(key)
        return host.Config.default_value(key, default)

    async def get_many(self, *keys: str) -> dict[str, Any]:
        """Return the values of keys which are stored or have a default."""
        stored: dict[str, Any] = {}
        if enabled := [key for key in keys if host.Config.persistent_enabled_for(key)]:
            snapshot = await self._copy.current(self.pocketbase)
            stored = {key: snapshot.value(key) for key in enabled if key in snapshot}
        return {
            key: stored[key] if key in stored else host.Config.default_value(key)
            for key in keys
            if key in stored or key in host.Config.DEFAULTS
        }

    async def get_namespace(self, namespace: str) -> dict[str, Any]:
        """Return the values of all keys below ``namespace.``."""
        defaults = {
            key: value
            for key, value in host.Config.DEFAULTS.items()
            if key.startswith(f"{namespace}.") and not host.Config.persistent_enabled_for(key)
        }
        if not host.Config.PERSISTENT_ENABLED:
            return defaults
        snapshot = await self._copy.current(self.pocketbase)
        return snapshot.values(like(f"{namespace}.%")) | defaults

    async def get_all(self) -> dict[str, Any]:
        """Return the values of all keys."""
        if not host.Config.PERSISTENT_ENABLED:
            return dict(host.Config.DEFAULTS)
        values = (await self._copy.current(self.pocketbase)).values(lambda _key: True)
        if not host.Config.OAUTH_PERSISTENT_ENABLED:
            values |= {key: value for key, value in host.Config.DEFAULTS.items() if key.startswith("oauth.")}
        return values

    async def upsert(self, updates: dict[str, Any], *, db: AsyncSession | None = None) -> None:
        """Store values, all or none; those that the process keeps for itself become defaults."""
        if wanted := _persistent(updates):
            await self._change(Change(set=wanted))

    async def delete(self, key: str) -> bool:
        """Remove a key; return whether it was there."""
        _, removed = await self._change(Change(removed=[key]))
        return bool(removed)

    async def clear(self) -> None:
        """Remove all keys."""
        await self._write("clear")

    async def seed_defaults(self, defaults: dict[str, Any]) -> None:
        """Store the values of keys that are not there."""
        snapshot = await self._copy.current(self.pocketbase)
        missing = {
            key: jsonable_encoder(value)
            for key, value in defaults.items()
            if host.Config.persistent_enabled_for(key) and key not in snapshot
        }
        if missing:
            added, _ = await self._change(Change(added=missing))
            if added:
                log.info("Seeded %d new config defaults", added)

    async def rename_prefix(self, old_prefix: str, new_prefix: str) -> None:
        """Give keys below a prefix another prefix; a key that is there under the new one stays."""
        if not host.Config.PERSISTENT_ENABLED:
            return
        change = await self._change_from(lambda snapshot: renaming(snapshot, old_prefix, new_prefix))
        if change is not None:
            log.info(
                "Renamed %d config keys from %s.* to %s.*; deleted %d old duplicates",
                len(change.added),
                old_prefix,
                new_prefix,
                len(change.removed) - len(change.added),
            )

    async def repair_config_rows(self) -> None:
        """Set right what earlier versions of Open WebUI have stored in other forms."""
        if not host.Config.PERSISTENT_ENABLED:
            return
        change = await self._change_from(repairs)
        if change is None:
            return
        if change.repaired or change.removed:
            log.info("Repaired flattened dict config rows for %s", ", ".join(change.repaired))
        if models := [key for key in change.set if key not in change.repaired]:
            log.info("Repaired default model config rows for %s", ", ".join(models))

    async def entries(self, keys: Iterable[str]) -> tuple[str, dict[str, Any]]:
        """Return what some keys have now, and the version of that for `change_and_revoke`."""
        snapshot = await self._copy.read(self.pocketbase)
        return snapshot.version, {key: snapshot.value(key) for key in keys if key in snapshot}

    async def change_from(self, version: str, updates: Mapping[str, Any], *, revoke: bool) -> list[str]:
        """Store values, and perhaps end all sessions, in one transaction.

        Args:
            version: See `entries`.
            updates: Keys and values; see `upsert`.
            revoke: Whether all sessions are ended.

        Returns:
            The ids of all users if their sessions were ended.

        Raises:
            ConflictError: The configuration has another version by now; nothing is changed.
        """
        body = self._body(Change(set=_persistent(updates)), version)
        reply = await self._write("change_and_revoke" if revoke else "change", **body)
        return list(reply) if revoke else []

    async def _change_from(self, make: Callable[[Snapshot], Change]) -> Change | None:
        """Make a change of the present values; return it, None if there is nothing to change."""
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            snapshot = await self._copy.read(self.pocketbase)
            change = make(snapshot)
            try:
                if change:
                    await self._write("change", **self._body(change, snapshot.version))
            except ConflictError as error:
                if error.code != "config_changed" or not attempts:
                    raise
            else:
                return change or None

    async def _change(self, change: Change) -> tuple[int, int]:
        added, removed = await self._write("change", **self._body(change, None))
        return added, removed

    def _body(self, change: Change, version: str | None) -> dict[str, Any]:
        return {
            "version": version,
            "set": [[key, self._text(key, value)] for key, value in change.set.items()],
            "added": [[key, self._text(key, value)] for key, value in change.added.items()],
            "removed": [*change.removed],
            "now": int(time.time()),
        }

    def _text(self, key: str, value: Any) -> str:
        """Return a value as it is stored; an equal one, which may be spelled otherwise, stays as it is."""
        known = self._copy.known
        with suppress(ValueError):  # what raw SQL has left is replaced
            if key in known and known.value(key) == value:
                return known.document(key).text
        return str(self._encoded({"value": value})["value"] or "null")


def _persistent(updates: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored; the rest becomes defaults of this process."""
    stored = {}
    for key, value in updates.items():
        encoded = jsonable_encoder(value)
        if host.Config.persistent_enabled_for(key):
            stored[key] = encoded
        else:
            host.Config.DEFAULTS[key] = encoded
    return stored
