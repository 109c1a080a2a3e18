"""Groups: 40 hierarchies of 25 groups, six levels deep; each user is in one of the lowest, and in one halfway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from open_webui.models import groups

from bench.data import LOADED_AT, SCRATCH_USERS, USERS, identifier
from bench.groups.users import PEOPLE
from bench.operations import HOT, Group, Item, Operation, Row, one_of_each

TREES = 40
LEVELS = (1, 2, 4, 6, 6, 6)
"""How many groups there are on each level of a tree, the root's first."""

LOWEST = len(LEVELS) - 1
HALFWAY = 2
OTHER_TREE = 13
"""How far the tree of somebody's group halfway is from the tree of the lowest."""

DIRECT = 2
INHERITED = len(LEVELS) + HALFWAY + 1

PERMISSIONS = {
    "workspace": dict.fromkeys(("models", "knowledge", "prompts", "tools", "skills"), True),
    "sharing": dict.fromkeys(("models", "knowledge", "prompts", "tools", "public_models", "public_prompts"), False),
    "chat": dict.fromkeys(("controls", "file_upload", "delete", "edit", "share", "export", "stt", "tts", "call"), True),
    "features": dict.fromkeys(("web_search", "image_generation", "code_interpreter", "notes", "channels"), True),
}


def group_id(tree: int, level: int, index: int) -> str:
    """Return the id of a group."""
    return identifier(f"group {tree}.{level}.{index}")


def tree_of(user: int) -> int:
    """Return the tree with the user's lowest group."""
    return user % TREES


def inherited_ids(user: int) -> set[str]:
    """Return the ids of the groups which a user is in, and of all above them."""
    ids = set()
    for tree, lowest, index in _memberships(user):
        position = index
        for level in range(lowest, -1, -1):
            position %= LEVELS[level]  # as `_group` chooses parents
            ids.add(group_id(tree, level, position))
    return ids


def _memberships(user: int) -> tuple[tuple[int, int, int], ...]:
    tree, index = tree_of(user), user // TREES
    other = (tree + OTHER_TREE) % TREES
    return (tree, LOWEST, index % LEVELS[LOWEST]), (other, HALFWAY, index % LEVELS[HALFWAY])


def _group(tree: int, level: int, index: int) -> Row:
    return {
        "id": group_id(tree, level, index),
        "parent_group_id": group_id(tree, level - 1, index % LEVELS[level - 1]) if level else None,
        "user_id": USERS[0],
        "name": f"Team {tree}.{level}.{index}",
        "description": f"Level {level} of department {tree}",
        "data": {"config": {"share": True}},
        "meta": None,
        "permissions": PERMISSIONS,
        "created_at": LOADED_AT,
        "updated_at": LOADED_AT,
    }


def _member(group: str, user: str) -> Row:
    row = {"id": identifier(f"{user} in {group}"), "group_id": group, "user_id": user}
    return {**row, "created_at": LOADED_AT, "updated_at": LOADED_AT}


def _items() -> Iterator[Item]:
    for level, size in enumerate(LEVELS):
        for tree in range(TREES):
            for index in range(size):
                yield {"group": [_group(tree, level, index)]}
    members: defaultdict[str, list[Row]] = defaultdict(list)
    for number, user in enumerate(PEOPLE):
        for membership in _memberships(number):
            group = group_id(*membership)
            members[group].append(_member(group, user))
    for rows in members.values():
        yield {"group_member": rows}


def _add_members(item: Item) -> tuple[str, dict[str, Any]]:
    rows = item["group_member"]
    users = [row["user_id"] for row in rows]
    return "groups/add_users_to_group", {"id": rows[0]["group_id"], "user_ids": users, "updated_at": LOADED_AT}


def _user(number: int) -> tuple[str]:
    return (PEOPLE[number % len(PEOPLE)],)


def _group_and_scratch_user(number: int) -> tuple[str, list[str]]:
    round_, position = divmod(number, TREES * LEVELS[LOWEST])
    group = group_id(position % TREES, LOWEST, position // TREES)
    return group, [SCRATCH_USERS[round_ % len(SCRATCH_USERS)]]


def _to_remove(numbers: range) -> Iterator[Item]:
    for number in numbers:
        group, (user,) = _group_and_scratch_user(number)
        yield {"group_member": [_member(group, user)]}


def _are(wanted: int) -> Any:
    return lambda found: len(found) == wanted


def _found(group: Any) -> bool:
    return group is not None


async def _nobody_is_connected(_user_ids: Any) -> None:
    pass


def _prepare() -> None:
    """Do without the browsers which the host tells of new rights; the code for it would import the application."""
    groups.refresh_group_sessions = _nobody_is_connected


GROUP = Group(
    name="groups",
    scratch={"group_member": "user_id"},
    writes={("group",): one_of_each("groups/insert_new_group"), ("group_member",): _add_members},
    items=_items,
    operations=(
        Operation("Groups.get_groups_by_member_id", "read", _user, _are(DIRECT), limits=HOT),
        Operation(
            "Groups.get_groups_by_member_id",
            "read",
            _user,
            _are(INHERITED),
            case="inherited",
            keywords={"include_inherited": True},
            limits={"p50_ratio": 0.5},
        ),
        Operation("Groups.add_users_to_group", "write", _group_and_scratch_user, _found),
        Operation("Groups.remove_users_from_group", "write", _group_and_scratch_user, _found, _to_remove),
    ),
    after=("users",),
    prepare=_prepare,
)
