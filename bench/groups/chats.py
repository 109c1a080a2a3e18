"""Chats: 2,000 of one user with 20 messages each, one of 500 and one of 5,000, and a few of other users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from random import Random
from types import SimpleNamespace
from typing import Any

from open_webui.models.chats import ChatImportForm, ChatTable

from bench.chat_data import ABSENT, COMMON, MODEL, RARE, Chat, text
from bench.data import LOADED_AT, SCRATCH_USERS, TOTAL_CHATS, USERS, identifier
from bench.groups.folders import PATHS, folder_id
from bench.groups.tags import NAMES, tag_id
from bench.operations import Group, Item, Operation
from openwebui_pocketbase.repositories.chats._parts import wire_of

MAIN, WRITER, OTHERS = USERS[0], USERS[1], USERS[2:12]
"""Who has most chats, and only reads them; whose chats are written to; and further users."""

WRITTEN, OF_OTHERS = 100, 20
LONG, LONGEST = 500, 5_000
PAGE = 60
TAGS = tuple(map(tag_id, NAMES))
FOLDERS = tuple(folder_id(MAIN, path) for path in PATHS)
PER_RARE_PAIR = 3
WITH_RARE_WORDS = PER_RARE_PAIR * len(RARE)
IMPORTED = 200
"""How many chats one call imports: stock takes 40 ms for each."""

STREAMS, STREAMERS = 32, 16
STREAMED = 40
"""In how many steps a streamed message grows."""


def _tags(number: int) -> list[str]:
    return Random(number).sample(TAGS, 3)


def _rare_words(number: int) -> dict[int, str]:
    if number >= WITH_RARE_WORDS:
        return {}
    one, other = RARE[number // PER_RARE_PAIR]
    return ({4: f"{one} {other}"}, {6: other, 13: one}, {9: one})[number % PER_RARE_PAIR]


def _is_archived(number: int) -> bool:
    return number >= WITH_RARE_WORDS and number % 20 == 7


def _chat(number: int) -> Chat:
    """Return one of the chats of 20 messages of the user with most of them."""
    at = LOADED_AT + number * 7919 % TOTAL_CHATS  # the order of the list is not that of the table
    columns = {
        "created_at": at,
        "updated_at": at,
        "last_read_at": at - (number % 7 == 0),
        "archived": _is_archived(number),
        "pinned": number % 50 == 0,
        "folder_id": FOLDERS[number // 5 % len(FOLDERS)] if number % 5 == 3 else None,
        "meta": {"tags": _tags(number)},
    }
    return Chat(MAIN, number, columns=columns, words=_rare_words(number))


def _long(user_id: str, messages: int) -> Chat:
    # Long unchanged: in no page of the list or of search results.
    return Chat(user_id, TOTAL_CHATS + messages, messages, {"updated_at": LOADED_AT - 1})


def _timer(number: int) -> Chat:
    """Return a chat that waits for a time which no benchmark sees."""
    at = (LOADED_AT + 10**9) * 10**9 + number
    meta = {"internal": True, "type": "timer", "status": "pending", "timer_at": at, "cancel_on": []}
    return Chat(OTHERS[0], OF_OTHERS + number, 1, {"timer_at": at, "meta": meta})


def _items() -> Iterator[Item]:
    for number in range(TOTAL_CHATS):
        yield _chat(number).item
    for user_id in (MAIN, WRITER):
        yield _long(user_id, LONG).item
        yield _long(user_id, LONGEST).item
    for number in range(WRITTEN):
        yield Chat(WRITER, number).item
    for number in range(OF_OTHERS):
        for user_id in OTHERS:
            yield Chat(user_id, number).item
    for number in range(3):
        yield _timer(number).item


def _store(item: Item) -> tuple[str, dict[str, Any]]:
    return "chats/insert_chats", wire_of(item["chat"][0], item["chat_message"])


def _read(number: int) -> tuple[str]:
    return (_chat(number % TOTAL_CHATS).id,)


def _written(number: int) -> Chat:
    return Chat(WRITER, number % WRITTEN)


def _upsert_into(chat: Callable[[int], Chat]) -> Callable[[int], tuple[str, str, dict[str, Any]]]:
    """Return the arguments that give the answer in a chat another text; it may always be the same chat."""

    def arguments(number: int) -> tuple[str, str, dict[str, Any]]:
        target = chat(number)
        return target.id, target.message_id(target.messages - 1), {"content": f"{text(number)} {number}", "done": True}

    return arguments


def _stream(number: int) -> tuple[str, str, dict[str, Any]]:
    """Return the next step of one of the answers that grow at the same time."""
    target = _written(number % STREAMS)
    step, whole = number // STREAMS, f"{text(number % STREAMS)} {text(number)}"
    length = len(whole) * (step % STREAMED + 1) // STREAMED
    message = {"content": f"{whole[:length]} {number}", "done": False, "model": MODEL}
    return target.id, target.message_id(target.messages - 1), message


def _search(pairs: list[tuple[str, str]]) -> Callable[[int], tuple[str, str]]:
    return lambda number: (MAIN, " ".join(pairs[number % len(pairs)]))


@cache
def _pairs_of_tags() -> list[tuple[str, str]]:
    """Return the pairs of tags which some chats have, but less than a page of those that a search looks at."""
    found: dict[tuple[str, str], int] = {}
    for number in range(TOTAL_CHATS):
        if not _is_archived(number):
            for pair in combinations(sorted(_tags(number)), 2):
                found[pair] = found.get(pair, 0) + 1
    return sorted(found)


def _search_tags(number: int) -> tuple[str, str]:
    pairs = _pairs_of_tags()
    return MAIN, " ".join(f"tag:{tag}" for tag in pairs[number % len(pairs)])


def _scratch_chat(number: int) -> Chat:
    return Chat(SCRATCH_USERS[number % STREAMS], 0)


def _turn(number: int) -> tuple[str, Any, dict[str, Any], list[dict[str, Any]]]:
    """Return a question after the last answer of a chat, and the place for the answer."""
    chat = _scratch_chat(number)
    user = SimpleNamespace(id=chat.user_id, name="Somebody", role="user")
    message: dict[str, Any] = {"id": identifier(f"question {number}"), "parentId": chat.message_id(chat.messages - 1)}
    message |= {"role": "user", "content": text(number), "models": [MODEL]}
    return chat.id, user, message, [{"model_id": MODEL, "message_id": identifier(f"answer {number}"), "modelIdx": 0}]


def _chats_for_turns(numbers: range) -> Iterator[Item]:
    return (_scratch_chat(number).item for number in sorted({number % STREAMS for number in numbers}))


def _import(number: int) -> tuple[str, list[ChatImportForm]]:
    user_id = SCRATCH_USERS[number % len(SCRATCH_USERS)]
    chats = (Chat(user_id, number * IMPORTED + index) for index in range(IMPORTED))
    return user_id, [ChatImportForm(chat=chat.body, meta={}, created_at=LOADED_AT) for chat in chats]


def _retitled(number: int) -> tuple[str, dict[str, str]]:
    return _written(number).id, {"title": f"Title number {number}"}


def _found(answer: Any) -> bool:
    return answer is not None


def _are(wanted: int) -> Any:
    return lambda found: len(found) == wanted


def _has_messages(wanted: int) -> Any:
    return lambda chat: len(chat.chat["history"]["messages"]) == wanted


async def _permitted(*_args: Any, **_options: Any) -> None:
    pass


def _prepare() -> None:
    """Let everybody import chats: the permission is in the host's configuration, which not every backend has."""
    ChatTable.require_chat_creation_permission = _permitted  # type: ignore[method-assign]


_SEARCH = "Chats.get_chats_by_user_id_and_search_text"
_SEARCHING: dict[str, Any] = {"limits": {"p50_ratio": 0.01}, "callers": 4, "fewest": 3}
_UPSERT = "Chats.upsert_message_to_chat_by_id_and_message_id"
_WHOLE: dict[str, float | None] = {"rate_ratio": 1.0, "overhead": None}
"""For calls that spend their time with reading a long chat's text, which the bare request does not."""
_EDIT: dict[str, float | None] = {"overhead": None}
"""For calls that are one request or more: what they need of the chat may be known from the call before."""

GROUP = Group(
    name="chats",
    scratch={"chat_message": "user_id", "chat": "user_id"},
    writes={("chat", "chat_message"): _store},
    items=_items,
    operations=(
        Operation(
            "Chats.get_chat_title_id_list_by_user_id",
            "read",
            lambda _number: (MAIN,),
            _are(PAGE),
            keywords={"limit": PAGE},
            limits={"p50_ratio": 0.7},
        ),
        Operation("Chats.get_chat_by_id", "read", _read, _has_messages(20), case="of 20", limits={"p50_ratio": 0.7}),
        Operation(
            "Chats.get_chat_by_id",
            "read",
            lambda _number: (_long(MAIN, LONG).id,),
            _has_messages(LONG),
            case="of 500",
            limits={"p50_ratio": 0.9, **_WHOLE},
        ),
        Operation(
            "Chats.get_chat_by_id",
            "read",
            lambda _number: (_long(MAIN, LONGEST).id,),
            _has_messages(LONGEST),
            case="of 5,000",
            limits={"p50_ratio": 1.0, **_WHOLE},
            callers=4,
            fewest=5,
        ),
        Operation("Chats.get_messages_map_by_chat_id", "read", _read, _are(20), case="of 20"),
        Operation(_SEARCH, "read", _search(RARE), _are(2), case="rare words", **_SEARCHING),
        Operation(_SEARCH, "read", _search(ABSENT), _are(0), case="absent words", **_SEARCHING),
        Operation(_SEARCH, "read", _search(COMMON), _are(PAGE), case="common words", **_SEARCHING),
        Operation(_SEARCH, "read", _search_tags, bool, case="tag:a tag:b"),
        Operation(
            "Chats.count_chats_by_tag_ids_and_user_id",
            "read",
            lambda _number: (list(TAGS), MAIN),
            lambda counts: sum(counts.values()) == 3 * TOTAL_CHATS,
            limits={"p50_ratio": 0.05},
            callers=4,
            fewest=5,
        ),
        Operation("Chats.count_unread_by_folder_ids", "read", lambda _number: (MAIN, list(FOLDERS)), bool),
        Operation(
            "open_webui.utils.timers:claim_due_timers",
            "read",
            lambda number: (LOADED_AT * 10**9 + number,),
            lambda claimed: claimed == [],
            case="none due",
            limits={"p50": 1.0},
        ),
        Operation(
            _UPSERT, "write", _upsert_into(_written), _found, case="in any 20", limits={"p50_ratio": 0.5, **_EDIT}
        ),
        Operation(
            _UPSERT,
            "write",
            _upsert_into(lambda _number: _written(0)),
            _found,
            case="in 20",
            limits={"p50_ratio": 0.5, **_EDIT},
        ),
        Operation(
            _UPSERT,
            "write",
            _upsert_into(lambda _number: _long(WRITER, LONG)),
            _found,
            case="in 500",
            limits={"p50_ratio": 0.25, **_EDIT},
        ),
        Operation(
            _UPSERT,
            "write",
            _upsert_into(lambda _number: _long(WRITER, LONGEST)),
            _found,
            case="in 5,000",
            limits=_EDIT,
            callers=4,
            fewest=5,
        ),
        Operation(
            _UPSERT,
            "write",
            _stream,
            _found,
            case="streaming",
            limits={"rate_ratio": 2.0, "p99_ratio": 0.2, **_EDIT},
            callers=STREAMERS,
            fewest=10 * STREAMERS,
        ),
        Operation("Chats.insert_chat_turn", "write", _turn, _found, _chats_for_turns, limits=_EDIT),
        Operation("Chats.update_chat_by_id", "write", _retitled, _found, case="title", limits=_EDIT),
        Operation("Chats.toggle_chat_pinned_by_id", "write", lambda number: (_written(number).id,), _found),
        Operation(
            "Chats.import_chats",
            "write",
            _import,
            _are(IMPORTED),
            case=f"{IMPORTED} chats",
            limits={"p50_ratio": 0.33, **_EDIT},
            callers=1,
            fewest=1,
        ),
    ),
    space=1.5,
    is_raw=True,
    after=("folders", "tags"),
    prepare=_prepare,
)
