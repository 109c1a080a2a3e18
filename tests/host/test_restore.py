"""PocketBase's own backup and restore, while Open WebUI runs: no help needed, nothing stale."""

from __future__ import annotations

import time
import zipfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import socketio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

PROMPTS = "/api/v1/prompts"
CHATS = "/api/v1/chats"
PATIENCE = 15.0
"""Seconds after which everything is as it has to be."""


def grants(*people: str) -> dict[str, Any]:
    return {
        "access_grants": [{"principal_type": "user", "principal_id": each, "permission": "read"} for each in people]
    }


def prompt(instance: OpenWebUI, command: str, *people: str) -> str:
    body = {"command": command, "name": command, "content": "x", **grants(*people)}
    made = instance.request("admin", "POST", f"{PROMPTS}/create", json=body).raise_for_status().json()
    return str(made["id"])


def seen(instance: OpenWebUI, name: str) -> set[str]:
    """Return the prompts that somebody is shown, each time by whichever worker answers."""
    with instance.client() as client:
        answer = client.get(f"{PROMPTS}/", headers=instance.headers(name)).raise_for_status()
    return {each["command"].removeprefix("/") for each in answer.json()}


def people_in_sql(instance: OpenWebUI) -> set[str]:
    return {row[0] for row in instance.sql("SELECT id FROM user")}


def until(deadline: float, what: str, condition: Any) -> None:
    """Wait until it holds four times in a row: there are two workers."""
    good = 0
    while good < 4:
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} seconds: {what}"
        try:
            good = good + 1 if condition() else 0
        except Exception:  # noqa: BLE001 - the server is being exchanged
            good = 0
        time.sleep(0.05)


@contextmanager
def browsers(instance: OpenWebUI) -> Iterator[list[list[str]]]:
    """Open the admin's browsers, of both workers; give what each of them hears."""
    heard: list[list[str]] = []
    with ExitStack() as stack:
        for _ in range(8):
            browser = socketio.Client(reconnection=False)
            events: list[str] = []
            browser.on("access:updated", lambda *_, events=events: events.append("access:updated"))
            browser.on("disconnect", lambda *_, events=events: events.append("disconnect"))
            token = instance.user("admin").token
            browser.connect(
                instance.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}
            )
            stack.callback(browser.disconnect)
            browser.call("user-join", {"auth": {"token": token}}, timeout=30)
            heard.append(events)
        yield heard


def test_a_restore_is_noticed_by_everybody(two_workers: OpenWebUI) -> None:
    instance = two_workers
    ada = instance.user("ada")
    prompt(instance, "kept", ada.id)
    body = {"chat": {"title": "before", "history": {"messages": {}, "currentId": None}}}
    chat = instance.request("admin", "POST", f"{CHATS}/new", json=body).json()["id"]
    people = people_in_sql(instance)
    with instance.admin() as admin:
        admin.send("POST", "/api/backups", {"name": "good.zip"})
    archive = instance.data_dir / "pocketbase" / "backups" / "good.zip"
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert "data.db" in names
    assert [name for name in names if ".owui" in name] == []

    # What the restore has to take back: a person, a grant, a title; and writes that others would hold on to.
    bob = instance.user("bob")
    later = prompt(instance, "later", ada.id, bob.id)
    instance.request("admin", "POST", f"{CHATS}/{chat}", json={"chat": {"title": "after"}}).raise_for_status()
    assert seen(instance, "ada") == {"kept", "later"}
    server = instance.pocketbase

    deadline = time.monotonic() + PATIENCE
    with browsers(instance) as heard:
        with instance.admin() as admin:
            admin.send("POST", "/api/backups/good.zip/restore")
        until(deadline, "all browsers connect anew", lambda: all(each[-1:] == ["disconnect"] for each in heard))
        assert all(each.count("access:updated") == 1 for each in heard)

    def title() -> Any:
        return instance.request("admin", "GET", f"{CHATS}/{chat}").json()["title"]

    good = 0
    while not good:
        assert time.monotonic() < deadline, f"the chat is not as it was within {PATIENCE:g} seconds"
        try:
            good = title() == "before"
        except Exception:  # noqa: BLE001 - the server is being exchanged
            time.sleep(0.02)
    # Whoever answers from what was restored has nothing of later any more, either worker, without a wait.
    assert [seen(instance, "ada") for _ in range(8)] == [{"kept"}] * 8
    assert instance.request("bob", "GET", "/api/v1/auths/").status_code == 401
    until(
        deadline,
        "SQL has the people that PocketBase has",
        lambda: people_in_sql(instance) == people,
    )
    assert instance.pocketbase == server, "the supervisor and its PocketBase are the same"
    assert "PocketBase was restored or replaced while Open WebUI was running" in instance.log

    # From here on as always: a revoked grant is gone at once, for both workers.
    kept = instance.request("admin", "GET", f"{PROMPTS}/").json()
    kept_id = next(each["id"] for each in kept if each["command"].removeprefix("/") == "kept")
    path = f"{PROMPTS}/id/{kept_id}/access/update"
    instance.request("admin", "POST", path, json=grants()).raise_for_status()
    assert [seen(instance, "ada") for _ in range(8)] == [set()] * 8
    # The prompt itself is no more: the SQL database has what PocketBase has.
    assert not instance.request("admin", "GET", f"{PROMPTS}/id/{later}").is_success


def test_a_later_start_succeeds(two_workers: OpenWebUI) -> None:
    instance = two_workers
    instance.stop()
    instance.users.pop("bob", None)
    instance.start()
    assert instance.request("ada", "GET", "/api/v1/auths/").status_code == 200
    instance.user("cid")
    assert instance.request("cid", "GET", "/api/v1/auths/").status_code == 200
