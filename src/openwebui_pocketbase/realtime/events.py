"""What browsers are to be told of a change in PocketBase: a table of collections, and nothing else.

An event names what has changed and whom that concerns, not how it is now: what a browser is shown is read when it is
told. So of several equal events one is enough, and nobody is told what was true a moment ago.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.origin import is_application
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["EVERYTHING", "LOCAL", "TOLD", "Event", "Kind", "events_of"]

Kind = str
"""Name of a method of `openwebui_pocketbase.realtime.sockets.Sockets`, or of `OpenNotes` beside it."""


class Event(NamedTuple):
    """Something that browsers are told once, however many changes say so.

    Attributes:
        kind: What is to be done.
        subject: Whom or what it is about: the arguments.
    """

    kind: Kind
    subject: tuple[str, ...]


EVERYTHING = Event("everything", ())
"""After a restore, or more changes than anybody could follow: all browsers begin anew."""


LOCAL = frozenset({"recheck", "enter"})
"""Kinds of what each process has to do itself, also where the host's sockets run on Redis: only the process that has a
socket can have it enter a room."""


def _tag(change: Change) -> Iterator[Event]:
    for (user,) in _concerned(change, 1):
        yield Event("tags", (user,))


def _folder(change: Change) -> Iterator[Event]:
    for (user,) in _concerned(change, 1):
        yield Event("chat_list", (user,))
    if change.op != "create":
        yield Event("chat_access", ("",))


def _chat(change: Change) -> Iterator[Event]:
    for (user,) in _concerned(change, 1):
        yield Event("chat_list", (user,))
        if change.op != "create":
            yield Event("chat", (change.record_id, user))
    if change.op != "create":
        yield Event("chat_access", (change.record_id,))


def _chat_message(change: Change) -> Iterator[Event]:
    for chat, user in _concerned(change, 2):
        yield Event("chat", (chat, user))


def _shared_chat(change: Change) -> Iterator[Event]:
    for (chat,) in _concerned(change, 1):
        yield Event("chat_access", (chat,))


def _channel(change: Change) -> Iterator[Event]:
    if change.op != "delete":
        yield Event("recheck", (change.record_id,))
        yield Event("channel", (change.record_id,))
        return
    for (owner,) in _concerned(change, 1):
        yield Event("channel_gone", (change.record_id, owner))


def _channel_member(change: Change) -> Iterator[Event]:
    for channel, user in _concerned(change, 2):
        yield Event("enter", (channel, user))
        yield Event("membership", (user,))


def _message(change: Change) -> Iterator[Event]:
    found = _concerned(change, 3)
    if not found:
        return
    now, *former = found
    is_moved = bool(former) and (now[0], now[2]) != (former[0][0], former[0][2])
    places = [("delete", former[0]), ("create", now)] if is_moved else [(change.op, now)]
    for op, (channel, user, parent) in places:
        yield Event(f"message_{op}", (change.record_id, channel, user, parent))
        if parent and op != "update":
            yield Event("reply", (parent, channel, user))


def _reaction(change: Change) -> Iterator[Event]:
    for message, user, name in _concerned(change, 3):
        yield Event("reaction_remove" if change.op == "delete" else "reaction_add", (message, user, name))


def _user(change: Change) -> Iterator[Event]:
    yield Event("user", (change.record_id,))


def _auth(change: Change) -> Iterator[Event]:
    if change.op != "create":  # a session may have been ended
        yield Event("access", (change.record_id,))


def _group(change: Change) -> Iterator[Event]:
    if change.op != "create":  # a new one has no members
        yield Event("group", (change.record_id,))


def _group_member(change: Change) -> Iterator[Event]:
    for _, user in _concerned(change, 2):
        yield Event("access", (user,))


def _access_grant(change: Change) -> Iterator[Event]:
    for resource_type, resource, principal_type, principal in _concerned(change, 4):
        if resource_type == "channel":
            yield Event("recheck", (resource,))
            yield Event("channel", (resource,))
        elif resource_type == "note":
            yield Event("note_access", (resource, principal_type, principal))
        else:
            yield Event("grant", (resource_type, resource, principal_type, principal))


def _note(change: Change) -> Iterator[Event]:
    if change.op == "delete":
        yield Event("note_gone", (change.record_id,))
    elif change.op == "update":  # nobody has a new one open
        for (owner,) in _concerned(change, 1)[1:]:
            yield Event("note_access", (change.record_id, "user", owner))
        yield Event("note", (change.record_id,))
        yield Event("note_text", (change.record_id,))


TOLD: Mapping[str, Callable[[Change], Iterator[Event]]] = {
    TABLES[name].collection: told
    for name, told in {
        "tag": _tag,
        "folder": _folder,
        "chat": _chat,
        "chat_message": _chat_message,
        "shared_chat": _shared_chat,
        "channel": _channel,
        "channel_member": _channel_member,
        "message": _message,
        "message_reaction": _reaction,
        "user": _user,
        "auth": _auth,
        "group": _group,
        "group_member": _group_member,
        "access_grant": _access_grant,
        "note": _note,
    }.items()
}
"""Collection -> what browsers are told of its changes.

Of others they are told nothing: Open WebUI has no event for them, or nothing that is open shows them.
"""


BY_OPEN_WEBUI = {"chat": None, "note_text": None, "message_create": "message_posted"}
"""Kind -> what is told in its place if another process of Open WebUI has made the change; None for nothing.

It tells whoever has the chat open itself, whoever edits the note has its text, and whoever has posted has the message.
"""


def events_of(change: Change) -> list[Event]:
    """Return what browsers are to be told of a change."""
    told = TOLD.get(change.collection)
    events = list(told(change)) if told else []
    if not is_application(change.origin):
        return events
    kinds = ((BY_OPEN_WEBUI.get(kind, kind), subject) for kind, subject in events)
    return [Event(kind, subject) for kind, subject in kinds if kind]


def _concerned(change: Change, columns: int) -> list[tuple[str, ...]]:
    """Return whom the change concerns: none if that is unclear, two if an update changed it, first as it is now."""
    values = [str(value or "") for value in change.concerned]
    if len(values) not in (columns, 2 * columns):
        return []
    return [tuple(values[at : at + columns]) for at in range(0, len(values), columns)]
