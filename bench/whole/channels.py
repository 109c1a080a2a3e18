"""Channels of the whole application: the list of 100, a page of messages, and posting."""

from __future__ import annotations

import asyncio

from bench.chat_data import text
from bench.whole.browser import Browser
from bench.whole.chats import Asked, Chats

__all__ = ["CHANNELS"]

TOTAL = 100
MESSAGES = 5
"""How many messages each channel has at first."""

PAGE = 50
AT_ONCE = 4


async def _ids(browser: Browser) -> list[str]:
    """Return the ids of the channels; the warming up makes them, and the first one's page of messages."""
    if not browser.channels:
        made = [await _create(browser, number) for number in range(TOTAL)]
        posts = iter([*made * MESSAGES, *made[:1] * PAGE])

        async def post() -> None:
            for id_ in posts:
                await _post_to(browser, id_, 0)

        await asyncio.gather(*(post() for _ in range(AT_ONCE)))
        browser.channels += made
    return browser.channels


async def _create(browser: Browser, number: int) -> str:
    everybody = {"principal_type": "user", "principal_id": "*", "permission": "read"}
    form = {"name": f"channel-{number}", "description": "", "access_grants": [everybody]}
    return str((await browser.post("/api/v1/channels/create", form))["id"])


async def _post_to(browser: Browser, channel: str, number: int) -> bool:
    form = {"content": f"{text(number)[:150]} {number}", "data": {}}
    found = await browser.post(f"/api/v1/channels/{channel}/messages/post", form)
    return bool(found["content"] == form["content"])


async def _list(browser: Browser, _chats: Chats, _number: int) -> bool:
    await _ids(browser)
    found = await browser.get("/api/v1/channels/")
    return len(found) == TOTAL and all(channel["last_message_at"] for channel in found)


async def _page(browser: Browser, _chats: Chats, _number: int) -> bool:
    channel = (await _ids(browser))[0]
    return len(await browser.get(f"/api/v1/channels/{channel}/messages?skip=0&limit={PAGE}")) == PAGE


async def _post(browser: Browser, _chats: Chats, number: int) -> bool:
    ids = await _ids(browser)
    return await _post_to(browser, ids[number % TOTAL], number)


CHANNELS = (
    Asked("GET /api/v1/channels/", _list, limit=0.2, fewest=(5, 1)),
    Asked("GET /api/v1/channels/{id}/messages", _page),
    Asked("POST /api/v1/channels/{id}/messages/post", _post),
)
"""What is measured; the list comes first, as its channels then have the same messages in both applications."""
