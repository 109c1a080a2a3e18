"""Days and parts of days in a time zone.

Only PocketBase sees the messages, and only this process knows time zones: the offsets from UTC go along with the
request, and the reply is already counted by parts of the day.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

__all__ = ["clock", "day_name", "local", "parts_of_day"]

_DAY = 86_400

_EARLIEST = 1_577_836_800
"""The beginning of 2020, in seconds since 1970; the host takes messages from before for new ones."""

_LARGEST_SECONDS = 10_000_000_000
"""The host takes what is larger for milliseconds."""


def day_name(number: int) -> str:
    """Return the date of a day counted from 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + number).isoformat()


def local(seconds: int) -> datetime:
    """Return local time, counted in seconds from 1970."""
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - of whichever zone


def clock(seconds: float) -> datetime:
    """Return what this process's clock shows, seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().replace(tzinfo=None)


def parts_of_day(
    zone: tzinfo | None, start: int | None, end: int | None, *, size: int = _DAY, shift: int = 0
) -> dict[str, Any]:
    """Return the parameters that tell PocketBase which part of the day a message is from.

    Args:
        zone: Time zone, None for that of this process.
        start: First time that counts; None for all.
        end: Last time that counts.
        size: Seconds of each part.
        shift: Seconds by which all messages are moved.
    """
    now = time.time()
    # Without an end, and with one in milliseconds, there may be messages whose time is in milliseconds, from any day.
    first = start if start and end and start >= _EARLIEST and end <= _LARGEST_SECONDS else _EARLIEST
    offsets = _offsets(zone, int(min(first, now)) + shift, int(now) + _DAY + 1 + shift)
    return {"now": now, "zone": offsets, "size": size, "shift": shift}


def _offsets(zone: tzinfo | None, first: int, last: int) -> list[list[int]]:
    """Return a zone's offsets from UTC, each with the second since 1970 it begins at; none lasts less than a day."""
    offsets = [[first, _offset(zone, first)]]
    for day in range(first, last, _DAY):
        low, high = day, min(day + _DAY, last)
        offset = _offset(zone, high)
        if offset == offsets[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset(zone, middle) == offset else (middle, high)
        offsets.append([high, offset])
    return offsets


def _offset(zone: tzinfo | None, second: int) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
