"""Events that wait: each once, in order, not too often, and a bounded number of them."""

from __future__ import annotations

import pytest

from openwebui_pocketbase.realtime import pending as module
from openwebui_pocketbase.realtime.events import EVERYTHING, Event
from openwebui_pocketbase.realtime.pending import Pending


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pending(clock: Clock) -> Pending:
    return Pending(clock)


def message(op: str, id: str = "m", channel: str = "c") -> Event:
    return Event(f"message_{op}", (id, channel, "ann", ""))


LIST = Event("chat_list", ("ann",))


def test_equal_events_are_told_once_in_the_order_of_the_first(pending: Pending) -> None:
    for event in (LIST, message("create"), Event("tags", ("ann",)), LIST):
        pending.add(event)
    assert pending.take() == ([LIST, message("create"), Event("tags", ("ann",))], None)
    assert pending.take() == ([], None)


def test_lists_are_told_at_once_and_then_after_a_second(pending: Pending, clock: Clock) -> None:
    pending.add(LIST)
    assert pending.take()[0] == [LIST]
    clock.now += 0.4
    pending.add(LIST)
    pending.add(message("create"))
    due, wait = pending.take()
    assert due == [message("create")]
    assert wait == pytest.approx(0.6)
    clock.now += 0.61
    assert pending.take() == ([LIST], None)
    clock.now += 5
    pending.add(LIST)
    assert pending.take() == ([LIST], None)


def test_what_was_told_long_ago_is_forgotten(pending: Pending, clock: Clock) -> None:
    for number in range(100):
        pending.add(Event("chat_list", (f"{number}",)))
        pending.take()
        clock.now += 0.5
    assert len(pending._told_at) < 5


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        (["create", "update", "update"], "create"),
        (["update", "update"], "update"),
        (["create", "delete"], "delete"),
        (["update", "delete"], "delete"),
        (["delete", "create"], "create"),
    ],
)
def test_a_message_is_told_once(pending: Pending, operations: list[str], told: str) -> None:
    for op in operations:
        pending.add(message(op))
    assert pending.take()[0] == [message(told)]
    pending.add(message("update"))
    assert pending.take()[0] == [message("update")]


def test_of_many_messages_of_a_channel_the_latest_are_told(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    for number in range(9):
        pending.add(message("create", f"{number}"))
        pending.add(message("create", f"{number}", "d")) if number < 2 else None
    expected = [message("create", "0", "d"), message("create", "1", "d"), *(message("create", n) for n in "678")]
    assert pending.take()[0] == expected


def test_deletions_and_edits_are_all_told(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    events = [message(op, f"{op} {number}") for op in ("delete", "update") for number in range(9)]
    for event in events:
        pending.add(event)
    assert pending.take()[0] == events


def test_of_many_chats_of_a_user_the_latest_are_told(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    monkeypatch.setattr(module, "MOST_CHATS", 2)
    for number in range(9):
        pending.add(Event("chat", (f"{number}", "ann")))
        pending.add(Event("chat_access", (f"{number}",)))
    chats = [Event("chat", (number, "ann")) for number in "678"]
    assert sorted(pending.take()[0]) == sorted([*chats, Event("chat_access", ("",))])


def test_the_same_again_and_again_is_told(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 3)
    monkeypatch.setattr(module, "MOST_CHATS", 2)
    events = [Event("chat", ("c", "ann")), Event("chat_access", ("c",)), message("create")]
    for event in [*events, message("delete"), *events] * 5:
        pending.add(event)
    assert sorted(pending.take()[0]) == sorted(events)


def test_what_could_not_be_told_comes_first(pending: Pending) -> None:
    for name in "abc":
        pending.add(message("create", name))
    due, _ = pending.take()
    pending.add(message("create", "d"))
    pending.put_back(due[1:])
    assert pending.take()[0] == [message("create", name) for name in "bcd"]


def test_a_message_that_is_moved_is_told_of_twice(pending: Pending) -> None:
    for event in (message("create", "m", "c"), message("delete", "m", "c"), message("create", "m", "d")):
        pending.add(event)
    assert pending.take()[0] == [message("delete", "m", "c"), message("create", "m", "d")]


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (Event("enter", ("c", "bob")), message("update")),
        (Event("note_access", ("n", "user", "bob")), Event("note", ("n",))),
    ],
)
def test_access_is_checked_before_what_is_read_later_is_told(pending: Pending, check: Event, told: Event) -> None:
    """An edit, a loss, and another edit, which is what the first one shows."""
    for event in (told, check, told, LIST):
        pending.add(event)
    assert pending.take()[0] == [check, told, LIST]


def test_what_checks_access_is_never_late(pending: Pending) -> None:
    checks = [Event("recheck", ("c",)), Event("user", ("u",)), Event("chat_access", ("c",)), Event("enter", ("c", "u"))]
    for _ in range(2):
        for event in checks:
            pending.add(event)
        assert pending.take() == (checks, None)


def test_too_many_events_become_one(pending: Pending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(9):
        pending.add(Event("recheck", (f"{number}",)))
        assert len(pending) <= 3
    assert pending.take()[0] == [EVERYTHING]
    pending.add(LIST)
    assert pending.take()[0] == [LIST]
