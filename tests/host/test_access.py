"""Access grants on what stays in SQL: who sees, opens and changes what others made, wherever the grants are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.scenarios import MISSING, Step, grant, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

GROUPS = "/api/v1/groups"
USERS = "/api/v1/users"
TOOL = 'class Tools:\n    def say(self, text: str) -> str:\n        """Say it."""\n        return text\n'


@dataclass(frozen=True)
class Kind:
    """How one kind of things is made, shared, seen, changed and deleted; ``$it`` is the thing's id.

    Attributes:
        name: What permissions call it.
        at: Start of its paths.
        body: To create it.
        open: The rest of the path, or the query, of one thing.
        denied: Status for those who may not open it.
        refused: Status for those who may not change or share it.
        kept: Status for those who may not delete it; ``refused`` unless told otherwise.
        writers_open: Whether who may only write may read.
        change: Request that changes it.
        share: Request that shares it.
        delete: Request that deletes it.
        lists: Paths of its lists.
    """

    name: str
    at: str
    body: dict[str, Any]
    open: str
    change: str
    share: str
    delete: str
    lists: tuple[str, ...]
    denied: int = 401
    refused: int = 401
    kept: int = 0
    writers_open: bool = False


KINDS = (
    Kind(
        "prompts",
        "/api/v1/prompts",
        {"command": "do-$here", "name": "A prompt $here", "content": "c"},
        "/id/$it",
        "POST /id/$it/update",
        "POST /id/$it/access/update",
        "DELETE /id/$it/delete",
        ("/", "/list", "/list?view_option=shared", "/list?view_option=created"),
        denied=404,
    ),
    Kind(
        "notes",
        "/api/v1/notes",
        {"title": "A note $here", "data": {"content": {"md": "m"}}},
        "/$it",
        "POST /$it/update",
        "POST /$it/access/update",
        "DELETE /$it/delete",
        ("/", "/search", "/search?view_option=shared", "/search?permission=write"),
        denied=403,
        refused=403,
    ),
    Kind(
        "knowledge",
        "/api/v1/knowledge",
        {"name": "Known $here", "description": "d"},
        "/$it",
        "POST /$it/update",
        "POST /$it/access/update",
        "DELETE /$it/delete",
        ("/", "/search", "/search?view_option=shared"),
        refused=400,
    ),
    Kind(
        "tools",
        "/api/v1/tools",
        {"id": "tool_$word", "name": "A tool $here", "content": TOOL, "meta": {}},
        "/id/$it",
        "POST /id/$it/update",
        "POST /id/$it/access/update",
        "DELETE /id/$it/delete",
        ("/", "/list"),
    ),
    Kind(
        "skills",
        "/api/v1/skills",
        {"id": "skill-$here", "name": "A skill $here", "description": "d", "content": "c"},
        "/id/$it",
        "POST /id/$it/update",
        "POST /id/$it/access/update",
        "DELETE /id/$it/delete",
        ("/", "/list", "/list?view_option=shared"),
    ),
    Kind(
        "models",
        "/api/v1/models",
        {"id": "m/$here:a.b@c", "name": "A model $here", "meta": {}, "params": {}, "base_model_id": "base"},
        "/model?id=$it",
        "POST /model/update",
        "POST /model/access/update",
        "POST /model/delete",
        ("/list", "/list?view_option=shared"),
        refused=400,
        kept=401,
        writers_open=True,
    ),
)


def sharing(kind: Kind) -> list[Step]:
    """Return the scenario of one kind of things."""

    def request(user: str, status: int, what: str, body: dict[str, Any] | None = None, **more: Any) -> Step:
        method, _, path = what.partition(" ")
        extra = {"id": "$it"} if kind.name == "models" and method == "POST" else {}
        content = {**extra, **(body or {})} or None
        return step(user, status, f"{method} {kind.at}{path}", content, **more)

    def make() -> Step:
        return step("ann", 200, f"POST {kind.at}/create", kind.body, save="it")

    def look(**may: bool) -> list[Step]:
        """Return steps in which others list it, and everybody tries to open it."""
        others = [user for user in may if user not in ("ann", "admin")][:2]
        lists = [
            step(user, 200, f"GET {kind.at}{path}", mine=True, sort=True) for user in others for path in kind.lists
        ]
        opened = [
            request(user, 200 if can else kind.denied, f"GET {kind.open}", sort=True) for user, can in may.items()
        ]
        return [*lists, *opened]

    def share(*grants: dict[str, str], user: str = "ann", status: int = 200) -> Step:
        return request(user, status, kind.share, {"access_grants": list(grants)}, sort=True)

    def change(user: str, status: int) -> Step:
        return request(user, status, kind.change, kind.body, sort=True)

    workspace = {"workspace": {kind.name: True}} if kind.name != "notes" else {}
    permissions = {**workspace, "sharing": {kind.name: True, f"public_{kind.name}": True}}
    return [
        step(
            "admin",
            200,
            f"POST {GROUPS}/create",
            {"name": "Makers $here", "description": "", "permissions": permissions},
            save="makers",
        ),
        step("admin", 200, f"POST {GROUPS}/id/$makers/users/add", {"user_ids": ["$ann"]}),
        step("admin", 200, f"POST {GROUPS}/create", {"name": "Team $here", "description": ""}, save="team"),
        step(
            "admin",
            200,
            f"POST {GROUPS}/create",
            {"name": "Below $here", "description": "", "parent_group_id": "$team"},
            save="below",
        ),
        step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$carl"]}),
        step("admin", 200, f"POST {GROUPS}/id/$below/users/add", {"user_ids": ["$dora"]}),
        make(),
        *look(ann=True, bob=False, carl=False, dora=False, admin=True),
        change("bob", kind.refused),
        share(grant("$bob", "read"), user="bob", status=kind.refused),
        # ... with one user
        share(grant("$bob", "read")),
        *look(ann=True, bob=True, carl=False),
        change("bob", kind.refused),
        share(grant("$bob", "write"), user="bob", status=kind.refused),
        request("bob", kind.kept or kind.refused, kind.delete),
        share(grant("$bob", "write")),
        *look(bob=kind.writers_open),
        share(grant("$bob", "read"), grant("$bob", "write"), grant("$bob", "read")),
        *look(ann=True, bob=True, carl=False),
        change("bob", 200),
        # ... with a group, and those below
        share(grant("$team", "read", "group")),
        *look(bob=False, carl=True, dora=True),
        step("admin", 200, f"GET {GROUPS}/id/$team/preview", mine=True, sort=True),
        step("admin", 200, f"GET {USERS}/$dora/preview", mine=True, sort=True),
        step("admin", 200, f"POST {GROUPS}/id/$team/users/remove", {"user_ids": ["$carl"]}),
        *look(carl=False, dora=True),
        share(grant("$team", "read", "group"), grant("$below", "read", "group"), grant("$below", "write", "group")),
        change("dora", 200),
        step("admin", 200, f"DELETE {GROUPS}/id/$below/delete"),
        *look(ann=True, dora=False),
        # ... with everybody
        share(grant("*", "read")),
        *look(ann=True, bob=True, carl=True, dora=True, admin=True),
        change("bob", kind.refused),
        # ... with nobody that there is
        share(grant(MISSING, "read")),
        *look(ann=True, bob=False),
        share({"principal_type": "robot", "principal_id": "$bob", "permission": "read"}, grant("$bob", "own")),
        *look(ann=True, bob=False),
        request("ann", 422, kind.share, {"access_grants": None}),
        # ... without the permission to share
        step("admin", 200, f"POST {GROUPS}/id/$makers/users/remove", {"user_ids": ["$ann"]}),
        share(grant("$bob", "read"), status=403),
        share(grant("$bob", "read"), user="admin"),
        *look(ann=True, bob=True),
        step("admin", 200, f"POST {GROUPS}/id/$makers/users/add", {"user_ids": ["$ann"]}),
        # A new one of the same id is nobody else's.
        share(grant("$bob", "read"), grant("$bob", "write"), grant("$team", "read", "group"), grant("*", "read")),
        request("ann", 200, kind.delete),
        request("bob", 404, f"GET {kind.open}"),
        make(),
        *look(ann=True, bob=False, carl=False),
        # The owner's grants outlive them.
        share(grant("$bob", "read")),
        step("admin", 200, f"DELETE {USERS}/$ann"),
        *look(bob=True, admin=True),
        request("admin", 200, kind.delete),
    ]


SCENARIOS = {f"share {kind.name}": sharing(kind) for kind in KINDS}
ON_POSTGRESQL = ("share notes", "share models")
"""Where the host asks for grants within its SQL, and where it does not; the others are like one of these, and are not
compared with every configuration."""


@pytest.mark.parametrize(
    ("scenario", "database"),
    [
        *((scenario, "sqlite") for scenario in SCENARIOS),
        *(pytest.param(each, "postgresql", marks=pytest.mark.postgresql) for each in ON_POSTGRESQL),
    ],
)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI], scenario: str) -> None:
    names = contestants if scenario in ON_POSTGRESQL else ("stock", "everything")
    assert not play_together({name: contestants[name] for name in names}, scenario, SCENARIOS[scenario])
