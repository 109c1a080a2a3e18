"""What is to be seen of the collections in PocketBase's dashboard, in a real browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.dashboard import furnish, sign_in

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.pocketbase import PocketBaseProcess

pytest_plugins = ["tests.support.chromium"]


@pytest.fixture
async def dashboard(own_pocketbase: PocketBaseProcess, chromium: Browser) -> AsyncIterator[Page]:
    """The dashboard of a small site."""
    await furnish(own_pocketbase)
    context = await chromium.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        locale="en-US",
        timezone_id="Europe/Berlin",
        base_url=own_pocketbase.url,
    )
    page = await context.new_page()
    page.on("console", lambda m: print(m.type, m.text))
    page.on("pageerror", lambda m: print("ERR", m))
    await sign_in(page)
    yield page
    await context.close()


async def test_messages(dashboard: Page) -> None:
    from tests.support.dashboard import chat_id
    await dashboard.goto(f"/_/#/collections?collection=owui_chats&record={chat_id('Ferries to the island')}")
    await dashboard.wait_for_timeout(3000)
    await dashboard.screenshot(path="/tmp/dashboard/shot.png")
    await dashboard.evaluate("app.modals.openRecordPreview({id: '%s', collectionName: 'owui_chats'})" % chat_id('Ferries to the island'))
    await dashboard.wait_for_timeout(3000)
    await dashboard.screenshot(path="/tmp/dashboard/shot2.png")
