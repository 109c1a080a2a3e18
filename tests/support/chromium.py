"""Pages of Open WebUI in a real browser.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.chromium"]``.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from tests.support.services import require

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.openwebui import OpenWebUI

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or ""
SEEN = {"ui": {"version": "0.12.4"}}
"""Settings of somebody who has read what is new in this version."""

OpenPage = Callable[["OpenWebUI", str], Awaitable["Page"]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Chromium, as the system's packages install it."""
    require(bool(BINARY), "Chromium")
    async with async_playwright() as playwright:
        # As root Chromium has no sandbox.
        yield await playwright.chromium.launch(executable_path=BINARY, args=["--no-sandbox"])


@pytest.fixture
async def open_page(chromium: Browser) -> AsyncIterator[OpenPage]:
    """Opens the application as one of its users, each in a browser of their own."""
    contexts = []

    async def open_(instance: OpenWebUI, user: str) -> Page:
        answer = instance.request(user, "POST", "/api/v1/users/user/settings/update", json=SEEN)
        assert answer.is_success, answer.text
        size = {"width": 1280, "height": 800}
        contexts.append(await chromium.new_context(viewport=size, color_scheme="light", locale="en-US"))
        page = await contexts[-1].new_page()
        stored = {"token": instance.user(user).token, "theme": "light", "locale": "en-US"}
        await page.add_init_script("".join(f"localStorage.{name} = '{value}';" for name, value in stored.items()))
        await page.goto(instance.url)
        return page

    yield open_
    for context in contexts:
        await context.close()
