"""Analytics: what the stock class counts, ours counts."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from open_webui.models.chat_messages import ChatMessage
from open_webui.models.chats import Chat
from open_webui.models.groups import Group, GroupMember

from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.groups import PocketBaseGroups
from tests.support.chats import add_rows
from tests.support.differential import HOSTILE_NAMES, IDS, START, Contract, Opened, Pair, clear

USAGE = Contract(name="ChatMessages", tables=("chat_message",), subject=PocketBaseChatMessages)
GROUPS_TOO = Contract(
    name="ChatMessages",
    tables=("chat_message",),
    subject=PocketBaseChatMessages,
    bound={"Groups": PocketBaseGroups},
)

DAY = 86_400
CHATS = IDS[:7]
TOP, MIDDLE, LOWEST, LOOP = IDS[10:14]
"""Ids of groups, each below the one before; the last one is below itself."""

HIERARCHY = [(TOP, None), (MIDDLE, TOP), (LOWEST, MIDDLE), (LOOP, LOOP)]
MEMBERS = [(TOP, "u1"), (MIDDLE, "u1"), (LOWEST, "u2"), (LOOP, "u3"), (LOOP, "nobody")]

USAGES: list[Any] = [
    None,
    {},
    {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8},
    {"prompt_tokens": 7, "completion_tokens": 11},
    {"input_tokens": None, "prompt_tokens": 13, "output_tokens": 0, "completion_tokens": 17},
    {"input_tokens": 19, "cost": {"input_tokens": 1}},
    {"output_tokens": 23},
    {"prompt_eval_count": 29},
]
ODD_USAGES: list[Any] = [
    {"input_tokens": "12", "output_tokens": "7 apples"},
    {"input_tokens": "apples", "output_tokens": ""},
    {"input_tokens": 1.9, "output_tokens": -1.9},
    {"input_tokens": True, "output_tokens": [5]},
    {"prompt_tokens": {"a": 1}, "completion_tokens": 2**53 + 1},
]

CALL = {"type": "function_call", "name": "search", "arguments": '{"name": "tool"}'}
OUTPUTS: list[Any] = [
    None,
    [],
    [{"type": "message", "content": [{"type": "text", "text": "about tools and function_call"}]}],
    [CALL, {"type": "function_call_output", "output": [{"type": "input_text", "text": "x"}]}],
    [CALL, CALL, {"type": "mcp_tool", "tool_name": " weather ", "name": ""}],
    [{"type": "function_call_output", "output": [{"type": "tool_result", "name": "nested"}]}],
    [{"type": "message", "tool_calls": [{"type": "tool", "function": {"name": "inner"}}], "content": "tool"}],
    [[{"type": "tool", "name": "in a list"}], {"type": "tool", "name": "n" * 129}, "tool", 5, None],
    [{"type": ["tool"], "name": "type of a list"}, {"type": "tool", "name": 5, "function": "no object"}],
    {"type": "tool", "name": "no list", "tools": [{"type": "tool_x", "name": "one"}, {"type": "x", "name": "two"}]},
    [{"type": "function", "meta": {"tools": [{"type": "tool", "name": "deep"}]}, "other": {"type": "tool"}}],
]
METAS: list[Any] = [None, {}, {"tool_calls": [{"type": "tool", "name": "from meta"}]}, {"type": "tool", "name": "meta"}]


def moments(choose: random.Random) -> int:
    """A time within two years before the test's, with ties, also in milliseconds, and times that nobody has."""
    ordinary = START - choose.randrange(0, 700 * DAY)
    return choose.choice(
        [
            ordinary,
            ordinary - ordinary % 3600,
            START - choose.randrange(0, 3 * DAY),
            START - choose.randrange(0, 30),
            ordinary * 1000 + 999,
            5,
            START + 400 * DAY,
        ]
    )


def rows(number: int, **fixed: list[Any]) -> list[dict[str, Any]]:
    """Return rows of several users, chats and models."""
    choose = random.Random(number)
    columns: dict[str, list[Any]] = {
        "chat_id": CHATS,
        "user_id": ["u1", "u1", "u2", "u3", "", None],
        "role": ["assistant", "assistant", "user", "system"],
        "model_id": ["m1", "m2", "M2", "", None, *list(HOSTILE_NAMES.values())[:12]],
        "usage": [*USAGES, *ODD_USAGES],
        "output": OUTPUTS,
        "meta": METAS,
        **fixed,
    }
    made = []
    for n in range(number):
        row = {name: choose.choice(values) for name, values in columns.items()}
        row.setdefault("created_at", moments(choose))
        made.append({"id": f"{row['chat_id']}-{n}", "updated_at": 1, "done": True, **row})
    return made


async def seed(pair: Pair, made: list[dict[str, Any]]) -> None:
    """Put rows into both; of every other one the chat's body has an entry as well."""
    if not pair.database.is_sqlite:  # which has foreign keys
        times = {"created_at": 1, "updated_at": 1}
        await pair.database.add(*(Chat(id=chat, user_id="u", title="", chat={}, **times) for chat in CHATS))
    shared = ("output", "usage", "meta")
    entries = [{name: each[name] for name in shared if each[name] is not None} for each in made]
    await add_rows(pair, [(ChatMessage(**each), given) for each, given in zip(made, entries, strict=True)])


async def add_groups(pair: Pair) -> None:
    """Put groups into both, wherever ours are."""
    groups = [Group(id=group, parent_group_id=parent, name=group, user_id="u1") for group, parent in HIERARCHY]
    members = [GroupMember(id=IDS[n], group_id=group, user_id=user) for n, (group, user) in enumerate(MEMBERS, 100)]
    await pair.database.add(*groups, *members)
    await clear(pair.client, "group", "group_member")
    if "Groups" in pair.contract.bound:
        with pair.server.admin() as admin:
            for group, parent in HIERARCHY:
                admin.sql(f"INSERT INTO owui_groups (id, parent_group_id) VALUES ('{group}', '{parent or ''}')")
            for n, (group, user) in enumerate(MEMBERS, 100):
                admin.sql(
                    f"INSERT INTO owui_group_members (id, group_id, user_id) VALUES ('{IDS[n]}', '{group}', '{user}')"
                )


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(USAGE, "sqlite") as pair:
        yield pair


SPANS: list[tuple[int | None, int | None]] = [
    (None, None),
    (0, 0),
    (START - 3 * DAY, START),
    (START - 400 * DAY, START - 100 * DAY),
    (START - 60 * DAY, None),
    (None, START - 60 * DAY),
    ((START - 300 * DAY) * 1000, None),
    (START - 300 * DAY, START * 1000),
    (START, START - DAY),
]
"""First and last time that count."""

BY_GROUP = [
    "get_analytics_summary",
    "get_message_count_by_model",
    "get_model_analytics",
    "get_token_usage_by_model",
    "get_user_analytics",
    "get_message_count_by_user",
    "get_message_count_by_chat",
]


@pytest.mark.parametrize("contract", [USAGE, GROUPS_TOO], ids=["groups in SQL", "groups in PocketBase"])
async def test_of_all_users(contract: Contract, opened: Opened) -> None:
    async with opened(contract, "sqlite") as pair:
        await add_groups(pair)
        await seed(pair, rows(300))
        every_span = itertools.product(SPANS, [None, TOP])
        every_group = itertools.product(SPANS[2:3], ["", LOWEST, LOOP, "none"])
        for (start, end), group in itertools.chain(every_span, every_group):
            for method in BY_GROUP:
                await pair.call(method, start, end, group, rows=False)
            for granularity, metric in [("daily", "messages"), ("3h", "tokens")]:
                await pair.call(
                    "get_usage_over_time_by_model", start, end, group, None, granularity, metric, 12_345, rows=False
                )


async def test_of_nothing(on_sqlite: Pair) -> None:
    for method in [*BY_GROUP, "get_usage_over_time_by_model"]:
        await on_sqlite.call(method, rows=False)
        await on_sqlite.call(method, START - DAY, START, rows=False)
    for method in OF_USER:
        await on_sqlite.call(method, "u1", START - DAY, START, rows=False)
    await on_sqlite.call("get_user_first_message_created_at", "u1", rows=False)


OF_USER = ["get_user_usage_summary", "get_user_daily_usage", "get_user_top_models", "get_user_top_tools"]


async def test_of_one_user(on_sqlite: Pair) -> None:
    await seed(on_sqlite, rows(300))
    for user in ("u1", "u2", "", None, "nobody"):
        await on_sqlite.call("get_user_first_message_created_at", user, rows=False)
        for start, end in SPANS:
            await on_sqlite.call("get_user_usage_summary", user, start, end, rows=False)
            await on_sqlite.call("get_user_usage_summary", user, start, end, include_active_days=False, rows=False)
        for start, end in [span for span in SPANS if None not in span]:
            await on_sqlite.call("get_user_daily_usage", user, start, end, rows=False)
            for limit in (5, 1, 0, 100):
                await on_sqlite.call("get_user_top_models", user, start, end, limit, rows=False)
                await on_sqlite.call("get_user_top_tools", user, start, end, limit, rows=False)
        await on_sqlite.call("get_user_top_models", user, 1, START, -1, rows=False)


async def test_rows_of_older_versions(on_sqlite: Pair) -> None:
    """Without time, or without user."""
    await seed(on_sqlite, rows(60, user_id=["u1", None], created_at=[None, START, START - 5 * DAY]))
    for start, end in [(None, None), (START, None), (None, START), (1, START)]:
        for method in [*BY_GROUP, "get_usage_over_time_by_model"]:
            await on_sqlite.call(method, start, end, rows=False)
        for user in ("u1", None):
            await on_sqlite.call("get_user_usage_summary", user, start, end, rows=False)
    for user in ("u1", None):
        await on_sqlite.call("get_user_first_message_created_at", user, rows=False)
        await on_sqlite.call("get_user_daily_usage", user, 1, START, rows=False)


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
"""Offsets of parts of an hour, of both signs, with and without summer time, of half an hour, too."""


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the time zone of the process, which PocketBase does not see."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES)
async def test_time_zone_of_the_process(zone: str, on_sqlite: Pair, set_zone: Callable[[str], None]) -> None:
    set_zone(zone)
    await seed(on_sqlite, rows(250, role=["assistant"], model_id=["m1", "m2"]))
    for granularity, metric in itertools.product(["10m", "hourly", "3h", "6h", "daily"], ["messages", "tokens"]):
        for start, end in [(None, None), (START - 3 * DAY, START), (START - 240 * DAY, START - 225 * DAY)]:
            for shift in (0, 86_401 * 30, -1234):
                await on_sqlite.call(
                    "get_usage_over_time_by_model",
                    start,
                    end,
                    granularity=granularity,
                    metric=metric,
                    bucket_offset=shift,
                    rows=False,
                )
    await on_sqlite.call("get_usage_over_time_by_model", granularity="fortnightly", rows=False)


async def test_time_zone_of_a_user(on_sqlite: Pair, set_zone: Callable[[str], None]) -> None:
    set_zone("Asia/Tokyo")
    await seed(on_sqlite, rows(250, user_id=["u1"]))
    for zone in [*ZONES, None, "", "Nowhere/At_All", "/etc/passwd"]:
        for start, end in [(START - 3 * DAY, START), (START - 400 * DAY, START - 100 * DAY), (5, START + 10**9)]:
            await on_sqlite.call("get_user_usage_summary", "u1", start, end, timezone=zone, rows=False)
            await on_sqlite.call("get_user_daily_usage", "u1", start, end, zone, rows=False)
        await on_sqlite.call("get_user_usage_summary", "u1", timezone=zone, rows=False)


async def test_every_second_around_a_change_of_the_clock(on_sqlite: Pair, set_zone: Callable[[str], None]) -> None:
    """In Berlin, on 29 October 2023 at 1:00 UTC, an hour was repeated."""
    set_zone("Europe/Berlin")
    change = 1_698_541_200
    times = [change + hour * 3600 + second for hour in range(-30, 31) for second in (-1, 0, 1)]
    await seed(on_sqlite, [row | {"created_at": t} for t, row in zip(times, rows(len(times)), strict=True)])
    for granularity in ("10m", "hourly", "daily"):
        await on_sqlite.call("get_usage_over_time_by_model", granularity=granularity, rows=False)
    for user in ("u1", "u2", "u3"):
        await on_sqlite.call("get_user_daily_usage", user, change - DAY, change + DAY, "Europe/Berlin", rows=False)


async def test_hostile_model(on_sqlite: Pair) -> None:
    names = list(HOSTILE_NAMES.values())
    await seed(on_sqlite, rows(200, role=["assistant"], model_id=names, user_id=["u1", *names[:20]]))
    for method in BY_GROUP:
        await on_sqlite.call(method, rows=False)
    for user in ["u1", *names[:20]]:
        for method in OF_USER:
            await on_sqlite.call(method, user, START - 800 * DAY, START, rows=False)
    await on_sqlite.call("get_usage_over_time_by_model", START - 9 * DAY, START, rows=False)


async def test_both_databases(oracle: str, opened: Opened) -> None:
    """What PostgreSQL and SQLite agree on."""
    async with opened(USAGE, oracle) as pair:
        plain = {"usage": USAGES, "model_id": ["m1", "m2", None], "user_id": ["u1", "u2"], "output": OUTPUTS[:1]}
        await seed(pair, rows(100, **plain))
        for start, end in [(None, None), (START - 400 * DAY, START)]:
            for method in BY_GROUP:
                await pair.call(method, start, end, rows=False)
        await pair.call("get_user_usage_summary", "u1", rows=False)
        await pair.call("get_user_first_message_created_at", "u1", rows=False)
        await pair.call("get_user_top_models", "u1", 1, START, rows=False)
