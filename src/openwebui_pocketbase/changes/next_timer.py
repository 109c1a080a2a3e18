"""When the next timer is due, so that the host, which looks every second, need not ask PocketBase each time."""

from __future__ import annotations

from openwebui_pocketbase.changes.feed import Feed, Page
from openwebui_pocketbase.client import PocketBaseClient

__all__ = ["NextTimer", "next_timer"]

COLLECTION = "owui_chats"
"""Timers are chats."""

Moment = tuple[int, int]
"""What had happened when a question was asked."""


class NextTimer:
    """Remembers when the next timer is due, until a chat changes.

    A timer that this process sets is known at once, by the number of its own newest change. Timers of others are
    known when the feed tells of them, within two seconds; their own process looks as well. Without a feed nothing is
    remembered.
    """

    def __init__(self) -> None:
        self._client: PocketBaseClient | None = None
        self._feed: Feed | None = None
        self._version = 0
        self._known: tuple[str | None, Moment] | None = None

    def follow(self, client: PocketBaseClient, feed: Feed) -> None:
        """Begin to remember.

        Args:
            client: Makes the changes of this process.
            feed: Tells of all changes.
        """
        self._client, self._feed, self._known = client, feed, None
        feed.listen(self._notice)

    def leave(self, client: PocketBaseClient) -> None:
        """Remember nothing from now on, unless another client's changes are followed by now."""
        if self._client is client:
            self._client = self._feed = self._known = None

    def moment(self) -> Moment:
        """Return what has happened so far; to be taken before the question."""
        return self._version, self._client.written if self._client is not None else 0

    def may_be_due(self, due: str) -> bool:
        """Return whether a timer may be due at a time, as PocketBase has it."""
        if self._known is None or self._feed is None or not self._feed.is_reading:
            return True
        at, moment = self._known
        return moment != self.moment() or (at is not None and at <= due)

    def note(self, at: str | None, moment: Moment) -> None:
        """Remember when the next timer is due, None if there is none.

        Args:
            at: The time, as PocketBase has it.
            moment: What had happened when it was asked for: if more has by now, the answer may be out of date.
        """
        self._known = (at, moment)

    def _notice(self, page: Page) -> None:
        if not page.follows or any(change.collection == COLLECTION for change in page.changes):
            self._version += 1


next_timer = NextTimer()
"""The one of this process."""
