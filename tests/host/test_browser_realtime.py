"""What somebody changes in PocketBase appears in open browsers, without a reload: over its API and in its dashboard."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.support.chromium import open_dashboard
from tests.support.processes import eventually

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.support.chromium import OpenPage
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui", "tests.support.chromium"]

CHAT = {
    "chat": {
        "title": "Plans for the lake",
        "models": [""],
        "history": {
            "messages": {
                "q": {"id": "q", "role": "user", "content": "Where is the boat?", "parentId": None, "childrenIds": []}
            },
            "currentId": "q",
        },
    }
}


@pytest.fixture
def lena() -> str:
    """Somebody who has no other chats."""
    return f"lena-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def pages(embedded: OpenWebUI, open_page: OpenPage, lena: str) -> tuple[Page, Page, dict[str, Any]]:
    """Two browsers of one person, one of which has a chat open."""
    one, two = await asyncio.gather(open_page(embedded, lena), open_page(embedded, lena))
    chat = embedded.request(lena, "POST", "/api/v1/chats/new", json=CHAT).raise_for_status().json()
    await asyncio.gather(_show(one, f"/c/{chat['id']}"), _show(two, "/"))
    return one, two, chat


async def test_changes_over_the_api(embedded: OpenWebUI, pages: tuple[Page, Page, dict[str, Any]], lena: str) -> None:
    one, two, chat = pages
    both = (one, two)
    user = embedded.user(lena).id
    for page in both:
        await expect(_sidebar(page).get_by_text("Plans for the lake")).to_be_visible()

    def change() -> None:
        with embedded.admin() as admin:
            records = "/api/collections/owui_{}/records".format
            admin.send("PATCH", f"{records('chats')}/{chat['id']}", {"title": "Plans for the island"})
            admin.send("POST", records("folders"), {"name": "Summer by the water", "user_id": user})
            admin.send("POST", records("tags"), {"key": "boats", "name": "boats", "user_id": user})

    await asyncio.to_thread(change)
    for page in both:
        await expect(_sidebar(page).get_by_text("Plans for the island")).to_be_visible()
        await expect(_sidebar(page).get_by_text("Summer by the water")).to_be_visible()
        await expect(page.get_by_text("Plans for the lake")).to_have_count(0)
    await expect(one).to_have_title("Plans for the island / Open WebUI")


async def test_a_title_changed_in_the_dashboard(
    embedded: OpenWebUI, pages: tuple[Page, Page, dict[str, Any]], chromium: Browser
) -> None:
    one, two, chat = pages
    context = await chromium.new_context(viewport={"width": 1000, "height": 800}, base_url=embedded.pocketbase.url)
    dashboard = await context.new_page()
    superuser = json.loads(embedded.run_dir.superuser.read_text())
    await open_dashboard(dashboard, superuser["identity"], superuser["password"])
    await dashboard.goto(f"/_/#/collections?collection=owui_chats&record={chat['id']}")
    title = dashboard.locator("textarea[name=title]")
    await expect(title).to_be_visible()
    await title.fill("Plans for the island")
    if target := os.environ.get("OWUI_TEST_SCREENSHOT"):
        await dashboard.screenshot(path=f"{target}-dashboard.png")
    await dashboard.get_by_role("button", name="Save changes").click()
    for page in (one, two):
        await expect(_sidebar(page).get_by_text("Plans for the island")).to_be_visible()
    await expect(one).to_have_title("Plans for the island / Open WebUI")
    if target:
        await one.screenshot(path=target)
    await context.close()


async def test_a_message_posted_in_pocketbase(embedded: OpenWebUI, open_page: OpenPage) -> None:
    mira, nils = await asyncio.gather(open_page(embedded, "mira"), open_page(embedded, "nils"))
    form = {"type": "group", "name": "island", "user_ids": [embedded.user("nils").id]}
    channel = embedded.request("mira", "POST", "/api/v1/channels/create", json=form).raise_for_status().json()
    await asyncio.gather(*(_show(page, f"/channels/{channel['id']}") for page in (mira, nils)))
    for page in (mira, nils):
        await expect(page.get_by_text("This is the very beginning of the island channel.")).to_be_visible()
    record = {"channel_id": channel["id"], "user_id": embedded.user("nils").id, "content": "The ferry leaves at nine."}

    def post() -> None:
        with embedded.admin() as admin:
            admin.send("POST", "/api/collections/owui_messages/records", record)

    await asyncio.to_thread(post)
    for page in (mira, nils):
        await expect(page.locator("#messages-container").get_by_text("The ferry leaves at nine.")).to_be_visible()


SHOWN = """text => {
    const editor = document.querySelector("#note-editor .ProseMirror")?.cloneNode(true);
    editor?.querySelectorAll(".ProseMirror-yjs-cursor").forEach(cursor => cursor.remove());
    return editor?.textContent.trim() === text;
}"""
"""Whether a note's editor shows a text, and nothing else but where others are in it."""


async def test_a_note_edited_in_pocketbase(embedded: OpenWebUI, open_page: OpenPage) -> None:
    """Two browsers edit it, and somebody else reads it."""
    read = {"principal_type": "user", "principal_id": embedded.user("nils").id, "permission": "read"}
    content = {"json": None, "html": "", "md": "The ferry leaves at nine."}
    form = {"title": "Ferry", "data": {"content": content}, "access_grants": [read]}
    embedded.request("nils", "GET", "/api/v1/auths/").raise_for_status()
    note = embedded.request("admin", "POST", "/api/v1/notes/create", json=form).raise_for_status().json()
    one, two, _ = pages = await asyncio.gather(*(open_page(embedded, name) for name in ("admin", "admin", "nils")))

    def change(**columns: Any) -> None:
        with embedded.admin() as admin:
            admin.send("PATCH", f"/api/collections/owui_notes/records/{note['id']}", columns)

    def stored() -> Any:
        return embedded.request("admin", "GET", f"/api/v1/notes/{note['id']}").raise_for_status().json()

    def is_saved_by_all() -> bool:
        """Each editor saves what another one has typed, some time later: whoever saves last has the last word."""
        before = stored()
        time.sleep(3)
        return "Bring bread." in before["data"]["content"]["md"] and stored()["updated_at"] == before["updated_at"]

    async def type_at_end(page: Page, text: str) -> None:
        await page.locator("#note-editor .ProseMirror").click()
        await page.keyboard.press("Control+End")
        await page.keyboard.type(text)

    async def all_show(title: str, text: str) -> None:
        for page in pages:
            await page.wait_for_function(SHOWN, arg=text)
            await expect(page.locator("#note-editor input").first).to_have_value(title)

    await asyncio.gather(*(_show(page, f"/notes/{note['id']}") for page in pages))
    await all_show("Ferry", "The ferry leaves at nine.")
    await type_at_end(one, " Bring bread.")
    await two.wait_for_function(SHOWN, arg="The ferry leaves at nine. Bring bread.")
    await asyncio.to_thread(eventually, is_saved_by_all, "what was typed is saved", seconds=60)
    # As Open WebUI's own tool for models does.
    await asyncio.to_thread(change, title="Boat", data={"content": content | {"md": "The boat leaves at ten."}})
    await all_show("Boat", "The boat leaves at ten.")
    await type_at_end(two, " Bring cheese.")
    await one.wait_for_function(SHOWN, arg="The boat leaves at ten. Bring cheese.")


async def _show(page: Page, address: str) -> None:
    """Go there, with the sidebar open."""
    for name in ("sidebar", "sidebar-folders-folder-state"):
        await page.evaluate(f"localStorage.setItem('{name}', 'true')")
    await page.goto(address)


def _sidebar(page: Page) -> Any:
    return page.locator("#sidebar")
