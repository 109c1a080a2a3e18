"""``files move`` and ``files gc`` as whole programs, killed in the middle as well."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.buckets import Bucket
from tests.support.commands import PROGRAM, Commands, run_files
from tests.support.pocketbase import PocketBaseProcess
from tests.support.processes import ENVIRONMENT, eventually
from tests.support.stock import migrated_sqlite

pytest_plugins = ["tests.support.buckets"]

SIZE = 1 << 16


class Site:
    """A data directory with local files, whose rows are in SQL or in PocketBase."""

    def __init__(self, commands: Commands, bucket: Bucket, server: PocketBaseProcess | None) -> None:
        self.commands = commands
        self.server = server
        self.data_dir = commands.data_dir
        self.uploads = self.data_dir / "uploads"
        self.uploads.mkdir()
        migrated_sqlite(self.data_dir).rename(self.data_dir / "webui.db")
        commands.env |= ENVIRONMENT | bucket.variables | {"S3_ADDRESSING_STYLE": "path"}
        commands.env["STORAGE_BACKEND"] = "pocketbase" if server else ""
        if server:
            commands.use(server)

    def add(self, *, path: str = "") -> str:
        """Make a file; return its id."""
        file_id = str(uuid.uuid4())
        if not path:
            path = str(self.uploads / f"{file_id}_a.bin")
            Path(path).write_bytes(file_id.encode() * (SIZE // 36))
        row = {"id": file_id, "user_id": "u", "filename": "a.bin", "path": path, "created_at": 5, "updated_at": 7}
        row |= {"meta": json.dumps({"size": SIZE}), "data": "{}"}
        if self.server:
            with self.server.admin() as admin:
                admin.send("POST", "/api/collections/owui_files/records", row)
        else:
            names = ", ".join(f":{name}" for name in row)
            self.sql(f"INSERT INTO file ({names.replace(':', '')}) VALUES ({names})", row)
        return file_id

    def sql(self, statement: str, values: Any = ()) -> list[Any]:
        with closing(sqlite3.connect(self.data_dir / "webui.db")) as database, database:
            return database.execute(statement, values).fetchall()

    def paths(self) -> dict[str, str]:
        """Return where the rows lead to, by id."""
        if not self.server:
            return dict(self.sql("SELECT id, path FROM file"))
        with self.server.admin() as admin:
            found = admin.send("GET", "/api/collections/owui_files/records?perPage=500")
        return {record["id"]: record["path"] for record in found["items"]}

    def run(self, *commands: str) -> list[tuple[int, str]]:
        """Return exit codes and output of commands, in one process."""
        return run_files(self.data_dir, self.commands.env, *commands)


@pytest.fixture
def in_sql(commands: Commands, bucket: Bucket) -> Site:
    return Site(commands, bucket, None)


@pytest.fixture
def in_pocketbase(commands: Commands, bucket: Bucket, own_pocketbase: PocketBaseProcess) -> Site:
    return Site(commands, bucket, own_pocketbase)


def test_rows_in_sql(in_sql: Site, bucket: Bucket) -> None:
    kept, lost = in_sql.add(), in_sql.add()
    (in_sql.uploads / f"{lost}_a.bin").unlink()
    orphan = in_sql.uploads / f"{uuid.uuid4()}_orphan"
    orphan.write_text("12")
    old = time.time() - 90_000
    os.utime(orphan, (old, old))
    bucket.client.put_object(Bucket=bucket.name, Key=f"uploads/{uuid.uuid4()}_young", Body=b"1234")
    refused, planned, moved, found, cancelled, removed = in_sql.run(
        "move --to pocketbase",
        "move --to s3 --dry-run",
        "move --to s3 --keep",
        "gc --json --s3 --dry-run",
        "gc --rows",
        "gc --rows --yes",
    )
    assert refused[0] == 1
    assert "What to do: Set [groups] files" in refused[1]
    assert planned[0] == 0
    assert "From local to s3: 2 files, 131.1 kB." in planned[1]
    assert moved[0] == 1
    assert f"{lost}: There are no contents: {in_sql.uploads}/{lost}_a.bin" in moved[1]
    assert "Moved: 1; deleted meanwhile: 0; not moved: 1." in moved[1]
    listed = json.loads(found[1])
    assert ([each["path"] for each in listed["orphans"]], listed["bytes"]) == ([str(orphan)], 2)
    assert [row["id"] for row in listed["files"]] == [lost]
    assert cancelled[0] == 1
    assert "Remove 2 of these?" in cancelled[1]
    assert removed[0] == 0
    assert "Removed: 2; failed: 0." in removed[1]
    assert not orphan.exists()
    assert in_sql.paths() == {kept: f"s3://{bucket.name}/uploads/{kept}_a.bin"}


def test_rows_in_pocketbase(in_pocketbase: Site) -> None:
    first = in_pocketbase.add()
    nowhere = in_pocketbase.add(path="gs://bucket/name")
    moved, left, back = in_pocketbase.run("move --to pocketbase", "gc --yes", "move --to local")
    assert moved[0] == back[0] == 1
    assert f"{nowhere}: This Open WebUI is not set up for gcs: gs://bucket/name" in moved[1]
    assert f"From pocketbase to local: 1 files, {SIZE / 1000:.1f} kB." in back[1]
    assert left[0] == 0
    assert "Contents that no file leads to: 0, 0 bytes." in left[1]
    assert in_pocketbase.paths()[first] == str(in_pocketbase.uploads / f"{first}_a.bin")
    assert (in_pocketbase.uploads / f"{first}_a.bin").read_bytes() == first.encode() * (SIZE // 36)


@pytest.mark.parametrize("target", ["pocketbase", "s3"])
def test_killed_in_the_middle(in_pocketbase: Site, bucket: Bucket, target: str) -> None:
    """Each row leads to complete contents, and another run does the rest."""
    ids = [in_pocketbase.add() for _ in range(60)]
    command = [str(PROGRAM), "files", "move", "--to", target, "--data-dir", str(in_pocketbase.data_dir)]
    with subprocess.Popen(command, env=in_pocketbase.commands.env, stdout=subprocess.DEVNULL) as process:

        def moved() -> int:
            return sum(path.startswith(("pb:", "s3:")) for path in in_pocketbase.paths().values())

        eventually(lambda: moved() >= 5, "some are moved")
        process.send_signal(signal.SIGKILL)
    assert moved() < len(ids)
    assert all((in_pocketbase.uploads / f"{file_id}_a.bin").exists() for file_id in ids)
    assert all(code == 0 for code, _ in in_pocketbase.run(f"move --to {target}", "move --to local"))
    assert moved() == 0
    for file_id in ids:
        assert (in_pocketbase.uploads / f"{file_id}_a.bin").read_bytes() == file_id.encode() * (SIZE // 36)


def test_one_command_at_a_time(in_sql: Site) -> None:
    in_sql.add()
    command = [str(PROGRAM), "files", "move", "--to", "s3", "--data-dir", str(in_sql.data_dir)]
    with subprocess.Popen(command, env=in_sql.commands.env, stdout=subprocess.DEVNULL) as process:
        eventually(lambda: in_sql.paths().popitem()[1].startswith("s3:"), "it is moved; the source stays for a while")
        ((code, told),) = in_sql.run("gc --dry-run")
        assert code == 1
        assert "Another command about files is running." in told
        process.kill()


def test_files_that_are_still_in_sql_are_not_taken_for_orphans(in_pocketbase: Site) -> None:
    """The setting names PocketBase, and the start was refused because of these rows."""
    file_id = str(uuid.uuid4())
    contents = in_pocketbase.uploads / f"{file_id}_a.bin"
    contents.write_text("1")
    os.utime(contents, (5, 5))
    in_pocketbase.sql("INSERT INTO file (id, user_id, path) VALUES (?, 'u', ?)", (file_id, str(contents)))
    ((code, output),) = in_pocketbase.run("gc --yes")
    assert code == 1
    assert "Files in the SQL table file that PocketBase does not have: 1." in output
    assert contents.exists()


def test_contents_are_moved_before_leaving(in_pocketbase: Site) -> None:
    """Only files are in PocketBase, so that nothing else brings the copy of their rows up to date."""
    in_pocketbase.commands.env |= {"STORAGE_BACKEND": "", "OPENWEBUI_POCKETBASE_GROUPS_FILES": "pocketbase"}
    file_id = in_pocketbase.add()
    leave = ("leave", "--yes", "--data-dir", str(in_pocketbase.data_dir))
    assert in_pocketbase.run("move --to pocketbase")[0][0] == 0
    refused = in_pocketbase.commands.run(*leave, code=1)
    assert "Files whose contents are in PocketBase: 1." in refused.stderr
    assert "openwebui-pocketbase files move --to local" in refused.stderr
    assert in_pocketbase.sql("SELECT path FROM file") == []
    assert "\n  contents of files: 1\n" in in_pocketbase.commands.run(*leave, "--without-contents").stdout
    ((path,),) = in_pocketbase.sql("SELECT path FROM file")
    assert path.startswith("pb://")
    assert in_pocketbase.run("move --to local --keep")[0][0] == 0
    left = in_pocketbase.commands.run(*leave).stdout
    assert "in PocketBase (" not in left, "nothing is left to name"
    assert in_pocketbase.sql("SELECT path FROM file") == [(str(in_pocketbase.uploads / f"{file_id}_a.bin"),)]
