"""Whether a PocketBase that was started answers, and goes on answering."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from openwebui_pocketbase.server.network import local_url
from openwebui_pocketbase.server.probe import Reply, probe
from openwebui_pocketbase.server.squatter import describe_listener

if TYPE_CHECKING:
    from openwebui_pocketbase.server.pocketbase import PocketBase

__all__ = ["Vitals"]

# All in seconds.
PAUSE = 5.0  # between two questions, once it has answered
TIMEOUT = 2.0

MOST_MISSED = 6  # questions in a row without an answer, about half a minute

LISTENS = "Server started at"

logger = logging.getLogger("openwebui_pocketbase.supervisor")


class Vitals:
    """Asks one run of PocketBase whether it is there, and ends it when it does not react any more.

    Attributes:
        ready: Whether it has ever answered, and proved to be ours.
    """

    def __init__(self, process: PocketBase, *, host: str, port: int, key: str) -> None:
        self._process = process
        self._port = port
        self._url = local_url(host, port)
        self._key = key
        self._missed = 0
        self._named = False
        self._next = 0.0
        self.ready = False

    def check(self) -> None:
        """Ask, if it is time to."""
        if time.monotonic() < self._next:
            return
        reply = probe(self._url, self._key, seconds=TIMEOUT)
        # A port where nothing listens is no sign: PocketBase starts itself anew when it restores a backup.
        self._missed = self._missed + 1 if reply is Reply.NONE else 0
        if reply is Reply.PROVED:
            self.ready = True
        elif reply is Reply.OTHER and not (self.ready or self._named):
            self._named = True
            logger.error("On port %d answers %s, not PocketBase", self._port, describe_listener(self._port))
        if self._missed >= MOST_MISSED and (self.ready or self._process.said(LISTENS)):
            logger.error("PocketBase (process %d) accepts connections and does not answer: killed", self._process.pid)
            self._process.kill()
        self._next = time.monotonic() + (PAUSE if self.ready else 0)
