"""Models: their versions, access, search, export and import. The same answers wherever the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES, with_and_without_users
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Step, grant, permit, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

MODELS = "/api/v1/models"


@pytest.fixture
def instances(fleet: Fleet, database: str) -> dict[str, OpenWebUI]:
    """A stock instance, and one for each set of groups that models can be with."""
    names = with_and_without_users("models", database)
    return dict(zip(names, fleet.start(*((name, database) for name in names)), strict=True))


def model(id: str, name: str = "Name", base: str | None = "base", **more: Any) -> dict[str, Any]:
    """Return the body of a model; its id says to which scenario it belongs."""
    return {"id": f"{id}/$here:8b", "name": f"{name} $here", "base_model_id": base, "meta": {}, "params": {}, **more}


def create(id: str, *args: Any, user: str = "admin", status: int = 200, **more: Any) -> Step:
    return step(user, status, f"POST {MODELS}/create", model(id, *args, **more), save=id, take="version_id")


def update(id: str, *args: Any, user: str = "admin", status: int = 200, save: str = "", **more: Any) -> Step:
    return step(user, status, f"POST {MODELS}/model/update", model(id, *args, **more), save=save, take="version_id")


def get(id: str, path: str = "", user: str = "admin", status: int = 200) -> Step:
    return step(user, status, f"GET {MODELS}/model{path}?id={id}/$here:8b", sort=True)


def looks(*users: str) -> list[Step]:
    """Return steps that look at all models from all sides."""
    paths = (
        "list",
        "list?order_by=name&direction=asc",
        "list?view_option=shared&order_by=created_at",
        "tags",
        "export",
    )
    return [
        *(
            step(
                user, 401 if path == "export" and user != "admin" else 200, f"GET {MODELS}/{path}", mine=True, sort=True
            )
            for user in users
            for path in paths
        ),
        *(step("admin", 200, f"GET {MODELS}/{path}", mine=True, sort=True) for path in ("all", "base", "base/tags")),
    ]


SCENARIOS: dict[str, list[Step]] = {
    "versions": [
        create("m", meta={"tags": [{"name": "a-$here"}], "description": "d", "x": 1.0}, params={"temperature": 0.5}),
        create("m", status=401),
        create("M", "Upper case", commit_message="first"),
        update("m", "Second", commit_message="renamed", save="second"),
        update("m", "Second", meta={"hidden": True}),
        update("nope", status=401),
        update("m", user="ann", status=400),
        get("m"),
        get("m", "/history"),
        get("m", "/history/$m"),
        get("M", "/history/$m", status=404),
        get("m", "/history", user="ann", status=403),
        step("admin", 400, f"POST {MODELS}/model/update/version?id=m/$here:8b", {"version_id": "$m"}),
        create("base", "Changed", None),
        update("base", "Other", None, save="later"),
        step("admin", 200, f"POST {MODELS}/model/update/version?id=base/$here:8b", {"version_id": "$base"}),
        step("admin", 404, f"POST {MODELS}/model/update/version?id=base/$here:8b", {"version_id": MISSING}),
        get("base"),
        step("admin", 400, f"DELETE {MODELS}/model/history/$base?id=base/$here:8b"),
        step("admin", 200, f"DELETE {MODELS}/model/history/$later?id=base/$here:8b"),
        step("admin", 404, f"DELETE {MODELS}/model/history/$later?id=base/$here:8b"),
        get("base", "/history"),
        step("admin", 200, f"POST {MODELS}/model/toggle?id=m/$here:8b"),
        update("m", "still disabled"),
        *looks("admin", "ann"),
    ],
    "access": [
        step("ann", 401, f"POST {MODELS}/create", model("x")),
        permit("workspace", models=True, models_export=True, models_import=True),
        step("admin", 200, "POST /api/v1/groups/create", {"name": "top $here", "description": ""}, save="top"),
        step(
            "admin",
            200,
            "POST /api/v1/groups/create",
            {"name": "b $here", "description": "", "parent_group_id": "$top"},
            save="b",
        ),
        step("admin", 200, "POST /api/v1/groups/id/$b/users/add", {"user_ids": ["$bob"]}),
        create("hers", "Ann's", user="ann", meta={"tags": [{"name": "t-$here"}]}),
        create("hers", user="bob", status=401),
        create("all", access_grants=[grant("*", "read")]),
        create("team", access_grants=[grant("$top", "read", "group")], meta={"tags": [{"name": "team-$here"}]}),
        create("editors", access_grants=[grant("$top", "read", "group"), grant("$b", "write", "group")]),
        create("secret"),
        *[
            each
            for user in ("ann", "bob", "carl")
            for each in [
                get("all", user=user),
                *[
                    step(user, 200, f"GET {MODELS}/{path}", mine=True, sort=True)
                    for path in ("list", "list?query=ann", "list?tag=team-$here", "tags", "export")
                ],
            ]
        ],
        get("team", user="bob"),
        get("secret", user="bob", status=401),
        get("team", user="carl", status=401),
        update("editors", "By Bob", user="bob"),
        update("team", "By Bob", user="bob", status=400),
        step(
            "admin",
            200,
            f"POST {MODELS}/model/access/update",
            {"id": "hers/$here:8b", "access_grants": [grant("$bob", "write")]},
        ),
        step(
            "admin",
            200,
            f"POST {MODELS}/model/access/update",
            {"id": "new-$here", "access_grants": [grant("$bob", "read")]},
        ),
        get("hers", user="bob"),
        *looks("admin"),
        step("bob", 401, f"POST {MODELS}/model/delete", {"id": "team/$here:8b"}),
        step("ann", 200, f"POST {MODELS}/model/delete", {"id": "hers/$here:8b"}),
        create("hers", "Bob's now", user="bob"),
        get("hers", user="ann", status=401),
        step("admin", 200, "DELETE /api/v1/groups/id/$top/delete"),
        get("team", user="bob", status=401),
        step("admin", 200, "DELETE /api/v1/users/$ann"),
        *looks("admin"),
        permit("workspace", models=False, models_export=False, models_import=False),
    ],
    "import and sync": [
        create("a", access_grants=[grant("$ann", "read")], meta={"hidden": True}),
        step(
            "admin",
            200,
            f"POST {MODELS}/import",
            {"models": [model("a", "Imported"), model("b", meta={"tags": ["x"]}), {"id": ""}]},
        ),
        step("ann", 401, f"POST {MODELS}/import", {"models": []}),
        *looks("admin"),
        step(
            "admin",
            200,
            f"POST {MODELS}/sync",
            {
                "models": [
                    {
                        **model(key, name),
                        "user_id": "x",
                        "is_active": True,
                        "updated_at": 1,
                        "created_at": 2,
                        "version_id": "v",
                    }
                    for key, name in (("b", "Synced"), ("c", "New"))
                ]
            },
        ),
        step(
            "admin",
            409,
            f"POST {MODELS}/sync",
            {
                "models": [
                    {**model("b", name), "user_id": "x", "is_active": True, "updated_at": 1, "created_at": 2}
                    for name in ("one", "two")
                ]
            },
        ),
        get("b", "/history"),
        *looks("admin", "ann"),
        step("ann", 401, f"DELETE {MODELS}/delete/all"),
        step("admin", 200, f"DELETE {MODELS}/delete/all"),
        *looks("admin"),
    ],
    "search": [
        *[
            each
            for number, name in enumerate(["Alpha", "alpha beta", "Größe", "100% x_y"])
            for each in (create(f"m{number}", name, access_grants=[grant("*", "read")]), TO_NEXT_SECOND)
        ],
        *[
            step(user, 200, f"GET {MODELS}/list?{query}", mine=True)
            for user in ("admin", "ann")
            for query in (
                "query=ALPHA&order_by=created_at",
                "query=a%25a&order_by=created_at",
                "query=base&order_by=updated_at",
                "query=nothing",
                "page=99999",
                "order_by=updated_at&direction=asc",
                "view_option=created&order_by=created_at",  # without an order PostgreSQL has none
            )
        ],
        *[
            step("ann", 200, f"GET {MODELS}/list?query={query}&order_by=created_at", mine=True)
            for query in ("gr%C3%B6%C3%9Fe", "GR%C3%96", "admin@example")
        ],
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(instances: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(instances, scenario, SCENARIOS[scenario])
