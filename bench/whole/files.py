"""Files of 50 MB, sent to the whole application and fetched from it."""

from __future__ import annotations

import random
from functools import cache

from bench.whole.browser import Browser
from bench.whole.chats import Asked, Chats

__all__ = ["FILES"]

SIZE = 50 << 20
KEPT = 4
"""How many files are fetched in turn."""


@cache
def _contents() -> bytes:
    return random.Random(1).randbytes(SIZE)


def _name(number: int) -> str:
    return f"file-{number}.bin"


async def _upload(browser: Browser, _chats: Chats, number: int) -> bool:
    """Send a file that nothing is extracted from."""
    found = await browser.upload("/api/v1/files/?process=false", _name(number), _contents())
    return bool(found["meta"]["size"] == SIZE)


async def _path(browser: Browser, chats: Chats, number: int) -> str:
    """Return where a file is; the warming up sends those that are missing."""
    name = _name(number % KEPT)
    if name not in browser.uploaded:
        await _upload(browser, chats, number % KEPT)
    return f"/api/v1/files/{browser.uploaded[name]}/content"


async def _read(browser: Browser, chats: Chats, number: int) -> bool:
    return await browser.download(await _path(browser, chats, number)) == SIZE


async def _read_first(browser: Browser, chats: Chats, number: int) -> bool:
    """Fetch a file of which there is no local copy."""
    path = await _path(browser, chats, number)
    await browser.forget_copies()
    return await browser.download(path) == SIZE


FILES = (
    Asked("POST /api/v1/files/ (50 MB)", _upload, limit=1.3, fewest=(KEPT, 0), clients=(1,)),
    Asked("GET /api/v1/files/{id}/content, again", _read, limit=1.1, fewest=(4, 0), clients=(1,)),
    Asked("GET /api/v1/files/{id}/content, first", _read_first, limit=1.5, fewest=(4, 0), clients=(1,)),
)
"""What is measured, by one client."""
