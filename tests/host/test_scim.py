"""SCIM: an identity provider that makes, changes and deletes users and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES
from tests.support.scenarios import MISSING, Step, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

SCIM = "/api/v1/scim/v2"
SIGN_IN = "/api/v1/auths/signin"


def person(who: str, **members: Any) -> dict[str, Any]:
    """Return the body of a new user."""
    address = f"{who}.$here@example.com"
    return {"userName": address, "displayName": who, "emails": [{"value": address, "primary": True}], **members}


def patch(*operations: tuple[Any, ...]) -> dict[str, Any]:
    """Return the body of a PATCH with (op, path, value) of each operation."""
    return {"Operations": [dict(zip(("op", "path", "value"), each, strict=False)) for each in operations]}


def create(who: str, **members: Any) -> Step:
    return step("scim", 201, f"POST {SCIM}/Users", person(who, **members), save=who)


def find(status: int, kind: str, expression: str) -> Step:
    return step("scim", status, f"GET {SCIM}/{kind}?filter={expression}", mine=True, sort=True)


def people(*names: str) -> list[dict[str, str]]:
    return [{"value": f"${name}"} for name in names]


REFUSED: list[tuple[Any, ...]] = [
    ("replace", "active", "true"),
    ("replace", "nickName", "x"),
    ("remove", "displayName"),
    ("remove",),
    ("copy", "displayName", "x"),
    ("replace", "displayName", 1),
    ("replace", None, {}),
]
"""Operations on a user."""

SCENARIOS: dict[str, list[Step]] = {
    "scim users": [
        step("", 401, f"GET {SCIM}/Users"),
        step("admin", 401, f"GET {SCIM}/Users"),
        create("ada", externalId="ext-$here"),
        create("bea", name={"givenName": "Bea", "familyName": "Große"}, active=False),
        create("cleo", name={"formatted": "Cleo '\"\\ 🦜"}, photos=[{"value": "https://example.com/a.png"}]),
        step("scim", 201, f"POST {SCIM}/Users", person("Dot", userName="other.$here@example.com"), save="dot"),
        step("scim", 409, f"POST {SCIM}/Users", person("ADA")),
        step("scim", 409, f"POST {SCIM}/Users", person("eve", externalId="ext-$here")),
        step("scim", 422, f"POST {SCIM}/Users", {"userName": "x"}),
        step("scim", 201, f"POST {SCIM}/Users", person("nul\0"), sqlite_only="NUL"),
        *[step("scim", 200, f"GET {SCIM}/Users/${name}") for name in ("ada", "bea", "cleo", "dot")],
        *[step("scim", 404, f"GET {SCIM}/Users/{odd}") for odd in (MISSING, "x", "$ann", "a'b")],
        step("admin", 200, "GET /api/v1/users/$ada"),
        *[
            find(200, "Users", expression)
            for expression in (
                'userName eq "ada.$here@example.com"',
                'userName eq "ADA.$here@example.com"',
                'userName eq "ad%25.$here@example.com"',
                'userName eq "ann-$here@example.com"',
                'externalId eq "ext-$here"',
                'externalId eq "EXT-$here"',
                'externalId eq "none"',
                'displayName eq "ada"',
            )
        ],
        find(500, "Users", "userName eq ada"),
        # Without a filter: the users of all scenarios, so only how many at most.
        *[
            step("scim", 200, f"GET {SCIM}/Users?{query}", mine=True, sort=True)
            for query in ("startIndex=1&count=0", "startIndex=0&count=-1", "startIndex=99999", "count=100")
        ],
        step("scim", 422, f"GET {SCIM}/Users?count=x"),
        # PUT
        step("scim", 200, f"PUT {SCIM}/Users/$ada", {"displayName": "Ada L.", "active": False}),
        step("scim", 200, f"PUT {SCIM}/Users/$ada", {"userName": "ada2.$here@example.com", "active": True}),
        step("scim", 200, f"PUT {SCIM}/Users/$ada", {"externalId": "new-$here", "name": {"givenName": "A"}}),
        step("scim", 200, f"PUT {SCIM}/Users/$ada", {}),
        step("scim", 500, f"PUT {SCIM}/Users/$ada", {"userName": "bea.$here@example.com"}),
        step("scim", 404, f"PUT {SCIM}/Users/{MISSING}", {"displayName": "x"}),
        step("scim", 404, f"PUT {SCIM}/Users/$ann", {"displayName": "x"}),
        step("scim", 200, f"GET {SCIM}/Users/$ada"),
        # PATCH
        *[
            step("scim", 200, f"PATCH {SCIM}/Users/$bea", patch(*operations))
            for operations in (
                [("replace", "active", True)],
                [("Replace", "displayName", "Bea"), ("add", "externalId", "b-$here")],
                [("replace", None, {"displayName": "B", "active": False})],
                [("remove", "externalId")],
                [],
            )
        ],
        *[step("scim", 400, f"PATCH {SCIM}/Users/$bea", patch(operation)) for operation in REFUSED],
        step("scim", 404, f"PATCH {SCIM}/Users/{MISSING}", patch(("replace", "active", True))),
        step("scim", 200, f"GET {SCIM}/Users/$bea"),
        # Whoever has become an admin stays one.
        step("admin", 200, "POST /api/v1/users/$cleo/update", {"role": "admin", "password": "$password"}),
        step("scim", 200, f"PATCH {SCIM}/Users/$cleo", patch(("replace", "active", False))),
        step("scim", 403, f"DELETE {SCIM}/Users/$cleo"),
        step("", 200, f"POST {SIGN_IN}", {"email": "cleo.$here@example.com", "password": "$password"}),
        step("scim", 404, f"DELETE {SCIM}/Users/{MISSING}"),
        step("scim", 404, f"DELETE {SCIM}/Users/$ann"),
        step("scim", 204, f"DELETE {SCIM}/Users/$ada"),
        step("scim", 404, f"DELETE {SCIM}/Users/$ada"),
        create("ada", externalId="new-$here"),
        find(200, "Users", 'externalId eq "new-$here"'),
        step("admin", 200, "GET /api/v1/users/?query=.$here", mine=True, sort=True),
    ],
    "scim groups": [
        *[create(name) for name in ("ada", "bea", "cleo")],
        step("scim", 201, f"POST {SCIM}/Groups", {"displayName": "Empty $here"}, save="empty"),
        step(
            "scim",
            201,
            f"POST {SCIM}/Groups",
            {"displayName": "Team $here", "members": people("ada", "bea")},
            save="team",
            sort=True,
        ),
        *[
            step("scim", 400, f"POST {SCIM}/Groups", {"displayName": "Wrong $here", "members": members})
            for members in (
                [{"value": MISSING}],
                [{"value": "$team", "type": "Group"}],
                [{"value": "$team", "$$ref": "http://x/Groups/$team"}],
                [{"value": ""}],
            )
        ],
        step("scim", 422, f"POST {SCIM}/Groups", {"members": []}),
        *[step("scim", 200, f"GET {SCIM}/Groups/${name}", sort=True) for name in ("empty", "team")],
        *[step("scim", 404, f"GET {SCIM}/Groups/{odd}") for odd in (MISSING, "x", "a'b")],
        *[step("scim", 200, f"GET {SCIM}/Users/${name}") for name in ("ada", "cleo")],
        *[
            find(200, "Groups", expression)
            for expression in (
                'displayName eq "Team $here"',
                'displayName eq "TEAM $here"',
                'displayName eq "none"',
                'id eq "$team"',
            )
        ],
        step("scim", 200, f"GET {SCIM}/Groups?count=100", mine=True, sort=True),
        step("scim", 200, f"GET {SCIM}/Groups?startIndex=99999&count=5", mine=True),
        # PUT
        step("scim", 200, f"PUT {SCIM}/Groups/$team", {"displayName": "Team2 $here"}, sort=True),
        step("scim", 200, f"PUT {SCIM}/Groups/$team", {"members": people("bea", "cleo", "cleo")}, sort=True),
        step("scim", 200, f"PUT {SCIM}/Groups/$team", {}, sort=True),
        step("scim", 200, f"PUT {SCIM}/Groups/$team", {"members": []}),
        step("scim", 400, f"PUT {SCIM}/Groups/$team", {"members": [{"value": MISSING}]}),
        step("scim", 404, f"PUT {SCIM}/Groups/{MISSING}", {"displayName": "x"}),
        # PATCH
        *[
            step("scim", 200, f"PATCH {SCIM}/Groups/$team", patch(*operations), sort=True)
            for operations in (
                [("add", "members", people("ada"))],
                [("add", "members", people("ada", "bea"))],
                [("remove", 'members[value eq "$ada"]')],
                [("remove", f'members[value eq "{MISSING}"]')],
                [("replace", "members", people("cleo", "ada")), ("replace", "displayName", "Team3 $here")],
                [("replace", "nonsense", 1)],
                [],
            )
        ],
        step("scim", 400, f"PATCH {SCIM}/Groups/$team", patch(("add", "members", [{"value": MISSING}]))),
        step("scim", 400, f"PATCH {SCIM}/Groups/$team", patch(("replace", "members", "x"))),
        step("scim", 404, f"PATCH {SCIM}/Groups/{MISSING}", patch()),
        step("admin", 200, "POST /api/v1/groups/id/$team/users", sort=True),
        # A child goes to the parent of what is deleted.
        step(
            "admin",
            200,
            "POST /api/v1/groups/create",
            {"name": "Child $here", "description": "", "parent_group_id": "$team"},
            save="child",
        ),
        step("scim", 204, f"DELETE {SCIM}/Groups/$team"),
        step("scim", 404, f"DELETE {SCIM}/Groups/$team"),
        step("admin", 200, "GET /api/v1/groups/id/$child"),
        step("scim", 204, f"DELETE {SCIM}/Users/$ada"),
        step("scim", 200, f"GET {SCIM}/Groups?count=100", mine=True, sort=True),
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(contestants, scenario, SCENARIOS[scenario])
