"""Files of 50 MB, sent to the whole application and fetched from it."""

from __future__ import annotations

import random
from functools import cache

from bench.http_requests import Asked, Chats, Sender

__all__ = ["FILES"]

SIZE = 50 << 20
KEPT = 4
"""How many files are fetched in turn."""


@cache
def _contents() -> bytes:
    return random.Random(1).randbytes(SIZE)


def _name(number: int) -> str:
    return f"file-{number}.bin"


async def _upload(sender: Sender, _chats: Chats, number: int) -> bool:
    """Send a file that nothing is extracted from."""
    found = await sender.upload("/api/v1/files/?process=false", _name(number), _contents())
    return bool(found["meta"]["size"] == SIZE)


async def _path(sender: Sender, chats: Chats, number: int) -> str:
    """Return where a file is; the warming up sends those that are missing."""
    name = _name(number % KEPT)
    if name not in sender.uploaded:
        await _upload(sender, chats, number % KEPT)
    return f"/api/v1/files/{sender.uploaded[name]}/content"


async def _read(sender: Sender, chats: Chats, number: int) -> bool:
    return await sender.download(await _path(sender, chats, number)) == SIZE


async def _read_first(sender: Sender, chats: Chats, number: int) -> bool:
    """Fetch a file of which there is no local copy."""
    path = await _path(sender, chats, number)
    await sender.forget_copies()
    return await sender.download(path) == SIZE


FILES = (
    Asked("POST /api/v1/files/ (50 MB)", _upload, limit=1.3, fewest=(KEPT, 0), clients=(1,)),
    Asked("GET /api/v1/files/{id}/content, again", _read, limit=1.1, fewest=(4, 0), clients=(1,)),
    Asked("GET /api/v1/files/{id}/content, first", _read_first, limit=1.5, fewest=(4, 0), clients=(1,)),
)
"""What is measured, by one client."""
