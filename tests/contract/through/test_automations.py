"""Automations and their runs, written through: what they do on a database of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from open_webui.models.automations import AutomationData, AutomationForm, Automations, AutomationTarget

from openwebui_pocketbase.exceptions import ConflictError
from tests.support.differential import START
from tests.support.written_through import Compared

GROUPS = ("automations",)
NOW = START * 10**9 + 123_456_789


def form(name: str, rrule: str = "FREQ=DAILY", **more: Any) -> AutomationForm:
    data = AutomationData(prompt=f"prompt of {name} ü", model_id="m", rrule=rrule, target=AutomationTarget())
    return AutomationForm(**{"name": name, "data": data, **more})


async def test_life_of_an_automation(both: Compared) -> None:
    one = await both.call("Automations.insert", "u1", form("a", folder_id="x", meta={"a": None}), NOW + 1)
    two = await both.call("Automations.insert", "u1", form("b", is_active=False), None)
    await both.call("Automations.insert", "u2", form("c", is_active=None), NOW)  # is refused
    await both.call("Automations.update_by_id", one.id, form("A", folder_id="y", is_active=None), NOW + 2**53 + 1)
    await both.call("Automations.update_by_id", two.id, form("B", folder_id="x"), -1)
    await both.call("Automations.update_by_id", "unknown", form("x"), NOW)
    for each in (one.id, "unknown"):
        await both.call("Automations.get_by_id", each)
        await both.call("Automations.update_last_run_at", each)
        await both.call("Automations.toggle", each, NOW)
        await both.call("Automations.toggle", each, NOW + 3)
    await both.call("Automations.insert", "u2", form("d", folder_id="y"), NOW)
    for folders in ([], ["x", "unknown"], ["y"], ["y"]):
        await both.call("Automations.clear_folder_ids", "u1", folders)
    for user in ("u1", "u2", "u3"):
        await both.call("Automations.count_by_user", user)
        await both.call("Automations.get_active_by_user", user)
    for asked in ({}, {"query": "Ü"}, {"status": "active"}, {"status": "paused"}, {"folder_id": "y"}, {"skip": 1}):
        await both.call("Automations.search_automations", "u1", **asked)
    for each in (one.id, one.id, "unknown"):
        await both.call("Automations.delete", each)


async def test_runs(both: Compared) -> None:
    one, two = [await both.call("Automations.insert", user, form(user), NOW) for user in ("u1", "u2")]
    for n, automation in enumerate((one.id, two.id, one.id, "unknown", one.id)):
        await both.call("AutomationRuns.insert", automation, "success", f"c{n}", None if n else "error\n")
    await both.call("AutomationRuns.insert", one.id, None)  # is refused
    for ids in ([], [one.id, two.id, "none"]):
        await both.call("AutomationRuns.get_latest_batch", ids)
    for automation in (one.id, "none"):
        await both.call("AutomationRuns.get_latest", automation)
        await both.call("AutomationRuns.get_by_automation", automation)
        await both.call("AutomationRuns.get_by_automation", automation, 1, 1)
    await both.call("AutomationRuns.get_runs_by_user_range", "u1", 0, NOW * 2)
    await both.call("AutomationRuns.get_runs_by_user_range", "u1", NOW, NOW, 1)
    for automation in (one.id, one.id, "unknown"):
        await both.call("AutomationRuns.delete_by_automation", automation)


async def test_what_is_due_is_claimed_once(both: Compared) -> None:
    for n, user in enumerate(("u1", "u2", "u1", "u2")):
        await both.call("Automations.insert", user, form(str(n), "COUNT=1" if n == 1 else "FREQ=DAILY"), NOW + n)
    for now, limit in ((NOW - 1, 10), (NOW + 2, 2), (NOW + 2, 2), (NOW + 9, 10), (NOW + 9, 10)):
        await both.call("Automations.claim_due", now, limit)


async def test_two_sessions_at_once(both: Compared) -> None:
    if both.stock.is_sqlite:
        pytest.skip("on SQLite stock locks nothing: two sessions that read at once claim the same")
    for n in range(3):
        await both.call("Automations.insert", "u1", form(str(n)), NOW + n)
    with both.through.active():
        claims = await asyncio.gather(*(Automations.claim_due(NOW + 9, 2) for _ in range(2)))
    claimed = [each.id for claim in claims for each in claim]
    assert len(claimed) >= 2
    assert len(claimed) == len(set(claimed))
    await both.agree("two claims")


async def test_what_somebody_has_changed_in_pocketbase_is_not_claimed(both: Compared) -> None:
    one = await both.call("Automations.insert", "u1", form("a"), NOW)
    query = f"UPDATE owui_automations SET name = 'edited' WHERE id = '{one.id}'"
    await both.in_pocketbase(query)
    with both.through.active():
        with pytest.raises(ConflictError):
            await Automations.claim_due(NOW + 9)
        await both.mirror.catch_up()
        (claimed,) = await Automations.claim_due(NOW + 9)
        assert claimed.name == "edited"
        assert await Automations.claim_due(NOW + 9) == []
    await both.agree("a claim")
