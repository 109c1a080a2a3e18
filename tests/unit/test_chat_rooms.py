"""The rooms of chats are the same in Python, in the hooks and in the contract tests, and each method is in its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.repositories import chats
from openwebui_pocketbase.repositories.chats import PocketBaseChats
from tests.support.differential import public_methods

ROOMS = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", chats.__doc__, re.MULTILINE))))
"""As the package describes them."""

BY_NOUN = {
    "shares": r"_shared_chat",
    "files": r"_chat_files?($|_)",
    "tags": r"_tags?($|_)",
    "messages": r"_message(?!s_map)|_turn",
}
BY_VERB = {
    "search": r"search_text$",
    "counts": r"^count_|_stats$",
    "insert": r"^(insert|import)_",
    "update": r"^(update|toggle|mark|archive|unarchive|move)_",
    "delete": r"^delete_",
    "get": r"^is_|^get_accessible_chat_by_id$|^get_chat_(by|folder|title_by|tasks|metas)|_ids_by_chat_ids$",
    "lists": r"^get_",
}


def room_of(method: str) -> str:
    if method == "get_chat_list_by_chat_ids":
        return "lists"
    return next(room for room, pattern in (BY_NOUN | BY_VERB).items() if re.search(pattern, method))


def overridden() -> Iterator[tuple[str, str]]:
    """Yield the methods of the stock class which ours replaces, each with its room."""
    stock = public_methods("Chats")
    for kind in PocketBaseChats.__mro__:
        _, _, room = kind.__module__.rpartition("openwebui_pocketbase.repositories.chats.")
        if kind.__module__.startswith("openwebui_pocketbase.repositories.chats.") and not room.startswith("_"):
            yield from ((name, room) for name in vars(kind) if name in stock)


def test_rooms_are_the_same_everywhere() -> None:
    def names(directory: Path, pattern: str) -> set[str]:
        return {path.stem.removeprefix("test_") for path in directory.glob(pattern) if path.stem[0] != "_"}

    assert names(Path(chats.__file__).parent, "[!_]*.py") == ROOMS
    assert names(HOOKS_DIR / "owui" / "chats", "[!_]*.js") - {"index", "dashboard"} == ROOMS
    tested = names(Path(__file__).parents[1] / "contract" / "chats", "test_*.py")
    assert tested - {"recordings"} == ROOMS | {name for name in tested if name.removesuffix("_machine") in ROOMS}


@pytest.mark.parametrize(("method", "room"), sorted(overridden()))
def test_a_method_is_in_its_room(method: str, room: str) -> None:
    assert room == room_of(method)


def test_every_room_has_its_mixin() -> None:
    for room in ROOMS:
        assert import_module(f"openwebui_pocketbase.repositories.chats.{room}").__all__
