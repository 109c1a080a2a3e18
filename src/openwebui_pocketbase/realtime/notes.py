"""Telling the browsers that have a note open, by the host's own event; see `openwebui_pocketbase.realtime.sockets`.

The editors of a note share a document that the host keeps in memory, and saves as a whole half a second after somebody
has typed. So an outside edit of the text waits until they pause: shown earlier, it would replace what is not saved
yet. If they go on, they save what they see, and the outside edit is gone. Only one editor is told: it changes the
document, from which the others get the change. If all were told, each would insert the same text.

This module imports the host, so it is imported when that has started.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from open_webui.models.access_grants import AccessGrants
from open_webui.models.notes import NoteModel, Notes
from open_webui.socket import main as host
from open_webui.tasks import has_active_tasks

from openwebui_pocketbase.realtime.documents import shows
from openwebui_pocketbase.realtime.sockets import is_open, online, online_of

__all__ = ["OpenNotes"]


class OpenNotes:
    """The open notes of this process, and of all others if the host's sockets run on Redis.

    Args:
        catch_up: Returns when the SQL database's copies have what the feed has: the host reads notes there. An editor
            that is told earlier would save what it shows, and be refused for not having seen the change.
    """

    def __init__(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        self._catch_up = catch_up
        self._has_caught_up = False
        self._documents: dict[str, tuple[int, int]] = {}

    def begin(self) -> None:
        """Have the copies caught up once for what is told at a time."""
        self._has_caught_up = False

    async def note(self, note: str) -> None:
        """Show a note as it is now; its editors get all but the text."""
        if not any(map(is_open, _rooms(note))):
            return
        found = await self._read(note)
        if found is None:
            return
        document, editors_room = _rooms(note)
        event = found.model_dump()
        await _emit(event, room=document, skip_sid=list(await host.YDOC_MANAGER.get_users(document)))
        # Not by their sessions: whoever has lost the note has left the room.
        apart = {name: value for name, value in (event["data"] or {}).items() if name != "content"}
        await _emit({**event, "data": apart}, room=editors_room)

    async def note_text(self, note: str) -> bool:
        """Show a note's text where it is edited, unless somebody is typing.

        Returns:
            Whether to try again in a second.
        """
        document, _ = _rooms(note)
        # Within it nothing is typed that the host knows of.
        async with host.YDOC_MANAGER.lock(document):
            editors = await host.YDOC_MANAGER.get_users(document)
            updates = await host.YDOC_MANAGER.get_updates(document)
            now = len(updates), sum(map(len, updates))
            before = self._documents.pop(note, None)
            if not editors:
                return False
            if now != before or await has_active_tasks(host.REDIS, document):
                self._documents[note] = now
                return True
            found = await self._read(note)
            content = (found.data or {}).get("content") if found else None
            if found and isinstance(content, dict) and _can_be_shown(content) and not shows(updates, content):
                await self._tell_one(editors, found, content)
        return False

    async def note_access(self, note: str, principal_type: str, principal: str) -> None:
        """Have those leave a note's rooms who may not read it any more.

        Args:
            note: The note.
            principal_type: ``user`` or ``group``.
            principal: Who has lost it, perhaps; ``*`` for everybody.
        """
        concerned = await online_of(principal_type, principal)
        found = await self._read(note) if concerned else None
        if found is None:
            return
        readers = await AccessGrants.get_user_ids_by_access_grants(found.access_grants, "read")
        readers |= {user for user, session in online().items() if session.get("role") == "admin"}
        gone = {*concerned} - readers - {found.user_id}
        for room in _rooms(note) if gone else ():
            await host.leave_room_for_users(room, list(gone))

    async def note_gone(self, note: str) -> None:
        """Close the rooms of a note that is no more."""
        for room in _rooms(note):
            await host.sio.close_room(room)

    async def _read(self, note: str) -> NoteModel | None:
        if not self._has_caught_up:
            await self._catch_up()
            self._has_caught_up = True
        found: NoteModel | None = await Notes.get_note_by_id(note)
        return found

    async def _tell_one(self, editors: Iterable[str], found: NoteModel, content: Any) -> None:
        """Tell the first editor that may change the note: what others put into the document is refused."""
        for session in editors:
            user = host.SESSION_POOL.get(session)
            if user and (
                user["role"] == "admin"
                or user["id"] == found.user_id
                or await AccessGrants.has_access(user["id"], "note", found.id, "write")
            ):
                await _emit({**found.model_dump(), "data": {"content": content}}, to=session)
                return


def _rooms(note: str) -> tuple[str, str]:
    """Return the room of those who have a note open, which its document is named like, and that of its editors."""
    return f"note:{note}", f"doc_note:{note}"


def _can_be_shown(content: dict[str, Any]) -> bool:
    """Return whether the host's frontend shows a content that it is told: it does not look at ``json``."""
    return bool(content.get("html") or content.get("md") or not content.get("json"))


async def _emit(event: dict[str, Any], **whom: Any) -> None:
    await host.sio.emit("events:note", event, **whom)
