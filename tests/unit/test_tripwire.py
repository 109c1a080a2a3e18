"""What the trip-wire remembers of statements is bounded, however long these are."""

from __future__ import annotations

from typing import Any, cast

from openwebui_pocketbase.guard import tripwire
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.tripwire import TripWire


def test_what_is_remembered_has_a_few_megabytes_at_most() -> None:
    wire = TripWire(moved_tables(("chats",)), [], schema=None, mode="error")
    nowhere = cast(Any, None)
    shorter = "SELECT 1 FROM config".ljust(tripwire.LONG - 1)
    for statement in (shorter, f"{shorter} ", f"{shorter}  "):
        wire._check(nowhere, nowhere, statement)
    assert wire._remembered.cache_info().currsize == 1
    assert tripwire.LONG * tripwire.REMEMBERED <= 16 << 20
