"""PocketBase's own collection of users goes from an embedded server that has no use for it, and from no other."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.proof import LISTEN_VARIABLE
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import EmbeddedSettings
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

USERS = "/api/collections/users"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PocketBaseProcess]:
    """A PocketBase as it is without us; it is embedded from its next start on."""
    for name in ("hooks", "migrations"):
        (tmp_path / name).mkdir()
    server = PocketBaseProcess(tmp_path / "pb", hooks_dir=tmp_path / "hooks", migrations_dir=tmp_path / "migrations")
    command = [
        str(find_binary(EmbeddedSettings())),
        "superuser",
        "upsert",
        IDENTITY,
        PASSWORD,
        f"--dir={server.data_dir}",
    ]
    subprocess.run(command, check=True, capture_output=True)
    server.start()
    server.environment[LISTEN_VARIABLE] = f"127.0.0.1:{server.port}"
    yield server
    server.stop()


def restarted(server: PocketBaseProcess) -> set[str]:
    """Start it anew with our hooks; return its collections, but for those of PocketBase's own machinery."""
    server.stop()
    server.hooks_dir = HOOKS_DIR
    server.start()
    with server.admin() as admin:
        return {name for name in admin.collections() if not name.startswith("_")}


def test_an_unused_one_goes(server: PocketBaseProcess) -> None:
    assert restarted(server) == set()
    assert restarted(server) == set()


def test_one_beside_our_collections_goes(server: PocketBaseProcess) -> None:
    with server.admin() as admin:
        admin.import_collections([{"name": "owui_people", "type": "base"}])
    assert restarted(server) == {"owui_people"}


def test_that_of_a_server_which_is_not_ours_stays(server: PocketBaseProcess) -> None:
    del server.environment[LISTEN_VARIABLE]
    assert restarted(server) == {"users"}


def with_a_record(admin: AdminClient) -> None:
    password = {"password": "12345678", "passwordConfirm": "12345678"}
    admin.send("POST", f"{USERS}/records", {"email": "a@example.org", **password})


def with_a_field(admin: AdminClient) -> None:
    fields = admin.collections()["users"]["fields"]
    admin.send("PATCH", USERS, {"fields": [*fields, {"name": "nickname", "type": "text"}]})


def with_an_index(admin: AdminClient) -> None:
    indexes = admin.collections()["users"]["indexes"]
    admin.send("PATCH", USERS, {"indexes": [*indexes, "CREATE INDEX mine ON users (name)"]})


def with_options(**options: Any) -> Callable[[AdminClient], None]:
    return lambda admin: admin.send("PATCH", USERS, options)


def beside_another(admin: AdminClient) -> None:
    admin.import_collections([{"name": "trips", "type": "base"}])


USES = {
    "record": with_a_record,
    "field": with_a_field,
    "index": with_an_index,
    "rule": with_options(listRule=""),
    "no rule": with_options(createRule=None),
    "option": with_options(otp={"enabled": True, "duration": 180, "length": 8}),
    "name": with_options(name="members"),
    "another collection": beside_another,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_one_that_somebody_uses_stays(server: PocketBaseProcess, use: Callable[[AdminClient], None]) -> None:
    with server.admin() as admin:
        use(admin)
        before = {name: found for name, found in admin.collections().items() if not name.startswith("_")}
        records = admin.sql(f"SELECT * FROM {next(name for name in before if name != 'trips')}")
    assert restarted(server) == set(before)
    with server.admin() as admin:
        assert {name: admin.collections()[name] for name in before} == before
        assert admin.sql(f"SELECT * FROM {next(name for name in before if name != 'trips')}") == records
