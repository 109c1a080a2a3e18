"""A chat with a text and a picture attached, in a browser, with everything in PocketBase."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import expect

from openwebui_pocketbase.storage.paths import parse
from tests.support.fake_openai import FakeOpenAI
from tests.support.pictures import gradient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Locator, Page

    from tests.support.chromium import OpenPage
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui", "tests.support.chromium"]

OPENAI = "/openai/config"
RETRIEVAL = "/api/v1/retrieval/config"
QUESTION = "What do my notes say about the lake, and what is in the picture?"
ANSWER = "Your notes say that the lake is **12 metres** deep and clear. The picture shows its shore under a blue sky."
NOTES = "The lake is 12 metres deep.\nIts water is clear.\n"
NAME = "lake-notes.txt"
SIZE = (480, 270)
PICTURE = "img[src*='/api/v1/files/']"


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


@pytest.fixture
def attached(tmp_path: Path) -> list[Path]:
    """The two files."""
    notes, picture = tmp_path / NAME, tmp_path / "lake.png"
    notes.write_text(NOTES)
    picture.write_bytes(gradient(*SIZE))
    return [notes, picture]


async def test_a_chat_with_a_text_and_a_picture(
    embedded: OpenWebUI, model: FakeOpenAI, open_page: OpenPage, attached: list[Path]
) -> None:
    page = await open_page(embedded, "admin")
    await _attach(page, attached)
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
    await _can_be_opened(page)
    _are_in_pocketbase(embedded, attached)


async def test_somebody_else_has_files_of_their_own(
    embedded: OpenWebUI, open_page: OpenPage, attached: list[Path]
) -> None:
    addresses = {}
    for user in ("alice", "bob"):
        page = await open_page(embedded, user)
        await _attach(page, attached)
        addresses[user] = await _address(page)
        assert await _status(page, addresses[user]) == 200
    assert await _status(page, addresses["alice"]) == 404
    nobody = embedded.request("", "GET", httpx.URL(addresses["alice"]).path)
    assert nobody.status_code in {401, 403}


async def _attach(page: Page, files: list[Path]) -> None:
    await page.locator("input[type=file][multiple]").set_input_files(files)
    await expect(page.get_by_role("button", name=NAME)).to_be_visible()
    await _is_seen(page.locator(PICTURE).first)


async def _looks_complete(page: Page) -> None:
    """Everything is there, the picture with its pixels."""
    await expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    await expect(page.get_by_text("12 metres")).to_be_visible()
    await expect(page.get_by_role("button", name=f"{NAME} 48.0 B")).to_be_visible()
    await _is_seen(page.locator(PICTURE).first)


async def _is_seen(image: Locator) -> None:
    await expect(image).to_be_visible()
    assert await image.evaluate("async image => { await image.decode(); return image.naturalWidth; }") == SIZE[0]


async def _can_be_opened(page: Page) -> None:
    """The text shows its words, the picture itself over the whole page."""
    await page.get_by_role("button", name=NAME).click()
    await expect(page.get_by_role("dialog").get_by_text("Its water is clear.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Show image preview").click()
    await expect(page.locator(PICTURE)).to_have_count(2)
    await _is_seen(page.locator(PICTURE).last)


def _are_in_pocketbase(instance: OpenWebUI, files: list[Path]) -> None:
    """Both files are records with these contents, and lie nowhere else."""
    on_disk = {path.name.partition("_")[2] for path in (instance.data_dir / "uploads").iterdir()}
    with instance.admin() as admin:
        for file in files:
            records = f"/api/collections/owui_files/records?filter=filename%3D'{file.name}'&sort=-created_at"
            record = admin.send("GET", records)["items"][0]
            assert parse(record["path"])
            (contents,) = (instance.data_dir / "pocketbase" / "storage").glob(f"*/{record['id']}/{record['contents']}")
            assert contents.read_bytes() == file.read_bytes()
            assert file.name not in on_disk


async def _address(page: Page) -> str:
    address = await page.locator(PICTURE).first.get_attribute("src")
    assert address is not None
    return address


async def _status(page: Page, address: str) -> int:
    """Return how the server answers the address as the browser of somebody sends it."""
    status: int = await page.evaluate("async address => (await fetch(address)).status", address)
    return status
