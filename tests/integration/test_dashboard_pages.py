"""What is to be seen of the collections in PocketBase's dashboard, in a real browser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.support.chromium import open_dashboard
from tests.support.dashboard import BEGIN, chat_id, furnish, person
from tests.support.pocketbase import IDENTITY, PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from tests.support.pocketbase import PocketBaseProcess

pytest_plugins = ["tests.support.chromium"]

GREENHOUSE = chat_id("A greenhouse on the balcony")
NOBODY = "a0000000-0000-4000-8000-00000000ffff"


@pytest.fixture
async def dashboard(own_pocketbase: PocketBaseProcess, chromium: Browser) -> AsyncIterator[Page]:
    """The dashboard of a small site."""
    await furnish(own_pocketbase)
    context = await chromium.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        locale="en-US",
        timezone_id="UTC",
        base_url=own_pocketbase.url,
    )
    page = await context.new_page()
    await open_dashboard(page, IDENTITY, PASSWORD)
    yield page
    await context.close()


async def show(page: Page, collection: str, record: str = "") -> Locator:
    """Go to a collection, and to a record to edit; return the first row of the list."""
    await page.goto(f"/_/#/collections?collection={collection}{record and f'&record={record}'}")
    await expect(page.locator(".page-header, header").get_by_text(collection).first).to_be_visible()
    return page.locator("table.records-table tbody tr").first


def cell(row: Locator, name: str) -> Locator:
    return row.locator(f"td[data-name={name}]")


def run(server: PocketBaseProcess, *statements: str) -> list[dict[str, Any]]:
    """Return what the last statement gives."""
    with server.admin() as admin:
        return [admin.sql(each) for each in statements][-1]


async def test_messages_read_like_a_conversation(dashboard: Page) -> None:
    asked: list[str] = []
    dashboard.on("request", lambda request: asked.append(request.url))
    row = await show(dashboard, "owui_chat_messages")
    await expect(cell(row, "role")).to_have_text("assistant")
    await expect(cell(row, "content")).to_contain_text("Feed the starter twice a day for a while")
    await expect(cell(row, "chat_id")).to_have_text("Bread without a machine")
    await expect(cell(row, "user_id")).to_have_text("Alan Turing")
    await expect(cell(row, "created_at")).to_have_text("2026-11-3012:22:21Z")
    assert len([url for url in asked if person("Alan Turing") in url]) == 1  # of all rows at once
    headers = await dashboard.locator("table.records-table thead th.sort-handle").all_inner_texts()
    assert headers[:8] == ["role", "content", "chat_id", "user_id", "model_id", "created_at", "done", "id"]
    if target := os.environ.get("OWUI_TEST_SCREENSHOT"):
        await dashboard.screenshot(path=target)


async def test_edits(dashboard: Page, own_pocketbase: PocketBaseProcess) -> None:
    """What is shown otherwise than it is stored is stored as it was."""
    everything = "SELECT * FROM owui_chats ORDER BY id"
    before = await asyncio.to_thread(run, own_pocketbase, everything)
    await show(dashboard, "owui_chats", GREENHOUSE)
    number = dashboard.locator("input[name=created_at]")
    beside = dashboard.locator(".record-field-input", has=number)
    await expect(number).to_have_value(str(BEGIN))
    await expect(beside).to_contain_text("2026-11-30 09:00:00Z")
    await number.fill(str(BEGIN + 60))
    await expect(beside).to_contain_text("2026-11-30 09:01:00Z")
    await dashboard.locator("textarea[name=title]").fill("A greenhouse on the roof")
    await dashboard.get_by_role("button", name="Save changes").click()
    row = dashboard.locator("table.records-table tbody tr", has_text="A greenhouse on the roof")
    await expect(cell(row, "user_id")).to_have_text("Ada Lovelace")
    await expect(cell(row, "created_at")).to_have_text("2026-11-3009:01:00Z")
    after = await asyncio.to_thread(run, own_pocketbase, everything)
    changed = {name for name, value in after[0].items() if value != before[0][name]}
    of_hooks = {"title_folded", "chat", "version", "updated", "doc"}
    assert changed - of_hooks == {"title", "created_at"}
    assert after[1:] == before[1:]


async def test_times_and_ids_that_are_none(dashboard: Page, own_pocketbase: PocketBaseProcess) -> None:
    """Nanoseconds, no time, what is no time, and somebody who is not there; and what is not ours."""
    with own_pocketbase.admin() as admin:
        fields = [{"name": "left_at", "type": "number"}, {"name": "user_id", "type": "text"}]
        admin.import_collections([{"name": "trips", "type": "base", "fields": fields}])
        admin.send("POST", "/api/collections/trips/records", {"left_at": BEGIN, "user_id": person("Alan Turing")})
        admin.sql(f"UPDATE owui_notes SET updated_at = 'soon', user_id = '{NOBODY}'")
        admin.sql(f"UPDATE owui_chats SET updated_at = 0 WHERE id != '{GREENHOUSE}'")
    note = await show(dashboard, "owui_notes")
    await expect(cell(note, "created_at")).to_have_text("2026-11-3009:00:00.123Z")
    await expect(cell(note, "updated_at")).to_have_text("soon")
    await expect(cell(note, "user_id")).to_have_text(NOBODY)
    chat = await show(dashboard, "owui_chats")
    await expect(cell(chat, "title")).to_have_text("Bread without a machine")
    assert await cell(chat, "updated_at").inner_text() == ""
    await dashboard.reload()  # which gets the new collection
    trip = await show(dashboard, "trips")
    await expect(cell(trip, "left_at")).to_have_text(str(BEGIN))
    await expect(cell(trip, "user_id")).to_have_text(person("Alan Turing"))
