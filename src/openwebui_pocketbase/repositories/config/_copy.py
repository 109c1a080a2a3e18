"""The configuration as this process knows it.

Each answer of PocketBase names the version of the configuration. Once a request to Open WebUI has had such an answer,
it is known whether the copy is current; if it has had none yet, PocketBase is asked. So a request sees whatever was
stored before it began, nearly always without a read for this purpose.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from openwebui_pocketbase.client.wire import lenient_loads
from openwebui_pocketbase.codec import NULL, Json
from openwebui_pocketbase.host_request import serving
from openwebui_pocketbase.repositories.base import JSON, Requests
from openwebui_pocketbase.shared_reads import SharedReads

__all__ = ["Copy", "Snapshot", "like"]


class Snapshot:
    """All keys and values of one moment.

    Args:
        version: PocketBase's name of that moment; "" for none.
        entries: Keys and the JSON texts of their values, oldest first; numbers come as such.

    Attributes:
        version: The same.
    """

    def __init__(self, version: str, entries: Iterable[tuple[str, Any]]) -> None:
        self.version = version
        self._stored = dict(entries)
        self._documents: dict[str, Json] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def document(self, key: str) -> Json:
        """Return the value of a key.

        Raises:
            KeyError: There is none.
            ValueError: It is no JSON: raw SQL has left it.
        """
        found = self._documents.get(key)
        if found is None:
            stored = self._stored[key]
            if stored is None:  # as PocketBase stores what was emptied in the dashboard
                found = NULL
            else:
                found = JSON.parsed(stored) if isinstance(stored, str) else Json(str(stored), stored)
            self._documents[key] = found
        return found

    def value(self, key: str) -> Any:
        """Return the value of a key as an object of the caller's own; errors as of `document`."""
        return self.document(key).copy()

    def values(self, is_wanted: Callable[[str], Any]) -> dict[str, Any]:
        """Return the values of some keys, oldest first."""
        return {key: self.value(key) for key in self._stored if is_wanted(key)}


class Copy:
    """Keeps the newest snapshot that this process has.

    Attributes:
        known: That one; it may not be right any more.
    """

    def __init__(self) -> None:
        self.known = Snapshot("", ())
        self._reads = SharedReads()

    async def current(self, pocketbase: Requests) -> Snapshot:
        """Return the values as they were at some time since the request that is being served began, or as they are."""
        request = serving.get()
        if request is not None and request.is_fresh and request.config == self.known.version:
            return self.known
        asked_at = time.monotonic()
        snapshot = await self.read(pocketbase)
        if request is not None:
            request.note(snapshot.version, asked_at)
        return snapshot

    async def read(self, pocketbase: Requests) -> Snapshot:
        """Return the values as they are now; many who ask at once, as after each change, share a request."""
        snapshot: Snapshot = await self._reads.read("", lambda: self._read(pocketbase))
        return snapshot

    async def _read(self, pocketbase: Requests) -> Snapshot:
        known = self.known
        reply = lenient_loads(await pocketbase.read_bytes("config/get_entries", {"version": known.version}))
        if reply is None:
            return known
        self.known = Snapshot(reply["version"], map(tuple, reply["entries"]))
        return self.known


def like(pattern: str) -> Callable[[str], Any]:
    """Return a test whether a key is LIKE a pattern, as SQLite sees it: ``%``, ``_``, and ASCII letters of any case."""
    parts = (".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL | re.IGNORECASE | re.ASCII).fullmatch
