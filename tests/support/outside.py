"""Somebody who changes records in PocketBase, beside people who use Open WebUI."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI
    from tests.support.sockets import Listener


class PocketBase:
    """Somebody who works with PocketBase itself."""

    def __init__(self, instance: OpenWebUI) -> None:
        self._instance = instance

    async def send(self, method: str, collection: str, id: str = "", **columns: Any) -> Any:
        path = f"/api/collections/{collection}/records{'/' if id else ''}{id}"
        return await asyncio.to_thread(self._send, method, path, columns)

    async def sql(self, statement: str) -> Any:
        def run() -> Any:
            with self._instance.admin() as admin:
                return admin.sql(statement)

        return await asyncio.to_thread(run)

    def _send(self, method: str, path: str, columns: dict[str, Any]) -> Any:
        with self._instance.admin() as admin:
            return admin.send(method, path, columns or None)


async def request(instance: OpenWebUI, user: str, method: str, path: str, body: Any = None) -> Any:
    answer = await asyncio.to_thread(instance.request, user, method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def id_of(instance: OpenWebUI, name: str) -> str:
    return (await asyncio.to_thread(instance.user, name)).id


async def settled(pocketbase: PocketBase, listener: Listener, user: str) -> None:
    """Return when all that was to be told before has been told: what is told later has come."""
    made = await pocketbase.send("POST", "owui_tags", key=uuid.uuid4().hex, name="settled", user_id=user)
    await listener.until(("chat:tags", None))
    await pocketbase.send("DELETE", "owui_tags", made["id"])
