"""Calendars, events and who is asked to come, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.calendar import (
    CalendarEventForm,
    CalendarEventUpdateForm,
    CalendarForm,
    CalendarUpdateForm,
)

from tests.support.differential import START
from tests.support.written_through import Compared

GROUPS = ("calendar",)
NOW = START * 10**9 + 123_456_789

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}


def event(calendar: str, title: str, start: int = NOW, **more: Any) -> CalendarEventForm:
    return CalendarEventForm(calendar_id=calendar, title=title, start_at=start, **more)


async def test_calendars(both: Compared) -> None:
    (first,) = await both.call("Calendars.get_or_create_defaults", "u1")
    await both.call("Calendars.get_or_create_defaults", "u1")
    form = CalendarForm(name="Work", color="#fff", data={"a": 1}, meta={}, access_grants=[READ_BY_GROUP])
    work = await both.call("Calendars.insert_new_calendar", "u1", form)
    await both.call("Calendars.insert_new_calendar", "u1", CalendarForm(name=""))
    for user in ("u1", "u2", "u3"):  # the last one gets one
        await both.call("Calendars.get_calendars_by_user", user)
    for update in (
        CalendarUpdateForm(name="W", data={"b": [None]}, meta={"m": 1}),
        CalendarUpdateForm(color=None),
        CalendarUpdateForm(name=None),  # is refused
        CalendarUpdateForm(),
    ):
        await both.call("Calendars.update_calendar_by_id", work.id, update)
    await both.call("Calendars.update_calendar_by_id", "unknown", CalendarUpdateForm(name="x"))
    for user, calendar in (("u1", work.id), ("u1", "unknown"), ("u2", work.id)):
        await both.call("Calendars.set_default_calendar", user, calendar)
    invited = [{"user_id": "u2"}, {"user_id": "u3"}]
    await both.call("CalendarEvents.insert_new_event", "u1", event(first.id, "e", attendees=invited))
    for calendar in (work.id, first.id, first.id, "unknown"):
        await both.call("Calendars.get_calendar_by_id", calendar)
        await both.call("Calendars.delete_calendar_by_id", calendar)
    await both.call("Calendars.get_calendars_by_user", "u3")
    await both.call("Calendars.get_calendars_by_user", "u2")


async def test_events(both: Compared) -> None:
    form = CalendarForm(name="Work", access_grants=[READ_BY_GROUP])
    work = await both.call("Calendars.insert_new_calendar", "u1", form)
    whole: dict[str, Any] = {
        "description": "d",
        "end_at": NOW + 2**53 + 1,
        "location": "here",
        "color": "red",
        "data": {"a": 1},
    }
    one = await both.call("CalendarEvents.insert_new_event", "u1", event(work.id, "One", **whole, meta={"b": 2}))
    two = await both.call("CalendarEvents.insert_new_event", "u2", event(work.id, "Two", rrule="FREQ=DAILY"))
    await both.call("CalendarEvents.insert_new_event", "u2", event(work.id, "Three", rrule="FREQ=SECONDLY"))
    soon = event(work.id, "Soon", NOW + 10**9, meta={"alert_minutes": 5}, all_day=True)
    await both.call("CalendarEvents.insert_new_event", "u2", soon)
    await both.call("CalendarEvents.insert_new_event", "u2", event(work.id, "Quiet", meta={"alert_minutes": -1}))
    for update in (
        CalendarEventUpdateForm(title="1", data={"c": 1}, meta={"d": None}, attendees=[{"user_id": "u3", "meta": {}}]),
        CalendarEventUpdateForm(rrule="nonsense"),
        CalendarEventUpdateForm(end_at=None, location=None, all_day=True, attendees=[]),
        CalendarEventUpdateForm(start_at=None),  # is refused
        CalendarEventUpdateForm(is_cancelled=True),
    ):
        await both.call("CalendarEvents.update_event_by_id", one.id, update)
    await both.call("CalendarEvents.update_event_by_id", "unknown", CalendarEventUpdateForm(title="x"))
    await both.call("CalendarEventAttendees.set_attendees", two.id, [{"user_id": "u3"}])
    for user in ("u1", "u2", "u3"):
        await both.call("CalendarEvents.get_events_by_range", user, NOW - 1, NOW + 10**10)
        await both.call("CalendarEvents.get_events_by_range", user, NOW, NOW + 1, [work.id, "x"])
        await both.call("CalendarEvents.search_events", user)
        await both.call("CalendarEvents.search_events", user, "t", 1, 1)
    await both.call("CalendarEvents.get_upcoming_events", NOW, 60 * 10**9, 10**9, sort=True)
    for each in (one.id, two.id, two.id, "unknown"):
        await both.call("CalendarEvents.get_event_by_id", each)
        await both.call("CalendarEvents.delete_event_by_id", each)


async def test_attendees(both: Compared) -> None:
    work = await both.call("Calendars.insert_new_calendar", "u1", CalendarForm(name="Work"))
    one = await both.call("CalendarEvents.insert_new_event", "u1", event(work.id, "One"))
    for user_ids in (["u1", "u2"], ["u2", "u3"], ["u3", "u3"], []):
        people = [{"user_id": user, "meta": {"n": n}, "status": "ignored"} for n, user in enumerate(user_ids)]
        await both.call("CalendarEventAttendees.set_attendees", one.id, people)
        for user, status in (("u2", "declined"), ("u3", "accepted"), ("u1", "tentative")):
            await both.call("CalendarEventAttendees.update_rsvp", one.id, user, status)
        await both.call("CalendarEventAttendees.get_attendees_by_event", one.id, sort=True)
        await both.call("CalendarEventAttendees.get_events_by_attendee", "u2")
        await both.call("CalendarEvents.get_events_by_range", "u2", 0, NOW * 2)
    await both.call("CalendarEventAttendees.update_rsvp", one.id, "u1", None)
