"""The SQL database's copy of users, groups and access grants that live in PocketBase."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from openwebui_pocketbase.schema.tables import TABLES
from tests.support.copies import differences, in_pocketbase, in_sql, mirrored, settle
from tests.support.openwebui import CONFIGURATIONS, DATABASES
from tests.support.scenarios import Player, Step, grant, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openwebui_pocketbase.client import AdminClient
    from tests.support.driver import Driver
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTHS = "/api/v1/auths"
FILES = "/api/v1/files"
GROUPS = "/api/v1/groups"
USERS = "/api/v1/users"
PROMPTS = "/api/v1/prompts"


def group(name: str, **members: Any) -> dict[str, Any]:
    return {"name": f"{name} $here", "description": "", **members}


def add(who: str) -> Step:
    body = {"name": who, "email": f"{who}.$here@example.com", "password": "$password", "role": "user"}
    return step("admin", 200, f"POST {AUTHS}/add", body, save=who)


SHARED = [grant("$ada", "read"), grant("$ada", "write"), grant("$team", "read", "group"), grant("*", "read")]
OPERATIONS = [
    add("ada"),
    add("bea"),
    step("admin", 200, f"POST {USERS}/$ada/update", {"name": "Ada ö 'n\" \\ 🦜", "email": "ada2.$here@example.com"}),
    step("admin", 200, f"POST {USERS}/$bea/update", {"role": "pending"}),
    step("admin", 200, f"POST {GROUPS}/create", group("root", data={"a": [1.0, 2**53 + 1], "b": None}), save="root"),
    step("admin", 200, f"POST {GROUPS}/create", group("team", parent_group_id="$root", permissions={}), save="team"),
    step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$ada", "$bea"]}),
    step("admin", 200, f"POST {GROUPS}/id/$team/users/remove", {"user_ids": ["$bea"]}),
    step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$bea"]}),
    step("admin", 200, f"POST {PROMPTS}/create", {"command": "$here", "name": "$here", "content": ""}, save="prompt"),
    step("admin", 200, f"POST {PROMPTS}/id/$prompt/access/update", {"access_grants": SHARED}),
    step("admin", 200, f"POST {PROMPTS}/id/$prompt/access/update", {"access_grants": SHARED[1:3]}),
    step("ann", 200, f"POST {USERS}/user/settings/update", {"ui": {"z": 1.0, "a": {"": None, "big": 2**60}}}),
    step(
        "ann",
        200,
        f"POST {AUTHS}/update/profile",
        {"name": "", "profile_image_url": "", "bio": "", "gender": None, "date_of_birth": "1999-12-31"},
    ),
    step("ann", 200, f"POST {USERS}/user/status/update", {"status_message": "", "status_expires_at": 0}),
    step("scim", 200, "GET /api/v1/scim/v2/Users?count=1", mine=True),
    step("scim", 201, "POST /api/v1/scim/v2/Groups", {"displayName": "$here", "members": [{"value": "$ada"}]}),
    step("admin", 200, f"DELETE {USERS}/$bea"),
    step("admin", 200, f"DELETE {GROUPS}/id/$root/delete"),
    step("admin", 200, f"DELETE {PROMPTS}/id/$prompt/delete"),
]
CHANGED = [name for name in CONFIGURATIONS if name != "stock"]


@contextmanager
def uploaded(instance: OpenWebUI) -> Iterator[str]:
    """Have the id of a file of the administrator's."""
    answer = instance.request("admin", "POST", f"{FILES}/?process=false", files={"file": ("a.txt", b"a")})
    assert answer.is_success, answer.text
    yield answer.json()["id"]
    assert instance.request("admin", "DELETE", f"{FILES}/{answer.json()['id']}").is_success


def only_mirrored(instance: OpenWebUI) -> set[str]:
    """Return the copied tables that Open WebUI's own code does not write."""
    return {name for name in mirrored(instance) if not TABLES[name].through}


@pytest.fixture
def instance(contestants: dict[str, OpenWebUI], configuration: str) -> OpenWebUI:
    return contestants[configuration]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("configuration", CHANGED)
def test_rows_are_copied_before_the_answer(instance: OpenWebUI) -> None:
    player = Player(instance, "mirror")
    settle(instance)
    copied: set[str] = set()
    tables = only_mirrored(instance)
    with instance.admin() as admin, uploaded(instance):
        for each in OPERATIONS:
            assert player.play(each)[0] == each.status, each
            # When somebody was seen last is written after the answer.
            assert differences(instance, admin, "last_active_at") == [], each
            copied.update(table for table in tables if in_sql(instance, table))
    settle(instance)
    assert copied == tables


def change_by_hand(admin: AdminClient, instance: OpenWebUI, known: str, file: str) -> None:
    """Do what an administrator could in PocketBase's dashboard."""
    ids = {name: str(uuid.uuid4()) for name in ("user", "group", "member", "grant")}

    def send(method: str, table: str, record: str = "", /, **fields: Any) -> None:
        path = f"/api/collections/{TABLES[table].collection}/records"
        admin.send(method, f"{path}/{record}" if record else path, fields or None)

    if "users" in instance.in_pocketbase:
        send("PATCH", "user", known, name="By hand", bio="", settings={"ui": {"b": 1, "a": 2}})
        made = {"email": f"{ids['user']}@example.com", "password": "12345678", "passwordConfirm": "12345678"}
        send("POST", "user", id=ids["user"], name="Made by hand", **made, role="user", created_at=1, updated_at=2)
    if "groups" in instance.in_pocketbase:
        send("POST", "group", id=ids["group"], name="By hand", permissions={"a": True})
        send("POST", "group", id=str(uuid.uuid4()), name="Below", parent_group_id=ids["group"])
        send("POST", "group_member", id=ids["member"], group_id=ids["group"], user_id=known)
        send("PATCH", "group", ids["group"], name="Again by hand", description="")
        send("DELETE", "group_member", ids["member"])
    if "files" in instance.in_pocketbase:
        send("PATCH", "file", file, filename="by hand.txt", meta={"name": "by hand.txt"})
    if "access" in instance.in_pocketbase:
        resource = {"resource_type": "prompt", "resource_id": "x", "principal_type": "user", "principal_id": known}
        send("POST", "access_grant", id=ids["grant"], **resource, permission="read", created_at=1)
        send("PATCH", "access_grant", ids["grant"], permission="write")


@pytest.mark.parametrize("database", DATABASES)
def test_changes_by_hand_are_copied_soon(contestants: dict[str, OpenWebUI]) -> None:
    for instance in (contestants[configuration] for configuration in CHANGED):
        known = instance.user("ann-by-hand").id
        with uploaded(instance) as file, instance.admin() as admin:
            settle(instance)
            before = {table: in_sql(instance, table) for table in only_mirrored(instance)}
            change_by_hand(admin, instance, known, file)
            settle(instance)
            changed = {table for table in before if before[table] != in_sql(instance, table)}
        assert changed == {*before} - {"group_member"}  # who was added was removed
        if "users" in instance.in_pocketbase:
            assert in_sql(instance, "user")[known]["name"] == "By hand"


@contextmanager
def stopped(instance: OpenWebUI) -> Iterator[None]:
    """Have an instance stopped for a while; then it works as before."""
    settle(instance)
    instance.stop()
    try:
        yield
    finally:
        instance.start()
    assert instance.request("admin", "GET", f"{USERS}/all").status_code == 200


def test_a_restart_makes_changed_rows_right(fleet: Fleet) -> None:
    """Whatever happened to the SQL database meanwhile."""
    (instance,) = fleet.start(("users", "sqlite"))
    ann = instance.user("ann-restart").id
    with stopped(instance):
        instance.execute("UPDATE user SET name = 'Wrong' WHERE id = :id", {"id": ann})
    assert in_sql(instance, "user")[ann]["name"] == "ann-restart"


@pytest.mark.postgresql
def test_a_restart_makes_missing_rows_right(fleet: Fleet, migrated_postgresql: str) -> None:
    (instance,) = fleet.start(("groups", "postgresql"))
    answer = instance.request("admin", "POST", f"{GROUPS}/create", json={"name": "Kept", "description": "d"})
    team = answer.json()["id"]
    with stopped(instance):
        instance.execute('DELETE FROM "group" WHERE id = :id', {"id": team})
    assert in_sql(instance, "group")[team]["name"] == "Kept"


def at_once(instance: OpenWebUI, number: int, method: str, path: str, **kwargs: Any) -> list[Any]:
    """Send one request many times over connections of their own; return status and content of each answer."""

    def send(count: int) -> tuple[int, Any]:
        filled = {key: value(count) if callable(value) else value for key, value in kwargs.items()}
        with instance.client() as client:
            answer = client.request(method, path, **filled)
            return answer.status_code, answer.json()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(send, range(number)))


def test_the_first_requests_of_somebody_new_make_one_user(two_workers: OpenWebUI) -> None:
    two_workers.request(
        "admin", "POST", f"{GROUPS}/create", json={"name": "Staff", "description": ""}
    ).raise_for_status()
    said = {"X-Email": "New.One@Example.com", "X-Name": "New%20%C3%B6", "X-Role": "user", "X-Groups": "Staff, Nobody"}
    answers = at_once(two_workers, 16, "POST", f"{AUTHS}/signin", headers=said, json={"email": "", "password": ""})

    assert [status for status, _ in answers] == [200] * 16, answers
    assert len({content["id"] for _, content in answers}) == 1
    assert {(content["email"], content["name"]) for _, content in answers} == {("new.one@example.com", "New ö")}
    with two_workers.admin() as admin:
        assert len([row for row in in_pocketbase(admin, "user").values() if row["name"] == "New ö"]) == 1
    groups = two_workers.http.get(
        f"{USERS}/groups", headers={"Authorization": f"Bearer {answers[0][1]['token']}"}
    ).json()
    assert [each["name"] for each in groups] == ["Staff"]


def test_two_workers_write_at_once(two_workers: OpenWebUI) -> None:
    headers = two_workers.headers("admin")

    def person(count: int) -> dict[str, str]:
        return {"name": f"w{count}", "email": f"w{count}@example.com", "password": "x", "role": "user"}

    made = at_once(two_workers, 24, "POST", f"{AUTHS}/add", headers=headers, json=person)
    assert [status for status, _ in made] == [200] * 24, made
    users = [content["id"] for _, content in made]

    team = two_workers.request("admin", "POST", f"{GROUPS}/create", json={"name": "All", "description": ""}).json()[
        "id"
    ]
    joined = at_once(
        two_workers,
        24,
        "POST",
        f"{GROUPS}/id/{team}/users/add",
        headers=headers,
        json=lambda count: {"user_ids": [users[count], users[count - 1]]},
    )
    assert [status for status, _ in joined] == [200] * 24, joined
    members = [row["user_id"] for row in in_sql(two_workers, "group_member").values() if row["group_id"] == team]
    assert sorted(members) == sorted(users)
    settle(two_workers)


ROWS: dict[str, dict[str, Any]] = {
    "user": {"id": "u", "name": "Old", "email": "old@example.com", "role": "admin", "created_at": 1, "updated_at": 1},
    "group": {"id": "g", "name": "Old"},
    "group_member": {"id": "m", "group_id": "g", "user_id": "u"},
    "access_grant": {
        "id": "a",
        "resource_type": "prompt",
        "resource_id": "p",
        "principal_type": "user",
        "principal_id": "*",
        "permission": "read",
        "created_at": 1,
    },
}


@pytest.mark.parametrize("table", ROWS)
def test_the_start_stops_rather_than_hide_rows(driver: Driver, tmp_path: Path, table: str) -> None:
    """What was not copied would be seen by nobody any more."""
    group = TABLES[table].group
    env = CONFIGURATIONS["users" if group == "users" else "groups"][0]
    place = {"OPENWEBUI_POCKETBASE_EMBEDDED_DATA_DIR": str(tmp_path / "pocketbase")}
    start = driver.start(env | place, rows=[(table, ROWS[table])])
    assert start.failure.startswith("openwebui-pocketbase: ")
    what = f"PocketBase has none of the 1 rows of the SQL table {table}: {ROWS[table]['id']}."
    assert what in start.failure
    assert start.failure.count("What to do: ") == 1
    assert "openwebui-pocketbase migrate copy " in start.failure
    assert "[groups]" in start.failure
    assert f'{group} = "sqlalchemy"' in start.failure
    assert start.stock
