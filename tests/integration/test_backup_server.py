"""Backups of a PocketBase that is elsewhere, and archives that it keeps, in a bucket as well."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openwebui_pocketbase.backup.manifest import name_of
from openwebui_pocketbase.backup.server import Server
from openwebui_pocketbase.backup.stores import InPocketBase
from openwebui_pocketbase.backup.verify import verify
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import KEY_FILE, RUNNING, LastStart
from openwebui_pocketbase.server.locks import FileLock
from tests.support.backups import made, new_site, restored, run_backup, state_of, undone
from tests.support.buckets import KEY, REGION, Bucket
from tests.support.commands import Commands
from tests.support.house import sqlite_site
from tests.support.pocketbase import PocketBaseProcess

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient

pytest_plugins = ["tests.support.buckets"]


def in_bucket(bucket: Bucket) -> dict[str, Any]:
    """Return PocketBase's settings for a bucket."""
    settings = {"enabled": True, "bucket": bucket.name, "region": REGION, "endpoint": bucket.endpoint}
    return {**settings, "accessKey": KEY, "secret": KEY, "forcePathStyle": True}


def keep_in(bucket: Bucket, admin: AdminClient) -> None:
    """Have PocketBase keep its backups in a bucket."""
    admin.send("PATCH", "/api/settings", {"backups": {"s3": in_bucket(bucket)}})


def say(admin: AdminClient, text: str) -> None:
    admin.sql("CREATE TABLE IF NOT EXISTS said (text TEXT)")
    admin.sql(f"INSERT INTO said VALUES ('{text}')")


def said(pocketbase: PocketBaseProcess) -> list[str]:
    with pocketbase.admin() as admin:
        return [row["text"] for row in admin.sql("SELECT text FROM said ORDER BY rowid")]


def test_a_pocketbase_elsewhere_comes_back_and_can_be_undone(own_pocketbase: PocketBaseProcess, tmp_path: Path) -> None:
    places = new_site(tmp_path / "site", external=True, text="old")
    was = state_of(places.data_dir)
    with own_pocketbase.admin() as admin:
        say(admin, "one")
        server = Server(admin)
        result = made(places, server)
        assert server.backups() == [], "nothing of it stays there"
        assert result.manifest.schema
        assert result.manifest.pocketbase == server.version
        assert verify(result.path).problems == []
        say(admin, "two")
        (places.data_dir / "uploads" / "b.txt").write_text("more")
        more = state_of(places.data_dir)

        restored(places, result.path, server)
        assert said(own_pocketbase) == ["one"]
        assert state_of(places.data_dir) == was
        say(admin, "since")
        undone(places, server)
        assert said(own_pocketbase) == ["one", "two"]
        assert state_of(places.data_dir) == more
        undone(places, server)
        assert said(own_pocketbase) == ["one", "since"]
        assert state_of(places.data_dir) == was


def test_its_backups_may_be_kept_elsewhere_by_the_restored_settings(
    own_pocketbase: PocketBaseProcess, bucket: Bucket, tmp_path: Path
) -> None:
    places = new_site(tmp_path / "site", external=True)
    with own_pocketbase.admin() as admin:
        server = Server(admin)
        say(admin, "one")
        path = made(places, server).path
        keep_in(bucket, admin)
        say(admin, "two")
        done = restored(places, path, server)
        assert said(own_pocketbase) == ["one"]
        assert [done.left] == bucket.keys
        assert done.left in done.note
        done = undone(places, server)
        assert said(own_pocketbase) == ["one", "two"]
        assert done.left
        assert undone(places, server).left
        assert said(own_pocketbase) == ["one"]


def test_its_files_in_a_bucket_are_not_missing(
    own_pocketbase: PocketBaseProcess, bucket: Bucket, tmp_path: Path
) -> None:
    places = new_site(tmp_path / "site", external=True)
    with own_pocketbase.admin() as admin:
        sign_up = {"email": "a@example.org", "password": "password", "passwordConfirm": "password"}
        admin.send("POST", "/api/collections/users/records", sign_up)
        admin.sql("UPDATE users SET avatar = 'a.png'")
        server = Server(admin)
        assert len(verify(made(places, server).path).problems) == 1
        for settings in ("{}", "c2VjcmV0"):  # encrypted ones tell nothing
            admin.send("PATCH", "/api/settings", {"s3": in_bucket(bucket)})
            admin.sql(f"UPDATE _params SET value = '{settings}' WHERE id = 'settings'")
            result = made(places, server)
            assert "PocketBase has its files in a bucket: back that up as well." in result.manifest.notes
            assert verify(result.path).problems == []


def test_encrypted_settings_are_not_restored_where_there_is_no_key(
    own_pocketbase: PocketBaseProcess, tmp_path: Path
) -> None:
    places = new_site(tmp_path / "site", external=True)
    with own_pocketbase.admin() as admin:
        server = Server(admin)
        (settings,) = admin.sql("SELECT value FROM _params WHERE id = 'settings'")
        admin.sql("UPDATE _params SET value = 'c2VjcmV0' WHERE id = 'settings'")
        result = made(places, server)
        assert any("encrypted" in note for note in result.manifest.notes)
        admin.sql(f"UPDATE _params SET value = '{settings['value']}' WHERE id = 'settings'")
        run, was = admin.version()["run"], state_of(places.data_dir)
        with pytest.raises(BackupError, match="would not start again"):
            restored(places, result.path, server)
        assert admin.version()["run"] == run
        assert state_of(places.data_dir) == was
        assert server.backups() == []


@pytest.mark.parametrize("is_in_bucket", [False, True])
def test_archives_are_kept_in_pocketbase(
    own_pocketbase: PocketBaseProcess, bucket: Bucket, tmp_path: Path, is_in_bucket: bool
) -> None:
    places = new_site(tmp_path / "site", external=True)
    path = made(places).path
    with own_pocketbase.admin() as admin:
        if is_in_bucket:
            keep_in(bucket, admin)
        say(admin, "kept")
        server = Server(admin)
        server.backup("mine.zip")
        store = InPocketBase(server, tmp_path / "work")
        store.put(path)
        assert (path.name in bucket.keys) is is_in_bucket
        assert [(each.name, each.bytes) for each in store.stored()] == [(path.name, path.stat().st_size)]
        with store.opened(path.name) as fetched:
            assert fetched.read_bytes() == path.read_bytes()
            assert fetched.stat().st_mode & 0o077 == 0
        assert list((tmp_path / "work").iterdir()) == []
        # Its dashboard lists it; whoever restores it there changes nothing.
        run = admin.version()["run"]
        admin.send("POST", f"/api/backups/{path.name}/restore")
        assert server.backups()
        store.remove(path.name)
        assert [name for name, _ in server.backups()] == ["mine.zip"]
        assert admin.version()["run"] == run
    assert said(own_pocketbase) == ["kept"]


def test_what_did_not_arrive_as_a_whole_is_told(
    own_pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(new_site(tmp_path / "site", external=True)).path
    with own_pocketbase.admin() as admin:
        server = Server(admin)
        upload = admin.upload
        less = io.BytesIO()
        with zipfile.ZipFile(less, "w") as opened:
            opened.writestr("a", "b")
        monkeypatch.setattr(admin, "upload", lambda where, name, _: upload(where, name, less))
        with pytest.raises(BackupError, match="bytes have arrived"):
            server.put(path)


def test_the_commands(commands: Commands, own_pocketbase: PocketBaseProcess) -> None:
    """Of a site with a database of Open WebUI's own."""
    site = commands.data_dir
    sqlite_site(site)
    env = commands.use(own_pocketbase).env

    def run(*arguments: str) -> list[str]:
        results = run_backup(site, env, *arguments)
        assert [code for code, _ in results] == [0] * len(results), results
        return [output for _, output in results]

    one, two, listed, there, verified, plan = run(
        *("create --json", "create --pocketbase", "list --json", "list --pocketbase --json"),
        *("verify --pocketbase", "restore --dry-run"),
    )
    first = json.loads(one)
    assert Path(first["path"]).parent == site / "backups"
    assert first["manifest"]["revision"]
    assert any("WEBUI_SECRET_KEY is not in it" in note for note in first["manifest"]["notes"])
    assert "(in PocketBase)" in two
    found = json.loads(listed)["archives"]
    assert [(each["name"], each["problem"]) for each in found] == [(Path(first["path"]).name, "")]
    assert len(json.loads(there)["archives"]) == 1
    assert "every database can be read" in verified
    assert f"to {site / 'webui.db'}; what is there" in plan
    assert f"PocketBase at {own_pocketbase.url}, over its API" in plan
    assert "for everybody who uses it" not in plan
    assert "Restored" not in plan

    made_at = datetime.fromisoformat(first["manifest"]["made_at"])
    (site / "backups" / name_of(made_at, first["manifest"]["site"], 7)).write_bytes(b"no archive")
    (site / "backups" / "backup-01234567.partial").mkdir()
    (_, listed), (_, pruned), (code, output) = run_backup(site, env, "list", "prune --keep 1", "restore --undo --yes")
    assert "cannot be opened" in listed
    assert "backup-01234567.partial" in pruned
    assert "is the newest good one" in pruned
    assert code == 1
    assert "no restore that could be undone" in output

    # Only telling leaves nothing behind, nor does refusing.
    missing = site.parent / "missing"
    (code, plan), (refused, output) = run_backup(missing, env, f"restore {first['path']} --dry-run", "create")
    assert code == 0
    assert f"to {missing / 'webui.db'}; nothing is there" in plan
    assert "was not read through" in plan
    assert "is replaced for everybody who uses it" in plan
    assert (refused, "There is no data directory" in output) == (1, True)
    assert not missing.exists()
    missing.mkdir()
    ((code, output),) = run_backup(missing, env, "create")
    assert (code, "There is no Open WebUI database" in output) == (1, True)
    assert list(missing.iterdir()) == []

    # What is written after a restore can be had back as well.
    (_, done), (_, undoing) = run_backup(site, env, f"restore {first['path']} --yes", "restore --undo --dry-run")
    assert f"To go back: openwebui-pocketbase backup restore --undo --data-dir {site}" in done
    assert "are kept aside" in done
    assert "brings it back" in undoing
    assert f"{site / 'webui.db'}: " in undoing

    # The key is where Open WebUI was started.
    (site.parent / "started").mkdir()
    (site.parent / "started" / KEY_FILE).write_text("key")
    (site.parent / KEY_FILE).write_text("of another site")
    started = LastStart({}, {}, "", "sqlite file webui.db", 1, secret_key=str(site.parent / "started" / KEY_FILE))
    for last in (started, replace(started, secret_key="")):
        last.write(site)
        ((_, output),) = run_backup(site, env, "create")
        assert ("WEBUI_SECRET_KEY is in it" in output) is bool(last.secret_key)
        assert ("WEBUI_SECRET_KEY is not in it" in output) is (not last.secret_key)

    # Nothing is asked, or said to be going to happen, while Open WebUI runs.
    running = FileLock.take(site / RUNNING)
    assert running is not None
    with running:
        *turned_away, (_, pruned) = run_backup(site, env, "restore", "restore --undo", "prune")
    assert [code for code, _ in turned_away] == [1, 1]
    assert all("is running" in output and "what is there" not in output for _, output in turned_away)
    assert "Nothing is removed without --keep" in pruned
