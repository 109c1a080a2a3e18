"""Pages of Open WebUI, and of PocketBase's dashboard, in a real browser.

This is a pytest plugin; modules that need its fixtures say ``pytest_plugins = ["tests.support.chromium"]``.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright, expect

from tests.support.services import require

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, ViewportSize

    from tests.support.openwebui import OpenWebUI

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or ""
SEEN = {"ui": {"version": "0.12.4"}}
"""Settings of somebody who has read what is new in this version."""

PATIENCE = 60_000
"""Milliseconds to wait for what is meant to be seen soon."""

OpenPage = Callable[["OpenWebUI", str], Awaitable["Page"]]


async def open_dashboard(page: Page, identity: str, password: str) -> None:
    """Sign in to PocketBase's dashboard."""
    await page.goto("/_/")
    await page.locator("input[type=email]").fill(identity)
    await page.locator("input[type=password]").fill(password)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="New record")).to_be_visible()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Chromium, as the system's packages install it."""
    require(bool(BINARY), "Chromium")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        # As root Chromium has no sandbox.
        yield await playwright.chromium.launch(executable_path=BINARY, args=["--no-sandbox"])


@pytest.fixture
async def open_page(chromium: Browser) -> AsyncIterator[OpenPage]:
    """Signs in to the application as one of its users, each in a browser of their own."""
    contexts = []

    async def open_(instance: OpenWebUI, user: str) -> Page:
        answer = instance.request(user, "POST", "/api/v1/users/user/settings/update", json=SEEN)
        assert answer.is_success, answer.text
        size: ViewportSize = {"width": 1280, "height": 800}
        context = await chromium.new_context(viewport=size, color_scheme="light", locale="en-US", base_url=instance.url)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        await context.add_init_script("localStorage.theme = 'light'; localStorage.locale = 'en-US';")
        page = await context.new_page()
        await page.goto("/auth")
        await page.locator("input[type=email]").fill(f"{user}@example.com")
        await page.locator("input[type=password]").fill(instance.password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.locator("#chat-input").wait_for()
        return page

    yield open_
    for context in contexts:
        await context.close()
