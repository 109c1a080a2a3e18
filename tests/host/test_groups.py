"""Groups: their tree, members and permissions. The same answers wherever the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Step, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

GROUPS = "/api/v1/groups"
USERS = "/api/v1/users"
ADD = "/api/v1/auths/add"


def group(name: str, parent: str | None = None, **members: Any) -> dict[str, Any]:
    """Return the body of a new group; its name says to which scenario it belongs."""
    return {"name": f"{name} $here", "description": "", **({"parent_group_id": parent} if parent else {}), **members}


def create(name: str, parent: str | None = None, **members: Any) -> Step:
    return step("admin", 200, f"POST {GROUPS}/create", group(name, parent, **members), save=name)


def update(status: int, of: str, **members: Any) -> Step:
    return step("admin", status, f"POST {GROUPS}/id/${of}/update", group(of) | members)


def member(change: str, name: str, *users: str, status: int = 200) -> Step:
    return step(
        "admin", status, f"POST {GROUPS}/id/${name}/users/{change}", {"user_ids": [f"${user}" for user in users]}
    )


def tree(*names: str) -> list[Step]:
    """Return steps that look at groups from all sides."""
    paths = ("", "/info", "/export", "/members", "/preview")
    return [
        step("admin", 200, f"GET {GROUPS}/id/${name}{path}", mine=path == "/preview", sort=True)
        for name in names
        for path in paths
    ]


def models(*ids: str) -> dict[str, Any]:
    return {"config": {"default_models": list(ids)}}


SHARES: tuple[Any, ...] = (True, False, "members", None, "true", "false", 1, 0, "nobody", {}, [])

SCENARIOS: dict[str, list[Step]] = {
    "create": [
        step("", 401, f"GET {GROUPS}/"),
        step("ann", 401, f"POST {GROUPS}/create", group("Hers")),
        create("One"),
        create("Two", description="Second ö 🦜", permissions={"chat": {"delete": True}}, data={"x": [1.0, 2**53 + 1]}),
        step("admin", 200, f"POST {GROUPS}/create", group("One")),  # names may repeat
        step("admin", 200, f"POST {GROUPS}/create", group("n" * 70_000)),
        step("admin", 200, f"POST {GROUPS}/create", group("'quoted' \"twice\" \\ % _ /\n\u0001")),
        step("admin", 200, f"POST {GROUPS}/create", group("nul\0"), sqlite_only="NUL"),
        step("admin", 400, f"POST {GROUPS}/create", group("half \ud83d")),
        step(
            "admin", 200, f"POST {GROUPS}/create", group("Nothing", data=None, permissions=None, parent_group_id=None)
        ),
        step("admin", 200, f"POST {GROUPS}/create", group("Empty", data={}, permissions={})),
        create("Sub", "$One"),
        step("admin", 404, f"POST {GROUPS}/create", group("Lost", MISSING)),
        step("admin", 400, f"POST {GROUPS}/create", group("Lost", parent_group_id="")),
        *[
            step("admin", 422, f"POST {GROUPS}/create", body)
            for body in (
                {},
                {"name": "x"},
                {"name": None, "description": ""},
                group("x", permissions=[]),
                group("x", data=[]),
                group("x", data={"config": []}),
                group("x", data={"config": {"default_models": "m"}}),
                group("x", parent_group_id=1),
            )
        ],
        *[
            step("admin", 404, f"GET {GROUPS}/id/{odd}{path}")
            for odd in (MISSING, "x", "a'b")
            for path in ("", "/info", "/export", "/members", "/preview")
        ],
        step("admin", 200, f"POST {GROUPS}/id/{MISSING}/users"),
        step("admin", 404, f"POST {GROUPS}/id/{MISSING}/update", group("x")),
        step("admin", 404, f"DELETE {GROUPS}/id/{MISSING}/delete"),
        *[step("ann", 401, f"{request}") for request in (f"GET {GROUPS}/id/$One", f"DELETE {GROUPS}/id/$One/delete")],
        step("ann", 200, f"GET {GROUPS}/id/$One/info"),
        *tree("One", "Two", "Sub"),
        step("admin", 200, f"GET {GROUPS}/", mine=True, sort=True),
        step("ann", 200, f"GET {GROUPS}/", mine=True, sort=True),
    ],
    "update": [
        create("One", data={"a": 1, "config": {"share": True, "x": {}}}, permissions={"chat": {"delete": False}}),
        TO_NEXT_SECOND,
        update(200, "One"),
        update(200, "One", name="Renamed $here", description="d"),
        update(200, "One", data={"b": 1.0, "config": {"y": [2**63], "share": None}}),
        update(200, "One", data={"a": None}),
        update(200, "One", data={"config": {}}),
        update(422, "One", data={"config": None}),
        update(200, "One", data={}),
        update(200, "One", permissions={"features": {"notes": True}}),
        update(200, "One", permissions={}),
        update(200, "One", permissions=None, data=None),
        update(200, "One", data=models("a", "b")),
        update(200, "One", data=models()),
        update(422, "One", description=None),
        update(400, "One", name="\ud83d"),
        step("ann", 401, f"POST {GROUPS}/id/$One/update", group("x")),
        *tree("One"),
    ],
    "latest first": [
        *[each for name in ("One", "Two", "Three") for each in (create(name), TO_NEXT_SECOND)],
        step("admin", 200, f"GET {GROUPS}/", mine=True),
        update(200, "One"),
        step("admin", 200, f"GET {GROUPS}/", mine=True),
        TO_NEXT_SECOND,
        member("add", "Three", "ann"),
        member("add", "Two", "ann", "bob"),
        TO_NEXT_SECOND,
        member("remove", "Three", "bob"),
        step("admin", 200, f"GET {GROUPS}/", mine=True),
        *[step("ann", 200, f"GET {path}", mine=True) for path in (f"{GROUPS}/", f"{USERS}/groups")],
        TO_NEXT_SECOND,
        member("remove", "Two", "ann"),
        step("admin", 200, f"GET {GROUPS}/", mine=True),
        step("admin", 200, f"DELETE {GROUPS}/id/$Two/delete"),
        step("admin", 200, f"GET {GROUPS}/", mine=True),
    ],
    "tree": [
        create("A"),
        create("B", "$A"),
        create("C", "$B"),
        create("Side"),
        update(400, "A", parent_group_id="$A"),
        update(400, "A", parent_group_id="$B"),
        update(400, "A", parent_group_id="$C"),
        update(404, "A", parent_group_id=MISSING),
        update(400, "A", parent_group_id=""),
        update(400, "C", parent_group_id="$C"),
        member("add", "C", "carl"),
        member("add", "B", "bob", "carl"),
        member("add", "Side", "dora"),
        *tree("A", "B", "C", "Side"),
        *[
            step(user, 200, f"GET {USERS}/groups{query}", sort=True)
            for user in ("bob", "carl", "dora", "ann")
            for query in ("", "?include_inherited=true")
        ],
        step("admin", 200, f"GET {USERS}/$carl/groups?include_inherited=true", sort=True),
        step("admin", 200, f"GET {USERS}/$carl/preview", mine=True, sort=True),
        update(200, "C", parent_group_id="$Side"),
        *tree("A", "B", "Side"),
        step("carl", 200, f"GET {USERS}/groups?include_inherited=true", sort=True),
        update(200, "C", description="moved, and the parent is not named"),
        step("admin", 200, f"GET {GROUPS}/id/$C"),
        update(200, "C", parent_group_id=None),
        step("carl", 200, f"GET {USERS}/groups?include_inherited=true", sort=True),
        update(200, "C", parent_group_id="$B"),
        # Children go to the parent of what is deleted.
        step("ann", 401, f"DELETE {GROUPS}/id/$B/delete"),
        step("admin", 200, f"DELETE {GROUPS}/id/$B/delete"),
        step("admin", 404, f"GET {GROUPS}/id/$B"),
        step("admin", 404, f"DELETE {GROUPS}/id/$B/delete"),
        *tree("A", "C"),
        step("bob", 200, f"GET {USERS}/groups?include_inherited=true"),
        step("admin", 200, f"DELETE {GROUPS}/id/$A/delete"),
        *tree("C"),
        step("admin", 200, f"GET {GROUPS}/", mine=True, sort=True),
    ],
    "members": [
        create("Team"),
        create("Below", "$Team"),
        step("ann", 401, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": ["$ann"]}),
        member("add", "Team", "ann", "bob"),
        member("add", "Team", "bob", "bob", "carl"),
        member("add", "Below", "bob", "dora"),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": [MISSING, "$ann", "x"]}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": [MISSING]}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": []}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": None}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/add", {}),
        step("admin", 422, f"POST {GROUPS}/id/$Team/users/add", {"user_ids": "$ann"}),
        step("admin", 404, f"POST {GROUPS}/id/{MISSING}/users/add", {"user_ids": ["$ann"]}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users", sort=True),
        step("ann", 401, f"POST {GROUPS}/id/$Team/users"),
        step("ann", 401, f"GET {GROUPS}/id/$Team/members"),
        *tree("Team", "Below"),
        *[
            step("admin", 200, f"GET {GROUPS}/id/$Team/members?{query}")
            for query in (
                *(f"membership={kind}" for kind in ("direct", "inherited", "effective")),
                *(f"membership={kind}&query=BO" for kind in ("direct", "inherited", "effective")),
                *(
                    "query=%25",
                    "query=_",
                    "query=@example",
                    "query=",
                    "query=nobody",
                    "query='",
                    "page=2",
                    "page=99999",
                ),
            )
        ],
        *[
            step("admin", 422, f"GET {GROUPS}/id/$Team/members?{query}")
            for query in ("membership=all", "page=0", "page=x", "page=-1")
        ],
        member("remove", "Team", "carl", "dora"),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/remove", {"user_ids": [MISSING, "$bob", "$bob"]}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/remove", {"user_ids": []}),
        step("admin", 200, f"POST {GROUPS}/id/$Team/users/remove", {"user_ids": None}),
        step("admin", 404, f"POST {GROUPS}/id/{MISSING}/users/remove", {"user_ids": ["$ann"]}),
        *tree("Team", "Below"),
        step("admin", 200, f"DELETE {USERS}/$dora"),
        *tree("Team", "Below"),
        step("admin", 200, f"GET {USERS}/?query=-$here&order_by=group_id:$Team&direction=desc", mine=True),
        step("admin", 200, f"GET {USERS}/?query=-$here&order_by=group_id:$Team&direction=asc", mine=True),
    ],
    "many members": [
        create("Many"),
        create("Below", "$Many"),
        *[
            step(
                "admin",
                200,
                f"POST {ADD}",
                {"name": name, "email": f"{number}-$here@example.com", "password": "x"},
                save=f"m{number}",
            )
            for number, name in enumerate(["Ann", "ann", "Änn", "änn", "a%b", "a_b", *(f"m {n:02}" for n in range(30))])
        ],
        member("add", "Many", *(f"m{number}" for number in range(0, 36, 2))),
        member("add", "Below", *(f"m{number}" for number in range(1, 36, 2)), "m0"),
        *[
            step("admin", 200, f"GET {GROUPS}/id/$Many/members?{query}")
            for query in (
                *(
                    f"page={page}&membership={kind}"
                    for page in (1, 2, 3)
                    for kind in ("direct", "inherited", "effective")
                ),
                *(f"query={text}" for text in ("ann", "ÄNN", "änn", "a%25b", "a_b", "M 0", "1-$here@")),
                "query=m&page=2",
            )
        ],
    ],
    "permissions": [
        create("Base", permissions={"workspace": {"prompts": True}, "chat": {"delete": False}}),
        create("Sub", "$Base", permissions={"features": {"api_keys": True}}, data=models("model-a")),
        step("ann", 401, "POST /api/v1/prompts/create", {"command": "a-$here", "name": "a", "content": "a"}),
        step("ann", 403, "POST /api/v1/auths/api_key"),
        member("add", "Sub", "ann"),
        step("ann", 200, "POST /api/v1/prompts/create", {"command": "a-$here", "name": "a", "content": "a"}),
        step("ann", 200, "POST /api/v1/auths/api_key"),
        step("ann", 200, f"GET {USERS}/permissions"),
        step("ann", 200, "GET /api/v1/auths/"),
        step("admin", 200, f"GET {GROUPS}/id/$Sub/preview", mine=True, sort=True),
        update(200, "Base", permissions={"chat": {"delete": True}, "own": {"key": True, "list": [1]}}),
        step("ann", 200, f"GET {USERS}/permissions"),
        step("ann", 401, "POST /api/v1/prompts/create", {"command": "b-$here", "name": "b", "content": "b"}),
        update(200, "Sub", parent_group_id=None),
        step("ann", 200, f"GET {USERS}/permissions"),
        update(200, "Sub", permissions={}),
        step("ann", 403, "GET /api/v1/auths/api_key"),
        step("admin", 200, f"DELETE {GROUPS}/id/$Sub/delete"),
        step("ann", 200, f"GET {USERS}/permissions"),
    ],
    "share setting": [
        *[create(f"s{number}", data={"config": {"share": share}}) for number, share in enumerate(SHARES)],
        create("none", data={"config": {}}),
        create("bare", data={}),
        create("below", "$s2"),
        member("add", "s1", "ann"),
        member("add", "below", "bob"),
        *[
            step(user, 200, f"GET {GROUPS}/{query}", mine=True, sort=True)
            for user in ("ann", "bob", "carl", "admin")
            for query in ("", "?share=true")
        ],
        *[
            step(user, 200, f"GET {GROUPS}/?share=false", mine=True, sort=True, sqlite_only="JSON scalars")
            for user in ("ann", "bob", "carl")
        ],
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(contestants, scenario, SCENARIOS[scenario])
