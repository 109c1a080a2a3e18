"""Access grants: on 960 models to a hierarchy of groups, a group and two users; on 40 more to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.data import LOADED_AT, identifier, scratch
from bench.groups.groups import HALFWAY, LOWEST, TREES, group_id, inherited_ids, tree_of
from bench.groups.users import PEOPLE
from bench.operations import HOT, Group, Item, Operation, Row

TYPE = "model"
BLOCKS = 24
"""Each has a model for each tree of groups: the root's members may read it, which all others in the tree are, too."""

SHARED = tuple(identifier(f"model {number}") for number in range(BLOCKS * TREES))
PUBLIC = tuple(identifier(f"public model {number}") for number in range(40))
ROOTS = 2
"""How many trees each user is in."""


def _grant(resource: str, principal_type: str, principal: str, permission: str) -> Row:
    return {
        "id": identifier(f"{permission} {resource} {principal}"),
        "resource_type": TYPE,
        "resource_id": resource,
        "principal_type": principal_type,
        "principal_id": principal,
        "permission": permission,
        "created_at": LOADED_AT,
    }


def _items() -> Iterator[Item]:
    for number, resource in enumerate(SHARED):
        tree = number % TREES
        readers = [PEOPLE[(number + other) % len(PEOPLE)] for other in (0, len(SHARED))]
        yield {
            "access_grant": [
                _grant(resource, "group", group_id(tree, 0, 0), "read"),
                _grant(resource, "group", group_id(tree, LOWEST, 0), "write"),
                *(_grant(resource, "user", reader, "read") for reader in readers),
            ]
        }
    for resource in PUBLIC:
        yield {"access_grant": [_grant(resource, "user", "*", "read")]}


def _replace(item: Item) -> tuple[str, dict[str, Any]]:
    grants = item["access_grant"]
    resource = {name: grants[0][name] for name in ("resource_type", "resource_id")}
    return "access/replace_access_grants", {**resource, "grants": grants}


def _block(user: int) -> int:
    """Return a block of models of which none is shared with the user in person."""
    return (user // TREES + 1) % BLOCKS


def _user_and_model(number: int) -> tuple[str, str, str, str]:
    """Return a user, and a model which the user may read as a member of a group five levels below the one named."""
    user = number % len(PEOPLE)
    return PEOPLE[user], TYPE, SHARED[_block(user) * TREES + tree_of(user)], "read"


def _user_and_model_and_groups(number: int) -> tuple[str, str, str, str, set[str]]:
    return (*_user_and_model(number), inherited_ids(number % len(PEOPLE)))


def _user_and_models(number: int) -> tuple[str, str, list[str], str]:
    user = number % len(PEOPLE)
    first = _block(user) * TREES
    return PEOPLE[user], TYPE, [*SHARED[first : first + TREES], *PUBLIC], "read"


def _old_grants(numbers: range) -> Iterator[Item]:
    for number in numbers:
        resource = scratch(number)
        principals = (group_id(number % TREES, HALFWAY, index) for index in range(2))
        grants = [_grant(resource, "group", principal, "read") for principal in principals]
        yield {"access_grant": [*grants, _grant(resource, "user", PEOPLE[number % len(PEOPLE)], "write")]}


def _new_grants(number: int) -> tuple[str, str, list[dict[str, str]]]:
    grants = [("group", group_id(number % TREES, 0, 0), "read")]
    grants += [("user", PEOPLE[(number + other) % len(PEOPLE)], "write") for other in range(2)]
    names = ("principal_type", "principal_id", "permission")
    return TYPE, scratch(number), [dict(zip(names, grant, strict=True)) for grant in grants]


def _granted(answer: Any) -> bool:
    return answer is True


def _are(wanted: int) -> Any:
    return lambda found: len(found) == wanted


GROUP = Group(
    name="access",
    scratch={"access_grant": "resource_id"},
    writes={("access_grant",): _replace},
    items=_items,
    operations=(
        Operation("AccessGrants.has_access", "read", _user_and_model, _granted, limits=HOT),
        Operation(
            "AccessGrants.has_access", "read", _user_and_model_and_groups, _granted, case="by groups", limits=HOT
        ),
        Operation("AccessGrants.get_accessible_resource_ids", "read", _user_and_models, _are(ROOTS + len(PUBLIC))),
        Operation("AccessGrants.set_access_grants", "write", _new_grants, _are(3), _old_grants),
    ),
    after=("users", "groups"),
)
