"""Searching messages of channels finds what the stock class finds, in the same order."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from itertools import islice, product
from typing import Any

import pytest
from open_webui.models.messages import Message, MessageForm

from tests.support import scripts
from tests.support.channel_messages import SECOND, message, seed_waiting
from tests.support.contracts import MESSAGES
from tests.support.differential import HOSTILE_NAMES, IDS, START, WILDCARDS, Opened, Pair

METHOD = "search_messages_by_channel_ids"
SEARCH = MESSAGES.only("message")


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SEARCH, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SEARCH, "sqlite") as pair:
        yield pair


async def search(pair: Pair, *texts: str, channels: tuple[str, ...] = ("c1", "c2"), **more: Any) -> list[Any]:
    found: list[Any] = []
    for text in texts:
        found = await pair.call(METHOD, [*channels], text, rows=False, **more)
    return found


def a_few() -> list[Message]:
    return [
        message(1, "a red apple"),
        message(2, "a GREEN apple", channel_id="c2", parent_id=IDS[-2]),
        message(3, "pineapple", data={"a": [1]}, meta={"webhook": {"id": "w"}}),
        message(4, "apple-green apples", channel_id="c3"),
        message(5, "green appl", user_id=None, app_id="a", is_pinned=True, pinned_at=5, pinned_by="u2"),
        message(6, ""),
        message(7, "green", channel_id="c2"),
        message(8, "an old apple", created_at=START * SECOND - 1),
    ]


async def test_words_and_phrases(pair: Pair) -> None:
    await seed_waiting(pair, *a_few())
    found = await search(pair, "apple")
    assert [item.id for item in found] == [IDS[-1 - number] for number in (3, 2, 1, 8)]
    await search(
        pair, "Green", "green appl", "GREEN APPLE", "pple", "neapp", "apple-green", "e", "gr", "x", "", "zebra"
    )
    await search(pair, "d apple", "ed apple", "apple green", " ", "n a", "pineapple and more", "red red red")


async def test_channels(pair: Pair) -> None:
    await seed_waiting(pair, *a_few(), message(9, "an apple of nobody", channel_id=None))
    for channels in (
        (),
        ("c1",),
        ("c3",),
        ("c1", "c1", "c3"),
        ("gone",),
        ("c2", "gone", "c1", "c3"),
        ("",),
        ("c1", ""),
    ):
        await search(pair, "apple", "a", "", channels=channels)


async def test_limits(pair: Pair) -> None:
    await seed_waiting(pair, *a_few())
    for limit in (0, 1, 2, 3, 100, None):
        await search(pair, "apple", "a", "", "green", limit=limit)
    if pair.database.is_sqlite:
        await search(pair, "apple", "a", limit=-1)


async def test_times(pair: Pair) -> None:
    await seed_waiting(pair, *a_few(), message(9, "apples in negative time", created_at=-5))
    second = message(2, "").created_at
    for start, end in product(
        (None, 0, 1, -7, second, second + 1, 2**63 - 1), (None, 0, second, second - 1, -1, 2**63 - 1)
    ):
        await search(pair, "apple", "a", start_timestamp=start, end_timestamp=end)


async def test_times_beyond_64_bits(on_sqlite: Pair) -> None:
    await seed_waiting(on_sqlite, *a_few())
    for time in (2**63, 10**30, -(2**63) - 1):
        assert isinstance(await on_sqlite.call(METHOD, ["c1"], "apple", time, rows=False), OverflowError)
        await search(on_sqlite, "apple", end_timestamp=time)
    await search(on_sqlite, "apple", start_timestamp=1.7e18, end_timestamp=START * 1e9 + 3.5e9)


async def test_wildcards(on_sqlite: Pair) -> None:
    texts = [
        "a b",
        "100% sure",
        "50_ off",
        "acb",
        "a\\b",
        "x y z",
        "ab",
        "xz",
        "a and b c",
        "x\ny\nz",
        "\U0001f600",
        "",
        "%",
    ]
    await seed_waiting(on_sqlite, *(message(number, text) for number, text in enumerate(texts)))
    await search(on_sqlite, *WILDCARDS, "a\\b", "[a]", "*", "?", "%u%", "\U0001f600_")


async def test_letters_of_all_kinds(on_sqlite: Pair) -> None:
    names = [name for name in HOSTILE_NAMES.values() if "\0" not in name]
    await seed_waiting(
        on_sqlite,
        *(message(number, name, data={"n": name[:50]}) for number, name in enumerate(names)),
        *(message(100 + number, f"in {name} between") for number, name in enumerate(names)),
    )
    for name in names:
        await search(on_sqlite, name[:200], name[:200].upper(), name[1:3], f"in {name[:50]}", name[-5:])


async def test_nul(on_sqlite: Pair) -> None:
    await seed_waiting(on_sqlite, message(1, "a\0b needle"), message(2, "a b"), message(3, "\0"))
    await search(on_sqlite, "\0", "a\0b", "b", "needle", "\0b nee", "edle\0", "")


async def test_no_text_is_not_an_empty_text(on_sqlite: Pair) -> None:
    await seed_waiting(on_sqlite, message(1, None), message(2, ""), message(3, None, channel_id="c2"))
    assert len(await search(on_sqlite, "")) == 1
    await search(on_sqlite, "%", "n", "none")


async def test_texts_that_are_not_indexed(on_sqlite: Pair) -> None:
    long = "word " * 20_000
    streamed = {"model_id": "m"}
    await seed_waiting(
        on_sqlite,
        message(1, f"{long}needle"),
        message(2, f"needle data:image/png;base64,{'QUJD' * 500}hidden"),
        message(3, "needle"),
        message(4, f"{long}Ünder needle"),
        message(5, "needle of a model", meta=streamed),
        message(6, "needle of a model", meta={**streamed, "done": True}),
        message(7, "needle of a model", meta={**streamed, "done": False}),
        message(8, "needle", meta={"model_id": None}),
        message(9, "名前を検索する" * 100 + "針"),
    )
    await search(
        on_sqlite, "needle", "hidden", "jdqujd", "ünder needle", "needle of", "検索", "前を検", "針", "る針", "索す"
    )
    await search(on_sqlite, "needle", limit=3)


async def test_frequent_parts(on_sqlite: Pair) -> None:
    """Messages with so many words that begin alike that their parts lead nowhere."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = " ".join(f"no{one}{other}" for one, other in product(letters, letters))
    await seed_waiting(
        on_sqlite,
        *(message(number, f"{number} {many}", channel_id=f"c{number % 3}") for number in range(18)),
        message(20, "a note"),
        message(21, "another note", channel_id="c2"),
        message(22, "rarely"),
    )
    for limit in (1, 4, 10, 50):
        await search(on_sqlite, "no", "note", "noab noac", "noac noab", "7 no", "no rarely", "no_b", limit=limit)
        await search(on_sqlite, "no", "a no", channels=("c2", "c0", "c1"), limit=limit)
    await search(on_sqlite, "no", start_timestamp=message(4, "").created_at, end_timestamp=message(20, "").created_at)


async def test_scripts_without_spaces(on_sqlite: Pair) -> None:
    generator = random.Random(6)
    written = scripts.texts(generator, 120)
    await seed_waiting(on_sqlite, *(message(number, text) for number, text in enumerate(written)))
    for query in islice(scripts.queries(generator, written), 300):
        await search(on_sqlite, query, limit=generator.choice([3, 60]))


WORDS = ["apple", "pear", "grape", "grapefruit", "pineapple", "melon", "fig", "a", "of", "größe", "名前", "x1"]


async def test_many_messages(on_sqlite: Pair) -> None:
    generator = random.Random(5)
    texts = [" ".join(generator.choices(WORDS, k=generator.randrange(6))) for _ in range(150)]
    await seed_waiting(
        on_sqlite,
        *(message(number, text, channel_id=generator.choice(["c1", "c2", "c3"])) for number, text in enumerate(texts)),
    )
    for _ in range(60):
        query = " ".join(generator.choices(WORDS, k=generator.randrange(1, 4)))
        start = generator.randrange(3)
        channels = tuple(generator.sample(["c1", "c2", "c3", "c4"], k=generator.randrange(1, 4)))
        limit = generator.choice([3, 10, 60])
        await search(on_sqlite, query, query[start : start + 9], channels=channels, limit=limit)


async def test_equal_times(on_sqlite: Pair) -> None:
    await seed_waiting(on_sqlite, *(message(number, "word", created_at=START * SECOND) for number in range(9)))
    await search(on_sqlite, "word", "or", "w", limit=4)


async def test_what_changes_is_found_as_it_is(opened: Opened) -> None:
    async with opened(MESSAGES, "sqlite") as pair:
        await seed_waiting(pair, message(1, "old words"), message(2, "old words", meta={"model_id": "m"}))
        first, second = IDS[-2], IDS[-3]
        for content, meta in (
            ("new words", None),
            ("nearly", None),
            ("Nearly the same", {"done": True}),
            ("NEARLY", {}),
        ):
            for each in (first, second):
                form = MessageForm(content=content, meta=meta)
                await pair.call("update_message_by_id", each, form, rows=False)
            await search(pair, "old", "new", "words", "nearly", "same", "near the")
        await pair.call("delete_message_by_id", first, rows=False)
        await search(pair, "nearly", "new")
