"""The stream of PocketBase's realtime, kept open in the background; `session` says what to do.

The stream is asked for without credentials, so the server need prove nothing for it. The subscription is sent by the
client of the hot path, which has the server prove that it is ours, renews the token and repeats. A hook refuses to
subscribe anybody but a superuser: PocketBase itself would take a bad token for a guest, who is told nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import aclosing

import httpx
from httpx_sse import aconnect_sse

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.client.admin import certificates
from openwebui_pocketbase.client.errors import not_pocketbase, response_error, unavailable
from openwebui_pocketbase.realtime.session import TOPIC, Action, Connect, Disconnect, Session, Subscribe, Wake
from openwebui_pocketbase.tasks import BackgroundTask

__all__ = ["Announcements"]

log = logging.getLogger(__name__)

CONNECT = 10.0
"""Seconds for a connection to be made."""

TYPE = "text/event-stream"


class Announcements(BackgroundTask):
    """Hears at once, as long as it is started and PocketBase can be reached, that the change feed has grown.

    Args:
        client: Knows the server's address, and subscribes.
        woken: Called for each announcement, after each subscription, and when one ends; must return quickly.
    """

    def __init__(self, client: PocketBaseClient, woken: Callable[[], None]) -> None:
        super().__init__()
        self._client = client
        self._woken = woken
        self._session = Session(random.random)
        self._connect_at = 0.0
        self._is_lost = False

    @property
    def client_id(self) -> str:
        """The client that PocketBase tells of changes; ``""`` while it tells none."""
        return self._session.client_id

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._session = Session(random.random)
        async with _http() as http:
            await self._perform(self._session.begin(loop.time()))
            while True:
                await asyncio.sleep(self._connect_at - loop.time())
                try:
                    await self._listen(http)
                except Exception as error:  # noqa: BLE001 - whatever it was, the next stream may do
                    self._note_failure(error)
                finally:
                    await self._perform(self._session.closed(loop.time()))

    async def _listen(self, http: httpx.AsyncClient) -> None:
        """Open a stream and carry out what its events ask for, until it ends.

        Raises:
            RequestError: It could not be opened or subscribed, or was cut off.
        """
        loop = asyncio.get_running_loop()
        url = f"{self._client.url}/api/realtime"  # an embedded server can have moved
        await self._perform(self._session.opened())
        try:
            async with asyncio.timeout(self._session.patience) as limit, aconnect_sse(http, "GET", url) as source:
                await _check(url, source.response)
                async with aclosing(source.aiter_sse()) as events:
                    async for event in events:
                        await self._perform(self._session.received(event.event, event.data))
                        limit.reschedule(loop.time() + self._session.patience)
        except TimeoutError as error:
            silence = TimeoutError(f"nothing came for {self._session.patience:g} seconds")
            raise unavailable(url, silence) from error
        except httpx.HTTPError as error:
            raise unavailable(url, error) from error
        if not self._session.client_id:
            raise unavailable(url, ConnectionError("the stream ended before its client was subscribed"))

    async def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Connect(at):
                    self._connect_at = at
                case Subscribe(client_id):
                    await self._subscribe(client_id)
                case Wake():
                    self._woken()
                case Disconnect(reason):
                    raise not_pocketbase(f"{self._client.url}/api/realtime", reason)

    async def _subscribe(self, client_id: str) -> None:
        await self._client.subscribe(client_id, [TOPIC])
        if self._is_lost:
            self._is_lost = False
            log.info("PocketBase announces changes again.")
        await self._perform(self._session.subscribed(asyncio.get_running_loop().time()))

    def _note_failure(self, error: Exception) -> None:
        """Tell of a failure; streams that end are nothing special, and one that cannot be had is told of once."""
        if self._session.client_id:
            log.debug("The stream of PocketBase's announcements ended: %s", error)
        elif not self._is_lost:
            self._is_lost = True
            log.warning("PocketBase does not announce changes, so they are noticed later: %s", error)


def _http() -> httpx.AsyncClient:
    """Return what streams are opened with: straight to the server, like all requests to PocketBase."""
    return httpx.AsyncClient(
        # How long a stream may be silent is the session's matter.
        timeout=httpx.Timeout(CONNECT, read=None),
        limits=httpx.Limits(max_keepalive_connections=0),  # one that was kept may be dead, which counts as a failure
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
        verify=certificates(),
    )


async def _check(url: str, response: httpx.Response) -> None:
    """Raise the error of a reply that is no stream of events."""
    if response.status_code != httpx.codes.OK:
        raise response_error(url, response.status_code, await response.aread(), response.headers)
    kind = response.headers.get("Content-Type", "")
    if kind.partition(";")[0].strip() != TYPE:
        raise not_pocketbase(url, f"it answered with {kind or 'no type'} in place of {TYPE}")
