"""Notes and pins, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.notes import NoteForm, NoteUpdateForm

from tests.support.written_through import Compared

GROUPS = ("notes",)

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}
WRITTEN_BY_ALL = {"principal_type": "user", "principal_id": "*", "permission": "write"}


def form(title: str, text: Any = "text", **more: Any) -> NoteForm:
    return NoteForm(title=title, data={"content": {"md": text}}, **more)


async def test_life_of_a_note(both: Compared) -> None:
    note = await both.call("Notes.insert_new_note", "u1", form("To-do", meta={"a": 1}, access_grants=[READ_BY_GROUP]))
    other = await both.call("Notes.insert_new_note", "u2", form("Other", access_grants=[WRITTEN_BY_ALL]))
    bare = await both.call("Notes.insert_new_note", "u1", NoteForm(title=""))
    await both.call("Notes.insert_new_note", "u1", NoteForm(title="broken", data={"content": {"md": {"a": [1]}}}))
    for update in (
        NoteUpdateForm(title="New", data={"files": [{"type": "file", "id": "f1"}]}),
        NoteUpdateForm(title="New"),
        NoteUpdateForm(),
        NoteUpdateForm(title=None, data=None, meta=None),
        NoteUpdateForm(title="again", meta={"b": None}),
    ):
        await both.call("Notes.update_note_by_id", note.id, update)
    for each in (note.id, bare.id, "unknown", "", None):
        await both.call("Notes.get_note_by_id", each)
    await both.call("Notes.update_note_by_id", "unknown", NoteUpdateForm(title="x"))
    await both.call("Notes.get_note_ids_by_file_id", "f1", "u1")
    await both.call("Notes.get_note_ids_by_file_id", "f", "u1")
    for each in (other.id, other.id, "unknown"):
        await both.call("Notes.delete_note_by_id", each)


async def test_lists(both: Compared) -> None:
    for n, grants in enumerate([[], [READ_BY_GROUP], [WRITTEN_BY_ALL], [READ_BY_GROUP, WRITTEN_BY_ALL]]):
        await both.call("Notes.insert_new_note", f"u{n % 2 + 1}", form(f"note {n}", f"a-b {n}", access_grants=grants))
    for window in ({}, {"skip": 1, "limit": 2}, {"skip": None, "limit": None}):
        await both.call("Notes.get_notes", **window)
    for user in ("u1", "u2", "u3", None):
        for permission in ("read", "write"):
            await both.call("Notes.get_notes_by_user_id", user, permission)
            searched = {"user_id": user, "group_ids": ["g"], "permission": permission}
            await both.call("Notes.search_notes", user, {**searched, "query": "no-te ab"})
    for order in ("name", "created_at", "updated_at", None):
        for direction in ("asc", "desc"):
            asked = {"user_id": "u1", "order_by": order, "direction": direction, "view_option": "created"}
            await both.call("Notes.search_notes", "u1", asked)
    await both.call("Notes.search_notes", "u1", {"user_id": "u1", "view_option": "shared"}, skip=1, limit=1)
    await both.call("Notes.search_notes", "u1")


async def test_pins(both: Compared) -> None:
    notes = [await both.call("Notes.insert_new_note", "u1", form(str(n), access_grants=[])) for n in range(3)]
    for n, user in ((0, "u1"), (1, "u1"), (0, "u2"), (0, "u1"), (2, "u1"), (0, "u1")):
        await both.call("Notes.toggle_note_pinned_by_id", notes[n].id, user)
        await both.call("Notes.get_pinned_notes_by_user_id", user)
        await both.call("Notes.get_pinned_note_ids", user, sort=True)
    await both.call("Notes.toggle_note_pinned_by_id", "unknown", "u1")
    await both.call("Notes.toggle_note_pinned_by_id", notes[0].id, None)
    await both.call("Notes.delete_note_by_id", notes[0].id)
    await both.call("Notes.get_pinned_note_ids", "u1", sort=True)
