"""Folders: 60 of each user, three levels deep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from open_webui.models.folders import FolderForm, FolderUpdateForm

from bench.data import LOADED_AT, SCRATCH_USERS, USERS, document, identifier
from bench.operations import Group, Item, Operation, Row, one_of_each

TREES, BRANCHES, SINGLES = 2, 4, 18
"""Per user: trees of a root, its branches and as many leaves below each of those; and roots with nothing below."""

BELOW_ROOT = BRANCHES + BRANCHES * BRANCHES
PER_USER = TREES * (1 + BELOW_ROOT) + SINGLES

ROOTS = tuple(f"Project {tree}" for tree in range(TREES))
BRANCH_PATHS = tuple(f"{root}/Part {branch}" for root in ROOTS for branch in range(BRANCHES))
LEAF_PATHS = tuple(f"{path}/Detail {leaf}" for path in BRANCH_PATHS for leaf in range(BRANCHES))
PATHS = (*ROOTS, *BRANCH_PATHS, *LEAF_PATHS, *(f"Single {number}" for number in range(SINGLES)))


def folder_id(user_id: str, path: str) -> str:
    """Return the id of the folder with this path."""
    return identifier(f"{user_id}/{path}")


def _folder(user_id: str, path: str) -> Row:
    parent, _, name = path.rpartition("/")
    return {
        "id": folder_id(user_id, path),
        "parent_id": folder_id(user_id, parent) if parent else None,
        "user_id": user_id,
        "name": name,
        "items": None,
        "meta": document(f"meta of {name}"),
        "data": document(f"data of {name}"),
        "is_expanded": False,
        "created_at": LOADED_AT,
        "updated_at": LOADED_AT + PATHS.index(path) if path in PATHS else LOADED_AT,
    }


def _items() -> Iterator[Item]:
    for path in PATHS:
        for user_id in USERS:  # a user's rows are far apart, as if they came over months
            yield {"folder": [_folder(user_id, path)]}


def _any(number: int, among: tuple[str, ...] = PATHS) -> tuple[str, str]:
    """Return user and path of a folder; numbers go through the users first, then through the paths."""
    return USERS[number % len(USERS)], among[number // len(USERS) % len(among)]


def _by_id(number: int) -> tuple[str]:
    return (folder_id(*_any(number)),)


def _by_id_and_user(number: int) -> tuple[str, str]:
    user_id, path = _any(number)
    return folder_id(user_id, path), user_id


def _root_and_user(number: int) -> tuple[str, str]:
    user_id, root = _any(number, ROOTS)
    return folder_id(user_id, root), user_id


def _by_name(number: int) -> tuple[str, str, str]:
    user_id, path = _any(number, BRANCH_PATHS)
    parent, _, name = path.rpartition("/")
    return folder_id(user_id, parent), user_id, name


def _search(number: int) -> tuple[str, list[str]]:
    user_id, root = _any(number, ROOTS)
    return user_id, [root.upper(), "no such folder"]


def _scratch_user(number: int) -> str:
    return SCRATCH_USERS[number % len(SCRATCH_USERS)]


def _new(number: int) -> tuple[str, FolderForm]:
    name = f"Folder {number}"
    return _scratch_user(number), FolderForm(name=name, data=document(name), meta=document(name))


def _renamed(number: int) -> tuple[str, str, FolderUpdateForm]:
    user_id, path = _any(number, LEAF_PATHS)  # nobody asks for leaves by name
    return (
        folder_id(user_id, path),
        user_id,
        FolderUpdateForm(name=f"Renamed {number}", meta={"icon": f"icon-{number}"}),
    )


def _toggled(number: int) -> tuple[str, str, bool]:
    user_id, path = _any(number)
    return folder_id(user_id, path), user_id, number // (len(USERS) * len(PATHS)) % 2 == 0


def _tree_to_delete(number: int) -> tuple[str, str]:
    user_id = _scratch_user(number)
    return folder_id(user_id, f"Old {number}"), user_id


def _trees_to_delete(numbers: range) -> Iterator[Item]:
    for number in numbers:
        for path in ("", "/Left", "/Right"):
            yield {"folder": [_folder(_scratch_user(number), f"Old {number}{path}")]}


def _found(folder: Any) -> bool:
    return folder is not None


def _are(wanted: int) -> Any:
    return lambda folders: len(folders) == wanted


GROUP = Group(
    name="folders",
    scratch={"folder": "user_id"},
    writes={("folder",): one_of_each("folders/insert_new_folder")},
    items=_items,
    operations=(
        Operation("Folders.get_folder_by_id", "read", _by_id, _found),
        Operation("Folders.get_folder_by_id_and_user_id", "read", _by_id_and_user, _found),
        Operation("Folders.get_folders_by_user_id", "read", lambda number: (_any(number)[0],), _are(PER_USER)),
        Operation("Folders.get_folders_by_parent_id_and_user_id", "read", _root_and_user, _are(BRANCHES)),
        Operation("Folders.get_folder_by_parent_id_and_user_id_and_name", "read", _by_name, _found),
        Operation("Folders.get_children_folders_by_id_and_user_id", "read", _root_and_user, _are(BELOW_ROOT)),
        Operation("Folders.search_folders_by_names", "read", _search, _are(1 + BELOW_ROOT)),
        Operation("Folders.insert_new_folder", "write", _new, _found),
        Operation("Folders.update_folder_by_id_and_user_id", "write", _renamed, _found),
        Operation("Folders.update_folder_is_expanded_by_id_and_user_id", "write", _toggled, _found),
        Operation("Folders.delete_folder_by_id_and_user_id", "write", _tree_to_delete, _are(3), _trees_to_delete),
    ),
)
