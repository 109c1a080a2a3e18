"""What Open WebUI writes through: the answers are the stock ones, and PocketBase has each row with the answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from openwebui_pocketbase.catalog import CATALOG
from tests.support import postgresql
from tests.support.copies import differences
from tests.support.processes import eventually
from tests.support.scenarios import Player, Step, contrast
from tests.support.services import require
from tests.support.through_steps import JOURNEYS, can_schedule

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient
    from tests.support.openwebui import Fleet

pytest_plugins = ["tests.support.openwebui"]

ON_POSTGRESQL = ("prompts", "knowledge", "automations")
"""What the host asks of PostgreSQL in other words than of SQLite, and what has most tables; all groups are written
through there in `tests/contract/through`."""


def play_both(players: tuple[Player, Player], each: Step, admin: AdminClient, tables: tuple[str, ...]) -> list[str]:
    """Send a request to both instances; return what is wrong with the second one."""
    with ThreadPoolExecutor(2) as pool:
        expected, found = pool.map(lambda player: player.play(each), players)
    wrong = [] if expected[0] == each.status else [f"meant: {each.status}, stock: {expected}"]
    if each.count is not None and len(expected[1]) != each.count:
        wrong.append(f"meant: {each.count} items, stock: {expected}")
    is_postgresql = "DATABASE_URL" in players[0].instance.env
    different = contrast(expected, found, whole=is_postgresql)
    # Of versions of one second PostgreSQL may take any for the last.
    wrong += [line for line in different if not (is_postgresql and "parent_id" in line)]
    wrong += [
        f"{table}: {there} in PocketBase, {here} in SQL"
        for table, there, here in differences(players[1].instance, admin, tables=tables)
    ]
    return [f"{each}: {line}"[:2000] for line in wrong]


@pytest.mark.parametrize(
    ("group", "database"),
    [
        *((group, "sqlite") for group in JOURNEYS),
        *(pytest.param(group, "postgresql", marks=pytest.mark.postgresql) for group in ON_POSTGRESQL),
    ],
)
def test_answers_are_the_same_and_so_are_the_rows(fleet: Fleet, database: str, group: str) -> None:
    require(database != "postgresql" or postgresql.answers(), "PostgreSQL (OWUI_TEST_POSTGRESQL_URL)")
    stock, embedded = fleet.start(("stock", database), ("everything", database))
    journey = JOURNEYS[group]
    players = Player(stock, f"through {group}"), Player(embedded, f"through {group}")
    tables = (*CATALOG[group].tables, "access_grant")
    wrong: list[str] = []
    if group == "automations":
        for player in players:
            eventually(partial(can_schedule, player.instance), "schedules are evaluated in time")
    with embedded.admin() as admin:
        for each in (*journey.writes, *journey.looks, *journey.ends):
            wrong += play_both(players, each, admin, tables)
    assert not wrong, "\n".join(wrong)
