"""Contents of files in a move between the SQL database's side and PocketBase, with what happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import tracemalloc
import uuid
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.files import File
from pydantic import SecretStr
from sqlalchemy import create_engine, insert

from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import ConfigurationError, UnavailableError
from openwebui_pocketbase.migrate import contents as contents_module
from openwebui_pocketbase.migrate.contents import FileContents, comparable, is_at
from openwebui_pocketbase.settings import PocketBaseSettings
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.stock import migrated_sqlite

Row = dict[str, Any]

RECORDS = "/api/collections/owui_files/records"


def local(row: Row) -> Path:
    """Return the file on the disk to which a row leads."""
    return Path(row["path"])


class Site:
    """Files on both sides.

    Attributes:
        uploads: The host's directory for uploads.
        working: Directory for contents on their way.
        contents: What is tested.
    """

    def __init__(self, server: PocketBaseProcess, directory: Path, engine: Any, *, sees_disk: bool) -> None:
        self.uploads, self.working = directory / "uploads", directory / "working"
        self.uploads.mkdir()
        self._server, self._engine = server, engine
        settings = PocketBaseSettings(url=server.url, identity=IDENTITY, password=SecretStr(PASSWORD))
        self.connection = Connection(settings, directory)
        self.admin = self.connection.admin(self.connection.open())
        if sees_disk:
            self.connection.data_dir = server.data_dir
        self.contents = FileContents(self.connection, uploads=self.uploads, working=self.working)

    def add(self, text: str | None, name: str = "ü b.txt", **values: Any) -> Row:
        """Make a file on the SQL side, without contents if ``text`` is None; return its row, which both sides have."""
        file_id = str(uuid.uuid4())
        path = self.uploads / f"{file_id}_{name}"
        if text is not None:
            path.write_text(text)
        row: Row = {"id": file_id, "user_id": "u", "hash": None, "filename": name, "path": str(path), "data": {}}
        row |= {"meta": {"size": len(text or "")}, "created_at": 5, "updated_at": 7, **values}
        with self._engine.begin() as connection:
            connection.execute(insert(File), row)
        self.admin.send("POST", RECORDS, {**row, "data": "{}", "meta": json.dumps(row["meta"])})
        return row

    async def in_pocketbase(self, *rows: Row) -> list[Row]:
        """Have contents copied to PocketBase, and removed from the disk; return the rows."""
        moved, notes = await self.contents.moved_to_pocketbase(rows)
        assert notes == []
        for row in rows:
            local(row).unlink()
        return moved

    def record(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.send("GET", f"{RECORDS}/{row['id']}")
        return found

    def stored(self, row: Row) -> Path:
        """Return PocketBase's own file."""
        found = self.record(row)
        path: Path = self._server.data_dir / "storage" / found["collectionId"] / row["id"] / found["contents"]
        return path

    def delete(self, row: Row) -> None:
        self.admin.send("DELETE", f"{RECORDS}/{row['id']}")
        with self._engine.begin() as connection:
            connection.execute(File.__table__.delete().where(File.__table__.c.id == row["id"]))


@pytest.fixture(params=[False, True], ids=["over HTTP", "on our disk"])
def site(
    own_pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Site:
    engine = create_engine(f"sqlite:///{migrated_sqlite(tmp_path)}")
    monkeypatch.setattr(contents_module, "engine", engine)
    return Site(own_pocketbase, tmp_path, engine, sees_disk=request.param)


async def test_there_and_back(site: Site) -> None:
    rows = [site.add("one"), site.add("two" * 100_000, "z" * 200), site.add("")]
    moved, notes = await site.contents.moved_to("pocketbase", rows)
    assert notes == []
    assert [row["path"] for row in moved] == [f"pb://{row['id']}/{Path(row['path']).name}" for row in rows]
    assert [row | {"path": ""} for row in moved] == [row | {"path": ""} for row in rows]
    assert site.record(rows[0])["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert site.record(rows[0])["path"] == rows[0]["path"]  # who writes rows does that
    assert local(rows[0]).read_text() == "one"
    assert await site.contents.verify("pocketbase", zip(rows, moved, strict=True)) == ([], [])

    for row in rows:
        local(row).unlink()
    back, notes = await site.contents.moved_to("sqlalchemy", moved)
    assert (back, notes) == (rows, [])
    assert [local(row).read_text() for row in rows] == ["one", "two" * 100_000, ""]
    assert site.stored(rows[0]).read_text() == "one"
    assert await site.contents.verify("sqlalchemy", zip(moved, back, strict=True)) == ([], [])
    assert list(site.working.iterdir()) == []


async def test_what_is_there_is_not_copied_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = site.add("one")
    (moved,), _ = await site.contents.moved_to_pocketbase([row])
    before, written = site.stored(row), local(row).stat()
    assert await site.contents.moved_to_pocketbase([row]) == ([moved], [])
    assert site.stored(row) == before  # another name if it is replaced
    assert await site.contents.moved_to_sql([moved]) == ([row], [])
    now = local(row).stat()
    assert (now.st_ino, now.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


async def test_contents_that_changed_are_copied_again(site: Site) -> None:
    row = site.add("one")
    (moved,), _ = await site.contents.moved_to_pocketbase([row])
    local(row).write_text("two")
    (note,), _ = await site.contents.verify("pocketbase", [(row, moved)])
    assert (note.key, note.reason) == (row["id"], f"Its contents differ from those of the source: {moved['path']}")
    await site.contents.moved_to_pocketbase([row])
    assert site.stored(row).read_text() == "two"
    local(row).write_text("three")
    await site.contents.moved_to_sql([moved])
    assert local(row).read_text() == "two"
    assert await site.contents.verify("sqlalchemy", [(moved, row)]) == ([], [])


async def test_contents_that_change_while_they_are_copied_arrive_as_they_are_at_the_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = site.add("one")
    attach = site.contents._contents.attach

    def attach_late(*arguments: Any) -> Any:
        monkeypatch.undo()
        local(row).write_text("longer")
        return attach(*arguments)

    monkeypatch.setattr(site.contents._contents, "attach", attach_late)
    await site.contents.moved_to_pocketbase([row])
    assert site.stored(row).read_text() == "longer"
    assert site.record(row)["sha256"] == hashlib.sha256(b"longer").hexdigest()


async def test_missing_contents_leave_the_row_as_it_is(site: Site) -> None:
    lost, kept = site.add(None), site.add("two")
    assert [note.key for note in await site.contents.gone([lost, kept])] == [lost["id"]]
    moved, (missing,) = await site.contents.moved_to_pocketbase([lost, kept])
    assert moved[0] == lost
    assert (missing.table, missing.key, missing.is_left_out) == ("file", lost["id"], False)
    assert missing.reason == f"There are no contents: {lost['path']}"
    assert is_at("pocketbase", moved[1])
    assert await site.contents.gone(moved) == [missing]

    site.admin.send("PATCH", f"{RECORDS}/{kept['id']}", {"contents": None})
    (note,), _ = await site.contents.verify("pocketbase", [(kept, moved[1])])
    assert note.reason == f"Its contents are missing: {moved[1]['path']}"
    _, (gone,) = await site.contents.verify("pocketbase", [(lost, moved[1])])  # there is nothing to lose
    assert gone.reason == f"There are no contents: {moved[1]['path']}"
    assert await site.contents.verify("pocketbase", [(lost, moved[0])]) == ([], [missing])
    assert await site.contents.verify("sqlalchemy", [(lost, lost)]) == ([], [missing])
    assert await site.contents.gone(moved) == [missing, gone]
    local(kept).unlink()
    (stays,), (note,) = await site.contents.moved_to_sql([moved[1]])
    assert (stays, note.reason) == (moved[1], f"There are no contents: {moved[1]['path']}")


async def test_files_that_are_deleted_meanwhile_are_no_errors(site: Site) -> None:
    row, late = site.add("one"), site.add(None)
    (moved,) = await site.in_pocketbase(row)
    site.delete(row)
    site.delete(late)
    assert await site.contents.moved_to_sql([moved]) == ([moved], [])
    local(row).write_text("one")
    assert await site.contents.moved_to_pocketbase([row, late]) == ([row, late], [])
    assert list(site.uploads.iterdir()) == [local(row)]


async def test_contents_elsewhere_stay_there(site: Site) -> None:
    paths = ["s3://bucket/a", "gs://bucket/a", "https://x.blob.core.windows.net/a", "", None]
    rows = [site.add(None, path=path) for path in paths]
    for backend in ("pocketbase", "sqlalchemy"):
        assert await site.contents.moved_to(backend, rows) == (rows, [])
        assert all(is_at(backend, row) for row in rows)
    assert await site.contents.gone(rows) == []
    assert await site.contents.verify("pocketbase", zip(rows, rows, strict=True)) == ([], [])


async def test_one_file_that_fails_does_not_keep_the_others_back(site: Site) -> None:
    odd = {"id": "Not an id of ours", "path": str(site.uploads / "odd"), "user_id": "u", "meta": None}
    local(odd).write_text("odd")
    row = site.add("one")
    moved, (note,) = await site.contents.moved_to_pocketbase([odd, row])
    assert (moved[0], note.key) == (odd, odd["id"])
    assert note.reason.startswith("Its contents stay where they are: ")
    # Another file has the name on the disk, and not by its id.
    other = moved[1] | {"path": f"pb://{row['id']}/odd"}
    back, (note,) = await site.contents.moved_to_sql([other, moved[1]])
    assert (back, "There is another file" in note.reason) == ([other, row], True)
    assert local(odd).read_text() == "odd"


async def test_damaged_contents_do_not_arrive(site: Site) -> None:
    row = site.add("one")
    (moved,) = await site.in_pocketbase(row)
    site.stored(row).write_text("two")
    (stays,), (note,) = await site.contents.moved_to_sql([moved])
    assert stays == moved
    assert "checksum" in note.reason
    assert list(site.uploads.iterdir()) == []


async def test_a_pocketbase_that_is_gone_ends_it(
    site: Site, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no matter of the files: the next run goes on."""
    rows = [site.add(str(number)) for number in range(20)]
    monkeypatch.setattr(site.contents._contents, "_retry", 0.0)
    own_pocketbase.kill()
    with pytest.raises(UnavailableError):
        await site.contents.moved_to_pocketbase(rows)
    own_pocketbase.start()
    assert (await site.contents.moved_to_pocketbase(rows))[1] == []


async def test_a_full_disk_ends_it_before_anything_is_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = site.add("one" * 1000)
    (moved,) = await site.in_pocketbase(row)
    free = site.contents.free("sqlalchemy")
    assert free is not None
    assert free > 6000
    usage = shutil.disk_usage(site.uploads)._replace(free=contents_module.SPARE + 2999)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ConfigurationError, match="no room for the contents of files: the next one has 3,000 bytes"):
        await site.contents.moved_to_sql([moved])
    assert list(site.uploads.iterdir()) == []
    assert (site.contents.free("pocketbase") is None) == (site.connection.data_dir is None)


@pytest.mark.parametrize("backend", ["pocketbase", "sqlalchemy"])
async def test_memory_does_not_grow_with_a_file(site: Site, backend: str) -> None:
    size = 200 << 20
    row = site.add("")
    local(row).touch()
    os.truncate(local(row), size)
    if backend == "sqlalchemy":
        (row,) = await site.in_pocketbase(row)
    tracemalloc.start()
    (moved,), notes = await site.contents.moved_to(backend, [row])
    assert await site.contents.verify(backend, [(row, moved)]) == ([], [])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (notes, is_at(backend, moved)) == ([], True)
    assert peak < 16 << 20, f"{peak:,}"


async def test_a_command_that_is_killed_leaves_no_half_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = site.add("one" * 1_000_000)
    (moved,) = await site.in_pocketbase(row)

    def half(old: Any, new: Any, _size: int) -> None:
        new.write(old.read(1_000_000))
        new.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def download() -> None:
        monkeypatch.setattr(shutil, "copyfileobj", half)
        site.contents._download(moved)

    child = multiprocessing.get_context("fork").Process(target=download)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert [path.name for path in site.uploads.iterdir()] == [f".owui-move-{row['id']}"]
    assert await site.contents.moved_to_sql([moved]) == ([row], [])
    assert [path.name for path in site.uploads.iterdir()] == [local(row).name]
    assert local(row).read_text() == "one" * 1_000_000
    (left,) = site.working.iterdir()
    os.utime(left, (1, 1))
    FileContents(site.connection, uploads=site.uploads, working=site.working)
    assert list(site.working.iterdir()) == []


def test_the_same_contents_have_one_comparable_path() -> None:
    def path(path: str | None) -> Any:
        return comparable({"id": "i", "path": path})["path"]

    assert path("pb://i/i_a b.txt") == path("/data/uploads/i_a b.txt") == path("uploads/i_a b.txt")
    assert path("pb://i/i_a") != path("/data/uploads/i_b")
    assert path("s3://bucket/i_a") != path("pb://i/i_a")
    assert path("s3://bucket/i_a") != path("s3://other/i_a")
    assert [path(""), path(None)] == ["", None]
