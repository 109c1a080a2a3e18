"""What is written through: notes, feedbacks and automations, in the host's own repositories."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from open_webui.models.feedbacks import FeedbackForm
from open_webui.models.notes import NoteForm, NoteUpdateForm
from open_webui.utils import recurrence

from bench.data import LOADED_AT, SCRATCH_USERS, USERS, document, identifier, scratch
from bench.operations import Group, Item, Operation, Row

NOTES = 2000
FEEDBACKS = 2000
AUTOMATIONS = 500
LATER = 4_000_000_000_000_000_000
PAGE = 30
TEXT = "A line of a note, as people write them while they listen to somebody else.\n" * 280
"""About 20 kB."""


def _note(note_id: str, user_id: str, number: int) -> Row:
    at = LOADED_AT * 10**9 + number
    data = {"content": {"json": None, "html": "", "md": TEXT}}
    return {
        "id": note_id,
        "user_id": user_id,
        "title": f"Note {number}",
        "data": data,
        "meta": None,
        "created_at": at,
        "updated_at": at,
    }


def _note_id(number: int) -> str:
    return identifier(f"note {number % NOTES}")


def _feedback(number: int) -> Row:
    return {
        "id": identifier(f"feedback {number}"),
        "user_id": USERS[number % len(USERS)],
        "version": 0,
        "type": "rating",
        "data": {"rating": 1, "model_id": f"model-{number % 7}", "reason": "", "comment": ""},
        "meta": document(f"feedback {number}"),
        "snapshot": {"chat": document(f"chat {number}")},
        "created_at": LOADED_AT + number,
        "updated_at": LOADED_AT + number,
    }


def _automation(automation_id: str, user_id: str, number: int, due: int) -> Row:
    return {
        "id": automation_id,
        "user_id": user_id,
        "folder_id": None,
        "name": f"Automation {number}",
        "data": {"prompt": "Sum up the news.", "model_id": "model-1", "rrule": "FREQ=DAILY;BYHOUR=8;BYMINUTE=0"},
        "meta": None,
        "is_active": True,
        "last_run_at": None,
        "next_run_at": due,
        "created_at": LOADED_AT,
        "updated_at": LOADED_AT,
    }


def _items() -> Iterator[Item]:
    for number in range(NOTES):
        yield {"note": [_note(_note_id(number), USERS[number % len(USERS)], number)]}
    for number in range(FEEDBACKS):
        yield {"feedback": [_feedback(number)]}
    for number in range(AUTOMATIONS):
        automation_id = identifier(f"automation {number}")
        yield {"automation": [_automation(automation_id, USERS[number % len(USERS)], number, LATER)]}


def _typed(number: int) -> tuple[str, NoteUpdateForm]:
    md = f"{TEXT[:10_000]}{number}{TEXT[10_000:]}"
    return _note_id(number), NoteUpdateForm(data={"content": {"json": None, "html": "", "md": md}})


def _new(number: int) -> tuple[str, NoteForm]:
    user_id = SCRATCH_USERS[number % len(SCRATCH_USERS)]
    return user_id, NoteForm(title=f"New {number}", data={"content": {"md": "New."}}, access_grants=[])


def _rated(number: int) -> tuple[str, FeedbackForm]:
    user_id = SCRATCH_USERS[number % len(SCRATCH_USERS)]
    data = {"rating": 1, "model_id": "model-1", "reason": "", "comment": ""}
    return user_id, FeedbackForm(type="rating", data=data, meta={"number": number})


def _due(numbers: range) -> Iterator[Item]:
    for number in numbers:
        yield {"automation": [_automation(scratch(number), SCRATCH_USERS[0], number, 1 + number)]}


def _one(_number: int) -> tuple[int, int]:
    return time.time_ns(), 1


def _is_one_at_most(claimed: list[Any]) -> bool:
    return len(claimed) <= 1


def _is_there(found: Any) -> bool:
    return found is not None


def _prepare() -> None:
    """Have it computed here when an automation is due next: the host starts a process for that, which takes seconds."""

    async def here(function: Callable[..., Any], *arguments: Any, cancellable: bool) -> Any:
        del cancellable
        return function(*arguments)

    recurrence.to_process = SimpleNamespace(run_sync=here)


GROUP = Group(
    name="through",
    scratch={"note": "user_id", "feedback": "user_id", "automation": "user_id"},
    writes={},
    items=_items,
    operations=(
        Operation("Notes.update_note_by_id", "write", _typed, _is_there, case="20 kB"),
        Operation("Notes.insert_new_note", "write", _new, _is_there),
        Operation("Feedbacks.insert_new_feedback", "write", _rated, _is_there),
        # A process has one scheduler.
        Operation("Automations.claim_due", "write", _one, _is_one_at_most, _due, callers=1),
        Operation("Notes.get_note_by_id", "read", lambda number: (_note_id(number),), _is_there),
        Operation(
            "Feedbacks.get_feedback_items",
            "read",
            lambda number: ({}, number % (FEEDBACKS - PAGE), PAGE),
            lambda found: len(found.items) == PAGE,
        ),
    ),
    after=("users",),
    prepare=_prepare,
)
