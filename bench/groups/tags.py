"""Tags: 30 of each user."""

from __future__ import annotations

from collections.abc import Iterator

from bench.data import SCRATCH_USERS, USERS
from bench.operations import Group, Item, Operation, Row, one_of_each

PER_USER = 30
SOME = 10
NAMES = tuple(f"Topic number {number}" for number in range(PER_USER))
PRESENT = ("Already here", "This one too")


def tag_id(name: str) -> str:
    """Return the id of the tag with this name."""
    return name.replace(" ", "_").lower()


def _tag(name: str, user_id: str) -> Row:
    return {"id": tag_id(name), "name": name, "user_id": user_id, "meta": None}


def _items() -> Iterator[Item]:
    for name in NAMES:
        for user_id in USERS:  # a user's rows are far apart, as if they came over months
            yield {"tag": [_tag(name, user_id)]}


def _user(number: int) -> str:
    return USERS[number % len(USERS)]


def _scratch_user(number: int) -> str:
    return SCRATCH_USERS[number % len(SCRATCH_USERS)]


def _by_name(number: int) -> tuple[str, str]:
    return NAMES[number // len(USERS) % PER_USER], _user(number)


def _by_ids(number: int) -> tuple[list[str], str]:
    return [tag_id(NAMES[(number + offset) % PER_USER]) for offset in range(SOME)], _user(number)


def _new(number: int) -> tuple[str, str]:
    return f"New topic {number}", _scratch_user(number)


def _two_present_one_new(number: int) -> tuple[list[str], str]:
    name, user_id = _new(number)
    return [*PRESENT, name], user_id


def _present(numbers: range) -> Iterator[Item]:
    for user_id in {_scratch_user(number) for number in numbers}:
        for name in PRESENT:
            yield {"tag": [_tag(name, user_id)]}


def _to_delete(numbers: range) -> Iterator[Item]:
    return ({"tag": [_tag(*_new(number))]} for number in numbers)


GROUP = Group(
    name="tags",
    scratch={"tag": "user_id"},
    writes={("tag",): one_of_each("tags/insert_new_tag")},
    items=_items,
    operations=(
        Operation("Tags.get_tag_by_name_and_user_id", "read", _by_name, lambda tag: tag is not None),
        Operation(
            "Tags.get_tags_by_user_id", "read", lambda number: (_user(number),), lambda tags: len(tags) == PER_USER
        ),
        Operation("Tags.get_tags_by_ids_and_user_id", "read", _by_ids, lambda tags: len(tags) == SOME),
        Operation("Tags.insert_new_tag", "write", _new, lambda tag: tag is not None),
        Operation("Tags.ensure_tags_exist", "write", _two_present_one_new, lambda answer: answer is None, _present),
        Operation("Tags.delete_tag_by_name_and_user_id", "write", _new, lambda done: done is True, _to_delete),
    ),
)
