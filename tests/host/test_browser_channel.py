"""Two people in a channel, each in a browser, with everything in PocketBase: both see at once what either does."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

    from tests.support.chromium import OpenPage
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui", "tests.support.chromium"]

QUESTION = "Shall we swim in the lake today?"
CHANGED = "Shall we swim in the lake **tomorrow**?"
READ = "Shall we swim in the lake tomorrow?"
REPLY = "Yes, at noon!"
OTHER = "Who has the boat?"
GRINNING = "1F600"


async def test_two_people_see_what_either_does(embedded: OpenWebUI, open_page: OpenPage) -> None:
    alice, bob = await asyncio.gather(open_page(embedded, "alice"), open_page(embedded, "bob"))
    form = {"type": "group", "name": "lake", "user_ids": [embedded.user("bob").id]}
    channel = embedded.request("alice", "POST", "/api/v1/channels/create", json=form).raise_for_status().json()
    address = f"/channels/{channel['id']}"
    await asyncio.gather(alice.goto(address), bob.goto(address))
    await expect(bob.get_by_text("This is the very beginning of the lake channel.")).to_be_visible()

    await _write(alice, "Type here...", QUESTION)
    await expect(_message(bob, QUESTION)).to_be_visible()

    await _press(_message(bob, QUESTION), "Reply in Thread")
    await _write(bob, "Reply to thread...", REPLY)
    await expect(_message(alice, QUESTION).get_by_text("1 Replies")).to_be_visible()
    await _press(_message(alice, QUESTION), "Reply in Thread")
    await expect(alice.get_by_text(REPLY)).to_be_visible()

    await _react(bob, _message(bob, QUESTION))
    await expect(_reaction(_message(alice, QUESTION))).to_be_visible()

    await _message(alice, QUESTION).hover()
    await _message(alice, QUESTION).locator("button[id^=edit-message-]").click()
    await _channel(alice).locator("textarea").fill(CHANGED)
    await alice.get_by_role("button", name="Save").click()
    for page in (alice, bob):
        await expect(_message(page, READ)).to_be_visible()
        await expect(_message(page, QUESTION)).to_have_count(0)

    await _write(bob, "Type here...", OTHER)
    await expect(_message(alice, OTHER)).to_be_visible()
    if target := os.environ.get("OWUI_TEST_SCREENSHOT"):
        await alice.mouse.move(640, 200)
        await alice.screenshot(path=target)
    await _message(bob, OTHER).hover()
    await _message(bob, OTHER).locator("button:not([aria-label])").nth(3).click()
    await bob.get_by_role("button", name="Confirm").click()
    for page in (alice, bob):
        await expect(_message(page, OTHER)).to_have_count(0)

    # It is all the same after a reload.
    for page in (alice, bob):
        await page.reload()
        await expect(_message(page, READ).get_by_text("1 Replies")).to_be_visible()
        await expect(_reaction(_message(page, READ))).to_be_visible()
        await expect(_message(page, OTHER)).to_have_count(0)


def _channel(page: Page) -> Locator:
    return page.locator("#messages-container").first


def _message(page: Page, text: str) -> Locator:
    """Return a message of the channel itself, with its buttons."""
    return _channel(page).locator("div[id^=message-]:has(button[aria-haspopup=true])").filter(has_text=text)


async def _write(page: Page, where: str, text: str) -> None:
    await page.get_by_role("textbox", name=where).click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def _press(message: Locator, button: str) -> None:
    await message.hover()
    await message.get_by_role("button", name=button).click()


async def _react(page: Page, message: Locator) -> None:
    await message.hover()
    await message.locator("button[aria-haspopup=true]").first.click()
    await page.get_by_role("menu").locator(f"img[alt='{GRINNING}']").click()


def _reaction(message: Locator) -> Locator:
    return message.locator("button img[src*='emojis']")
