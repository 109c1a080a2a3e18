"""What those hear who have a note open when others change it in PocketBase, and what becomes of what they type."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from tests.support.outside import PocketBase, id_of, request, settled
from tests.support.sockets import Listener, listening, until

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

NOTES = "/api/v1/notes"
WRITTEN = {"json": None, "html": "", "md": "by others"}
"""A text as Open WebUI's own tool for models writes it, and as others may."""


def content_of(text: str) -> dict[str, Any]:
    """Return what an editor saves that shows a text."""
    paragraph = {"type": "paragraph", "attrs": {"textAlign": None}, "content": [{"type": "text", "text": text}]}
    return {"json": {"type": "doc", "content": [paragraph]}, "html": f"<p>{text}</p>", "md": text}


class Editor:
    """Somebody who types into a note."""

    def __init__(self, listener: Listener, note: str) -> None:
        self._listener = listener
        self._document = f"note:{note}"
        self._doc: Doc[Any] = Doc()
        self._text = XmlText()
        self._doc.get("prosemirror", type=XmlFragment).children.append(XmlElement("paragraph", {}, [self._text]))

    async def type(self, text: str) -> None:
        self._text += text
        content = content_of(str(self._text))
        update = [*self._doc.get_update()]
        data = {"document_id": self._document, "update": update, "data": {"content": content}}
        await self._listener.send("ydoc:document:update", data)


@dataclass
class Open:
    """A note of Ann's, which Bob may read and Carl may edit; all have it open, Ann and Carl in an editor.

    Attributes:
        id: The note's.
        listeners: Theirs, by name.
        ids: Of the users, by name.
        grants: Records of the grants, by name.
        another: Id of another note, which only Ann has open.
    """

    id: str
    listeners: dict[str, Listener]
    ids: dict[str, str]
    grants: dict[str, list[str]]
    another: str

    def forget(self) -> None:
        for listener in self.listeners.values():
            listener.forget()

    def heard(self) -> dict[str, list[dict[str, Any]]]:
        """Return what each has heard of the note: all but whose it is and when it was made."""
        known = ("title", "data")
        return {
            name: [{key: event[key] for key in known} for event in listener.events if event.get("id") == self.id]
            for name, listener in self.listeners.items()
        }


@pytest.fixture
def pocketbase(embedded: OpenWebUI) -> PocketBase:
    return PocketBase(embedded)


@pytest.fixture
async def open_note(embedded: OpenWebUI, pocketbase: PocketBase) -> AsyncIterator[Open]:
    mark = uuid.uuid4().hex[:8]
    people = {name: f"{name}-{mark}" for name in ("ann", "bob", "carl", "dora")}
    ids = {name: await id_of(embedded, user) for name, user in people.items()}
    form = {"title": "mine", "data": {"content": content_of("mine"), "files": []}, "access_grants": []}
    note, another = [(await request(embedded, people["ann"], "POST", f"{NOTES}/create", form))["id"] for _ in "ab"]
    grants: dict[str, list[str]] = {"bob": [], "carl": []}
    for name, permission in (("bob", "read"), ("carl", "read"), ("carl", "write")):
        grant = {"resource_type": "note", "resource_id": note, "principal_type": "user", "principal_id": ids[name]}
        made = await pocketbase.send("POST", "owui_access_grants", **grant, permission=permission)
        grants[name].append(made["id"])
    async with listening(embedded, *people.values()) as listeners:
        found = Open(note, dict(zip(people, listeners, strict=True)), ids, grants, another)
        for name, listener in found.listeners.items():
            await listener.open_note(note, editing=name in ("ann", "carl"))
        await found.listeners["ann"].open_note(another, editing=True)
        await everything_told(pocketbase, found)
        found.forget()
        yield found


async def everything_told(pocketbase: PocketBase, note: Open) -> None:
    """Return when what was changed before has been told, and texts have, if nobody is typing."""
    for name, listener in note.listeners.items():
        await settled(pocketbase, listener, note.ids[name])
    ann = note.listeners["ann"]
    content = WRITTEN | {"md": uuid.uuid4().hex}
    await pocketbase.send("PATCH", "owui_notes", note.another, data={"content": content})
    await until(lambda: any(each.get("data") == {"content": content} for each in ann.events), lambda: "the other text")


async def until_saved(instance: OpenWebUI, note: Open, **wanted: str) -> None:
    """Wait until the note has this title and text."""
    found: dict[str, str] = {}
    for _ in range(200):
        answer = await request(instance, note.listeners["ann"].name, "GET", f"{NOTES}/{note.id}")
        found = {"title": answer["title"], "md": answer["data"]["content"]["md"]}
        if found == wanted:
            return
        await asyncio.sleep(0.05)
    assert found == wanted


async def test_all_see_an_edit_but_only_one_editor_is_told_its_text(
    embedded: OpenWebUI, pocketbase: PocketBase, open_note: Open
) -> None:
    await pocketbase.send("PATCH", "owui_notes", open_note.id, title="Others", data={"content": WRITTEN, "files": []})
    editors = [open_note.listeners[name] for name in ("ann", "carl")]
    text = {"title": "Others", "data": {"content": WRITTEN}}
    await until(
        lambda: text in open_note.heard()["ann"] + open_note.heard()["carl"], lambda: f"the text: {open_note.heard()}"
    )
    await everything_told(pocketbase, open_note)
    apart = {"title": "Others", "data": {"files": []}}
    whole = {"title": "Others", "data": {"content": WRITTEN, "files": []}}
    heard = open_note.heard()
    assert sorted([heard["ann"], heard["carl"]], key=len) == [[apart], [apart, text]]
    assert (heard["bob"], heard["dora"]) == ([whole], [])
    for each in (*editors, open_note.listeners["bob"]):
        found = await request(embedded, each.name, "GET", f"{NOTES}/{open_note.id}")
        assert {key: found[key] for key in each.events[0] if key != "data"} == {
            key: value for key, value in each.events[0].items() if key != "data"
        }


async def test_a_title_does_not_touch_the_text(embedded: OpenWebUI, pocketbase: PocketBase, open_note: Open) -> None:
    ann = Editor(open_note.listeners["ann"], open_note.id)
    await ann.type("typed")
    await until_saved(embedded, open_note, title="mine", md="typed")
    await pocketbase.send("PATCH", "owui_notes", open_note.id, title="Others")
    await everything_told(pocketbase, open_note)
    assert [each["data"] for each in open_note.heard()["ann"]] == [{"files": []}]
    assert [each["data"] for each in open_note.heard()["carl"]] == [{"files": []}]


async def test_what_is_typed_stays(embedded: OpenWebUI, pocketbase: PocketBase, open_note: Open) -> None:
    """Others edit title and text while Ann types: her text stays, and their title."""
    ann = Editor(open_note.listeners["ann"], open_note.id)
    typed = ""
    for number in range(30):
        await ann.type(f"{number} ")
        typed += f"{number} "
        if number in (5, 15, 25, 28):
            data = {"content": WRITTEN, "files": []}
            await pocketbase.send("PATCH", "owui_notes", open_note.id, title=f"Others {number}", data=data)
        await asyncio.sleep(0.2)
    await until_saved(embedded, open_note, title="Others 28", md=typed)
    await everything_told(pocketbase, open_note)
    await until_saved(embedded, open_note, title="Others 28", md=typed)
    assert all("content" not in each["data"] for name in ("ann", "carl") for each in open_note.heard()[name])


async def test_who_may_not_read_it_any_more_hears_nothing_of_it(pocketbase: PocketBase, open_note: Open) -> None:
    for name in ("bob", "carl"):
        for grant in open_note.grants[name]:
            await pocketbase.send("DELETE", "owui_access_grants", grant)
    await pocketbase.send("PATCH", "owui_notes", open_note.id, title="Later", data={"content": WRITTEN, "files": []})
    await until(
        lambda: {"title": "Later", "data": {"content": WRITTEN}} in open_note.heard()["ann"], lambda: "Ann is told"
    )
    await everything_told(pocketbase, open_note)
    heard = open_note.heard()
    assert [len(heard[name]) for name in ("ann", "bob", "carl", "dora")] == [2, 0, 0, 0]
    assert not any(("disconnect", None) in listener.heard for listener in open_note.listeners.values())


async def test_who_has_given_it_away_hears_nothing_of_it(pocketbase: PocketBase, open_note: Open) -> None:
    await pocketbase.send("PATCH", "owui_notes", open_note.id, user_id=open_note.ids["dora"], title="Dora's")
    bob = open_note.listeners["bob"]
    await bob.until(("note", open_note.id))
    await everything_told(pocketbase, open_note)
    assert open_note.heard()["ann"] == []


async def test_nobody_has_a_note_open_that_was_deleted(pocketbase: PocketBase, open_note: Open) -> None:
    await pocketbase.send("DELETE", "owui_notes", open_note.id)
    await everything_told(pocketbase, open_note)
    user = open_note.ids["ann"]
    await pocketbase.sql(
        "INSERT INTO owui_notes (id, user_id, title, created_at, updated_at) "
        f"VALUES ('{open_note.id}', '{user}', 'another', 1, 1)"
    )
    await pocketbase.send("PATCH", "owui_notes", open_note.id, title="changed")
    await everything_told(pocketbase, open_note)
    assert not any(open_note.heard().values())


async def test_what_the_application_does_itself_is_told_once(
    embedded: OpenWebUI, pocketbase: PocketBase, open_note: Open
) -> None:
    """By the host's own event."""
    ann = open_note.listeners["ann"].name
    await request(embedded, ann, "POST", f"{NOTES}/{open_note.id}/update", {"title": "by Ann"})
    await request(embedded, ann, "POST", f"{NOTES}/{open_note.id}/pin")
    await Editor(open_note.listeners["ann"], open_note.id).type("typed by Ann")
    await until_saved(embedded, open_note, title="by Ann", md="typed by Ann")
    await everything_told(pocketbase, open_note)
    heard = open_note.heard()
    assert {name: len(events) for name, events in heard.items()} == {"ann": 1, "bob": 1, "carl": 1, "dora": 0}
