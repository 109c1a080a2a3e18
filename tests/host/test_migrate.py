"""Moving house: a real Open WebUI with data goes to PocketBase, and back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.furnished import differing, furnish, migrate, recorded, start_migrate
from tests.support.openwebui import DATABASES
from tests.support.processes import eventually
from tests.support.writers import Writers

if TYPE_CHECKING:
    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_a_site_moves_to_pocketbase_and_back_and_answers_the_same(new_openwebui: NewOpenWebUI, database: str) -> None:
    site = new_openwebui(f"moving-{database}", database=database).start()
    furnish(site)
    before = recorded(site)
    site.stop()

    plan = json.loads(migrate(site, "plan", "--json"))
    assert [note for table in plan["tables"] for note in table["notes"]] == []
    migrate(site, "copy")
    assert "equal" in migrate(site, "verify")
    migrate(site, "switch", "--yes")
    assert "pocketbase only" in migrate(site, "status")
    site.start()
    assert differing(before, recorded(site)) == {}

    # What is new comes along on the way back, and people sign in with the passwords they have.
    body = {"chat": {"title": "new in PocketBase", "history": {"messages": {}, "currentId": None}}}
    chat = site.request("ada", "POST", "/api/v1/chats/new", json=body).raise_for_status().json()["id"]
    later = site.user("later")
    site.stop()
    migrate(site, "copy", "--to", "sqlalchemy")
    assert "equal" in migrate(site, "verify", "--to", "sqlalchemy")
    migrate(site, "switch", "--to", "sqlalchemy", "--yes")
    site.forget_tokens()
    site.start()
    assert site.request("ada", "GET", f"/api/v1/chats/{chat}").json()["title"] == "new in PocketBase"
    assert site.user("later").id == later.id
    site.request("ada", "DELETE", f"/api/v1/chats/{chat}").raise_for_status()
    site.request("admin", "DELETE", f"/api/v1/users/{later.id}").raise_for_status()
    assert differing(before, recorded(site), any_order=database == "postgresql") == {}
    site.stop()


def is_followed(site: OpenWebUI) -> bool:
    """Return whether changes of all groups are carried over, and none has waited for a second."""
    time.sleep(0.5)  # the command takes a second of the machine's time
    groups = json.loads(migrate(site, "status", "--json"))["groups"]
    return all(each["lag"] is not None and each["lag"] < 1 for each in groups)


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_site_moves_under_load_and_back(new_openwebui: NewOpenWebUI) -> None:
    """Nothing is lost, nothing doubled, and no request fails; with SQLite see test_switch.py."""
    site = new_openwebui("live", database="postgresql", config="switchable = true\n").start()
    furnish(site)
    contents = {name: answer for name, answer in recorded(site).items() if name.endswith("/content")}
    assert len(contents) >= 3
    with Writers(site) as writers:
        for to in ("pocketbase", "sqlalchemy"):
            following = start_migrate(site, "copy", "--follow", "--to", to)
            eventually(lambda: is_followed(site), f"{to} follows", seconds=120)
            migrate(site, "verify", "--live", "--to", to)
            writers.begin_to_watch()
            print(migrate(site, "switch", "--to", to))  # workers are there: nothing is to be asked
            assert following.wait(30) == 0
            time.sleep(2)
            print(f"{to}: longest wait of a write {writers.longest:.2f} s")
            assert writers.failures == []
    assert writers.written > 200
    assert writers.lost() == []
    # Back in SQL, nothing is needed from PocketBase any more.
    assert site.sql("SELECT id FROM file WHERE path LIKE 'pb://%'") == []
    assert {name: answer for name, answer in recorded(site).items() if name in contents} == contents
    site.stop()
