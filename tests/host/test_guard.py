"""A host that starts without the plugin, on the data of one that had it: it writes nothing, until somebody leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.guard.triggers import Refusing, install
from tests.support.openwebui import CONFIGURATIONS, unguarded
from tests.support.processes import environment

if TYPE_CHECKING:
    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

ENV, IN_POCKETBASE = CONFIGURATIONS["everything"]
SIGN_IN, SIGN_UP = "/api/v1/auths/signin", "/api/v1/auths/signup"
SETTINGS = "/api/v1/auths/admin/config"
CHAT = {"chat": {"title": "Kept", "history": {"messages": {}, "currentId": None}}}


def command(instance: OpenWebUI, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("openwebui-pocketbase")), *arguments],
        env=environment(instance.data_dir, ENV),
        cwd=instance.data_dir,
        capture_output=True,
        text=True,
        check=False,
    )


def printed(instance: OpenWebUI, *arguments: str) -> str:
    done = command(instance, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign_in(instance: OpenWebUI) -> int:
    form = {"email": "admin@example.com", "password": instance.password}
    return instance.http.post(SIGN_IN, json=form).status_code


@contextmanager
def without_users(instance: OpenWebUI) -> Iterator[None]:
    """Have the copy of the users empty, as if nobody had signed up."""
    with instance.database() as database:
        with unguarded(database):
            database.execute("DELETE FROM user")
        database.commit()
    yield
    assert instance.sql("SELECT count(*) FROM user") == [(0,)]


def test_a_host_without_the_plugin_writes_nothing_until_somebody_leaves(new_openwebui: NewOpenWebUI) -> None:
    instance = new_openwebui("leaving", dict(ENV), in_pocketbase=IN_POCKETBASE).start()
    admin = instance.user("admin").id
    key = instance.request("admin", "POST", "/api/v1/auths/api_key").json()["api_key"]
    assert instance.request("admin", "POST", "/api/v1/chats/new", json=CHAT).is_success
    upload = {"file": ("note.txt", b"kept in a file", "text/plain")}
    file = instance.request("admin", "POST", "/api/v1/files/?process=false", files=upload).json()["id"]
    settings = instance.request("admin", "GET", SETTINGS).json() | {"WEBUI_URL": "https://chat.example.org"}
    assert instance.request("admin", "POST", SETTINGS, json=settings).is_success

    refused = command(instance, "leave", "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Open WebUI is running" in refused.stderr
    instance.stop()

    instance.env = {"OPENWEBUI_POCKETBASE_DISABLE": "1"}
    instance.start()
    assert sign_in(instance) == 400
    form = {"name": "x", "email": "x@example.com", "password": instance.password}
    # Sign-ups are closed in PocketBase only, but nobody's would be stored.
    assert instance.http.post(SIGN_UP, json=form).status_code >= 400
    with without_users(instance):
        assert instance.http.post(SIGN_UP, json=form).status_code >= 400
    assert "openwebui-pocketbase: users are in PocketBase, so the SQL table" in instance.log
    assert instance.sql("SELECT count(*) FROM auth") == [(0,)]

    refused = command(instance, "leave", "--yes")
    assert "Files whose contents are in PocketBase: 1." in refused.stderr
    printed(instance, "files", "move", "--to", "local")
    for _ in range(2):
        said = printed(instance, "leave", "--yes")
        assert said.startswith("Passwords copied: 1.\nAPI keys copied: 1.\nOAuth sessions copied: 0.\n")
        assert "\nSettings of administrators copied: " in said
        assert f"\nThese stay in PocketBase ({instance.data_dir / 'pocketbase'}), " in said
        assert "\n  chats: 1\n" in said
        assert "remove these settings where Open WebUI is started: STORAGE_BACKEND." in said
    assert instance.password not in said
    assert key not in said

    assert sign_in(instance) == 200
    instance.forget_tokens()
    assert instance.user("admin").id == admin
    assert instance.request("admin", "GET", "/api/v1/users/all").is_success  # an administrator still
    assert instance.request("admin", "GET", SETTINGS).json() == settings
    assert instance.request("admin", "GET", f"/api/v1/files/{file}/content").content == b"kept in a file"
    answer = instance.http.get("/api/v1/auths/api_key", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()) == (200, {"api_key": key})
    assert instance.request("admin", "POST", "/api/v1/chats/new", json=CHAT).is_success

    # As after the next start with the plugin, on a site of which only chats are in PocketBase.
    engine = create_engine(f"sqlite:///{instance.data_dir / 'webui.db'}")
    with engine.begin() as connection:
        chats = moved_tables(["chats"]).values()
        install(connection, [Refusing(table.name, table.refusal) for table in chats], schema=None)
    engine.dispose()
    assert not instance.request("admin", "POST", "/api/v1/chats/new", json=CHAT).is_success
    assert instance.sql("SELECT count(*) FROM chat") == [(1,)]
    assert "openwebui-pocketbase: chats are in PocketBase, so the SQL table chat takes no changes." in instance.log
    listed = "chat, chat_file, chat_message, shared_chat"
    assert printed(instance, "guard", "status") == f"The SQL database refuses changes of {listed}.\n"
    assert printed(instance, "guard", "remove") == f"The SQL database takes changes of {listed} again.\n"
    assert instance.request("admin", "POST", "/api/v1/chats/new", json=CHAT).is_success
