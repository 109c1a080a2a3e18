"""A chat with a text and a picture attached, in a browser, with everything in PocketBase."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import expect

from tests.support.fake_openai import FakeOpenAI
from tests.support.pictures import gradient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.support.chromium import OpenPage
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui", "tests.support.chromium"]

OPENAI = "/openai/config"
RETRIEVAL = "/api/v1/retrieval/config"
QUESTION = "What do my notes say about the lake, and what is in the picture?"
ANSWER = "Your notes say that the lake is **12 metres** deep and clear. The picture shows its shore under a blue sky."
NOTES = "The lake is 12 metres deep.\nIts water is clear.\n"


@pytest.fixture
def model(embedded: OpenWebUI) -> Iterator[FakeOpenAI]:
    """A model that the instance uses; it gets attached texts whole."""
    with FakeOpenAI(answers={QUESTION: ANSWER}) as model:
        openai = _send(embedded, "GET", OPENAI)
        mine = {"ENABLE_OPENAI_API": True, "OPENAI_API_BASE_URLS": [model.url], "OPENAI_API_KEYS": ["a-key"]}
        _send(embedded, "POST", f"{OPENAI}/update", openai | mine)
        _send(embedded, "POST", f"{RETRIEVAL}/update", {"BYPASS_EMBEDDING_AND_RETRIEVAL": True})
        _send(embedded, "GET", "/api/models?refresh=true")
        yield model
        _send(embedded, "POST", f"{OPENAI}/update", openai)
        _send(embedded, "POST", f"{RETRIEVAL}/update", {"BYPASS_EMBEDDING_AND_RETRIEVAL": False})
        _send(embedded, "GET", "/api/models?refresh=true")


def _send(instance: OpenWebUI, method: str, path: str, body: Any = None) -> Any:
    answer = instance.request("admin", method, path, **({} if body is None else {"json": body}))
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


async def test_a_chat_with_a_text_and_a_picture(
    embedded: OpenWebUI, model: FakeOpenAI, open_page: OpenPage, tmp_path: Path
) -> None:
    notes, picture = tmp_path / "lake-notes.txt", tmp_path / "lake.png"
    notes.write_text(NOTES)
    picture.write_bytes(gradient(480, 270))

    page = await open_page(embedded, "admin")
    await page.locator("input[type=file][multiple]").set_input_files([notes, picture])
    await expect(page.get_by_role("button", name="lake-notes.txt")).to_be_visible()
    await expect(page.get_by_role("button", name="Show image preview")).to_be_visible()
    await page.locator("#chat-input").fill(QUESTION)
    await page.keyboard.press("Enter")
    await _looks_complete(page)
    # The question comes with both; the host's own tasks, such as a title, with neither.
    asked = [str(messages) for messages in model.heard]
    assert any("12 metres deep" in each and "data:image/png;base64," in each for each in asked)

    await page.reload()
    await _looks_complete(page)
    if target := os.environ.get("OWUI_TEST_SCREENSHOT"):
        await page.screenshot(path=target)
    await _only_its_owner_reads(embedded, page)


async def _looks_complete(page: Page) -> None:
    """Everything is there, the picture with its pixels."""
    await expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"), timeout=30_000)
    await expect(page.get_by_text("12 metres")).to_be_visible(timeout=30_000)
    await expect(page.get_by_role("button", name="lake-notes.txt 48.0 B")).to_be_visible()
    image = page.locator("img[src*='/api/v1/files/']").first
    await expect(image).to_be_visible()
    assert await image.evaluate("async image => { await image.decode(); return image.naturalWidth; }") == 480


async def _only_its_owner_reads(instance: OpenWebUI, page: Page) -> None:
    address = await page.locator("img[src*='/api/v1/files/']").first.get_attribute("src")
    assert address is not None
    path = httpx.URL(address).path
    contents = instance.request("admin", "GET", path)
    assert (contents.status_code, contents.headers["content-type"]) == (200, "image/png")
    assert contents.content == gradient(480, 270)
    assert instance.request("bob", "GET", path).status_code == 404
    assert instance.request("", "GET", path).status_code in {401, 403}
