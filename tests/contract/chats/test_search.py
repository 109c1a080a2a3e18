"""Searching chats finds what the stock class finds, in the same order."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import pytest
from open_webui.models.chats import Chat
from open_webui.models.folders import Folder

from openwebui_pocketbase.codec.rows import Codec
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from tests.support import chats, scripts
from tests.support.chats import seed_waiting
from tests.support.differential import HOSTILE_NAMES, IDS, WILDCARDS, Contract, Opened, Pair

METHOD = "get_chats_by_user_id_and_search_text"
SEARCH = Contract(
    name="Chats",
    tables=("chat", "chat_message", "folder"),
    subject=PocketBaseChats,
    bound={"Folders": PocketBaseFolders, "ChatMessages": PocketBaseChatMessages},
    ordered=frozenset({METHOD}),
)
FOLDERS: Codec = codec_of("folder")


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SEARCH, oracle) as pair:
        yield pair


@pytest.fixture
async def on_sqlite(opened: Opened) -> AsyncIterator[Pair]:
    async with opened(SEARCH, "sqlite") as pair:
        yield pair


def chat(number: int, title: str | None, *contents: Any, **more: Any) -> Chat:
    """A chat whose messages have these contents; the members of a dictionary go into the entry as well."""
    messages = {}
    for index, content in enumerate(contents):
        entry = {"id": f"m{index}", "role": "assistant" if index % 2 else "user"}
        messages[f"m{index}"] = entry | (content if isinstance(content, dict) else {"content": content})
    body = {"title": title, "history": {"messages": messages, "currentId": None}}
    columns = {"title": title, "chat": body, "created_at": 1, "updated_at": number}
    return chats.chat(IDS[-1 - number], **columns | more)


async def seed(pair: Pair, *rows: Chat) -> None:
    await seed_waiting(pair, *rows)


async def search(pair: Pair, *texts: str, user: str = "u1", **more: Any) -> list[Any]:
    found = []
    for text in texts:
        found = await pair.call(METHOD, user, text, rows=False, **more)
    return found


async def test_phrases_and_terms(pair: Pair) -> None:
    await seed(
        pair,
        chat(1, "one", "a red apple", "and a green pear"),
        chat(2, "two", "a green apple"),
        chat(3, "green", "an apple"),
        chat(4, "GREEN APPLE", "nothing"),
        chat(5, "five", "a GREEN  apple", "pineapple"),
        chat(6, "six", "green", "apple-green apples"),
        chat(7, "seven", "green appl", "e"),
        chat(8, "eight", "green apple", user_id="u2"),
        chat(9, "nine", "green apple", meta={"internal": True}),
        chat(10, "ten", "green apple", archived=True),
    )
    found = await search(pair, "green apple")
    assert [item.updated_at for item in found] == [6, 4, 2, 5, 3, 1]
    await search(
        pair, "Green", "apple", "pple gre", "neapp", "apple-green", "apple green", "red green", "e", "gr", "x", "g a"
    )
    await search(pair, "green apple", include_archived=True)
    await search(pair, "green apple", user="u2")
    await search(pair, "green apple", user="nobody")
    for skip, limit in ((0, 1), (1, 1), (2, 3), (3, 2), (5, 9), (9, 9), (0, 0)):
        await search(pair, "green apple", "apple", skip=skip, limit=limit)
    if pair.database.is_sqlite:
        for first, most in ((0, None), (None, 2), (1, -1), (-1, 2)):
            await search(pair, "green apple", "apple", skip=first, limit=most)


async def test_equal_times(pair: Pair) -> None:
    await seed(pair, *(chat(number, "same", "word", updated_at=7) for number in range(9)))
    await search(pair, "word", "same", "wor", "sa")
    await search(pair, "word", skip=3, limit=4)


async def test_wildcards(on_sqlite: Pair) -> None:
    legacy = {"messages": [{"content": "x \\u001e y"}, {"content": 'a"q\\'}, {"content": "b\\u"}, {"content": "x\\"}]}
    await seed(
        on_sqlite,
        chat(1, "a b", "100% sure", "50_ off"),
        chat(2, "acb", "a\\b", "x y z"),
        chat(3, "ab", "xz", "a and b c"),
        chat(4, "c", "x\ny\nz", "\U0001f600"),
        chat(5, None, "ab"),
        chat(6, "legacy", chat=legacy),
        chat(7, "legacy", chat={"messages": {"1": {"content": "a_b"}, "2": {"content": "c d"}}}),
        chat(8, "empty", ""),
    )
    await search(
        on_sqlite, *WILDCARDS, 'a"q%', "q%b", "q\\%b", "x%u001e", "x%y", "\\%u", "x\\%", "a_b%c", "legacy% a_b"
    )


async def test_letters_of_all_kinds(on_sqlite: Pair) -> None:
    names = [name.replace("\0", "") for name in HOSTILE_NAMES.values()]  # the host stores none
    chats = [chat(number, name, name, f"in {name} between") for number, name in enumerate(names)]
    await seed(on_sqlite, *chats)
    for name in names:
        await search(on_sqlite, name[:200], name[:200].upper(), name[1:3], f"in {name[:50]}", name[-5:])


async def test_nul_is_not_looked_for(on_sqlite: Pair) -> None:
    await seed(on_sqlite, chat(1, "t", "before"), chat(2, "before", "t"))
    await search(on_sqlite, "be\0fore", "\0before", "be\0 fore", "tag:\0a")


CONTENTS: list[Any] = [
    None,
    5,
    1.0,
    True,
    False,
    [],
    ["text", "Übergröße", 'a"b'],
    123456,
    1234.5678,
    [{"type": "text", "text": "a needle in it"}, {"type": "image_url", "image_url": {"url": "data:x"}}],
    {"key": "Wert ß", "n": [1, 2]},
    {"other": "no content"},
    {"content": "not done yet", "done": False},
    "1",
]


async def test_contents_that_are_no_text(on_sqlite: Pair) -> None:
    chats = [
        chat(number, "t", content if isinstance(content, dict) and "role" in content else {"content": content})
        for number, content in enumerate(CONTENTS)
    ]
    await seed(on_sqlite, *chats, chat(50, "t", *CONTENTS), chat(51, "t", {"content": "not done", "done": False}))
    await search(
        on_sqlite,
        "5",
        "123456",
        "234.567",
        "übergröße",
        "1",
        "1.0",
        "true",
        "0",
        "needle",
        "type",
        '"text"',
        "[",
        "{",
        "ü",
        "ss",
        "ß",
        "wert ß",
        "not done",
    )
    await search(on_sqlite, 'in it",', '"a\\"b"', "image_url", "null", "content")


async def test_texts_that_are_not_indexed(on_sqlite: Pair) -> None:
    long = "word " * 20_000
    await seed(
        on_sqlite,
        chat(1, "t", f"{long}needle"),
        chat(2, "t", f"needle data:image/png;base64,{'QUJD' * 500}hidden"),
        chat(3, "t", "needle"),
        chat(4, "t", f"{long}Ünder needle", "word"),
        chat(5, "t", "word", user_id="u2"),
        chat(6, "t", "名前を検索する" * 100 + "針"),
        chat(7, "t", "hay", f"{long}stack", "needle"),
    )
    await search(
        on_sqlite,
        "needle",
        "hidden",
        "jdqujd",
        "ünder needle",
        "needle word",
        "word needle",
        "hay needle",
        "stack needle",
    )
    await search(on_sqlite, "検索", "前を検", "針", "るる針", "する針", "る針", "索す")


TAGS = ["a", "b", "c d", "none", "ä"]


async def test_filters(pair: Pair) -> None:
    folders = [
        Folder(id=f"f{n}", parent_id=parent, user_id=owner, name=name, is_expanded=False, created_at=1, updated_at=1)
        for n, (parent, owner, name) in enumerate(
            [(None, "u1", "Work"), ("f0", "u1", "My Notes"), (None, "u2", "Work"), (None, "u1", "Play")]
        )
    ]

    async def write(row: dict[str, Any]) -> None:
        await pair.client.write("folders/insert_new_folder", {"folder": FOLDERS.encode(row)})

    await pair.seed(folders, write)
    generator = random.Random(4)
    metas: list[Any] = [
        {},
        {"tags": []},
        {"tags": ["a"]},
        {"tags": ["a", "b"]},
        {"tags": ["b", "c_d", "a"]},
        {"tags": ["ä"], "internal": False},
        {"tags": ["a", "b"], "internal": True},
    ]
    await seed(
        pair,
        *(
            chat(
                number,
                generator.choice(["Chat", "Apple pie", "Other"]),
                generator.choice(["apple", "pear", "apple pie", "a pie of apples"]),
                meta=generator.choice(metas),
                archived=generator.random() < 0.3,
                pinned=generator.random() < 0.5,
                folder_id=generator.choice([None, "f0", "f1", "f2", "f3", "gone"]),
                share_id=IDS[-500 - number] if generator.random() < 0.3 else None,
                updated_at=generator.randrange(20),
            )
            for number in range(60)
        ),
    )
    texts = ["", "apple", "apple pie", "pie a"]
    wanted = [
        "tag:a",
        "tag:a tag:b",
        "tag:b tag:A",
        "tag:c_d",
        "tag:ä",
        "tag:none",
        "tag:none tag:a",
        "tag:x",
        "tag:",
        "folder:work",
        "folder:my_notes",
        "folder:play folder:work",
        "folder:nothing",
        "folder:",
        "pinned:true",
        "pinned:false",
        "pinned:maybe",
        "archived:true",
        "archived:false",
        "shared:true",
        "shared:false",
        "shared:true shared:false",
        "tag:a pinned:true archived:true",
        "folder:work tag:b shared:false",
    ]
    for asked in wanted:
        for text in texts:
            await search(pair, f"{asked} {text}", limit=7)
        await search(pair, f"pie {asked} apple", include_archived=True, skip=1)


async def test_metas_of_all_kinds(on_sqlite: Pair) -> None:
    metas: list[Any] = [
        None,
        {"tags": None},
        {"tags": {}},
        {"tags": ["5", 5, None]},
        {"tags": "a"},
        {"internal": "x"},
        {"internal": 1},
    ]
    await seed(
        on_sqlite,
        *(chat(number, "t", "word", meta=meta, archived=number == 3 or False) for number, meta in enumerate(metas)),
    )
    await search(on_sqlite, "word", "tag:none", "tag:5", "tag:a word", "tag:none word")


async def test_no_text_is_the_list(on_sqlite: Pair) -> None:
    await seed(on_sqlite, chat(1, "t"), chat(2, "t", archived=True), chat(3, "t", pinned=True))
    await search(on_sqlite, "", "  ", "\0")


async def test_scripts_without_spaces(on_sqlite: Pair) -> None:
    generator = random.Random(6)
    written = scripts.texts(generator, 160)
    groups = [written[start : start + 4] for start in range(0, len(written), 4)]
    await seed(on_sqlite, *(chat(number, group[0], *group[1:]) for number, group in enumerate(groups)))
    for query in islice(scripts.queries(generator, written), 300):
        await search(on_sqlite, query, limit=generator.choice([3, 60]))


WORDS = ["apple", "pear", "grape", "grapefruit", "pineapple", "melon", "fig", "a", "of", "größe", "名前", "x1"]


async def test_many_chats(on_sqlite: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random.Random(5)

    def text() -> str:
        return " ".join(generator.choices(WORDS, k=generator.randrange(1, 6)))

    await seed(
        on_sqlite,
        *(
            chat(number, text(), *(text() for _ in range(generator.randrange(4))), updated_at=generator.randrange(40))
            for number in range(80)
        ),
    )
    for _ in range(60):
        query = " ".join(generator.choices(WORDS, k=generator.randrange(1, 4)))
        start = generator.randrange(3)
        await search(
            on_sqlite, query, query[start : start + 9], limit=generator.choice([3, 60]), skip=generator.choice([0, 2])
        )


async def test_what_changes_is_found_as_it_is(on_sqlite: Pair) -> None:
    await seed(on_sqlite, chat(1, "first", "old words", "more"), chat(2, "second", "old words"))
    chat_id = IDS[-2]
    upsert = "upsert_message_to_chat_by_id_and_message_id"
    for content, done in (("new words", True), ("nearly", False), ("nearly the same", True), ("nearly the same", True)):
        await on_sqlite.call(upsert, chat_id, "m0", {"content": content, "done": done}, rows=False)
        await search(on_sqlite, "old", "new", "words", "nearly", "same", "near the")
    await on_sqlite.call("update_chat_title_by_id", chat_id, "Another title", rows=False)
    await search(on_sqlite, "first", "another", "other tit")
    await on_sqlite.call("delete_message_from_chat_by_id_and_message_id", chat_id, "m0", rows=False)
    await search(on_sqlite, "nearly", "more")
