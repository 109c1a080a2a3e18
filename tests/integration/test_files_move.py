"""Moving contents between disk, bucket and PocketBase, with what happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import tracemalloc
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.files import File
from pydantic import SecretStr
from sqlalchemy import create_engine, insert

from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.settings import PocketBaseSettings
from openwebui_pocketbase.storage import gc
from openwebui_pocketbase.storage.buckets import S3Place
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.storage.move import Move, Moved, plan
from openwebui_pocketbase.storage.places import LocalPlace, Place, PocketBasePlace
from openwebui_pocketbase.storage.rows import FileRow, PocketBaseRows, Rows, SqlRows
from tests.support.buckets import KEY, REGION, Bucket
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess
from tests.support.processes import eventually
from tests.support.stock import migrated_sqlite

pytest_plugins = ["tests.support.buckets"]


class Files:
    """Rows in PocketBase, contents in three places.

    Attributes:
        uploads: The host's directory for uploads.
        places: The places.
        rows: The rows.
    """

    def __init__(self, server: PocketBaseProcess, provider: Any, tmp_path: Path) -> None:
        self.data_dir = server.data_dir
        self.uploads = tmp_path / "uploads"
        self.uploads.mkdir()
        self.work = tmp_path / "work"
        settings = PocketBaseSettings(url=server.url, identity=IDENTITY, password=SecretStr(PASSWORD))
        connection = Connection(settings, tmp_path)
        self.admin = connection.admin(connection.open())
        self.contents = Contents(lambda: connection, retry=5.0)
        self.rows = PocketBaseRows(self.admin)
        self.places: dict[str, Place] = {
            "local": LocalPlace(self.uploads),
            "s3": S3Place(provider, tags=True),
            "pocketbase": PocketBasePlace(self.contents, self.rows),
        }

    def add(self, text: str, name: str = "ü b.txt") -> str:
        """Make a file as an upload to the local disk would; return its id."""
        file_id = str(uuid.uuid4())
        path = self.uploads / f"{file_id}_{name}"
        path.write_text(text)
        row = {"id": file_id, "user_id": "u", "filename": name, "path": str(path), "created_at": 5, "updated_at": 7}
        row |= {"meta": json.dumps({"size": len(text)}), "data": "{}"}
        self.admin.send("POST", "/api/collections/owui_files/records", row)
        return file_id

    def move(self, target: str, **options: Any) -> list[Moved]:
        return list(Move(self.rows, self.places, target, self.work, grace=0.0, **options).run())

    def read(self, file_id: str) -> str:
        """Return the text of a file, wherever it is."""
        row = self.rows.get(file_id)
        assert row is not None
        assert row.path is not None
        place = "s3" if row.path.startswith("s3:") else "pocketbase" if row.path.startswith("pb:") else "local"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        return self.places[place].fetch(row.path, self.work).read_text()

    def record(self, file_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.admin.send("GET", f"/api/collections/owui_files/records/{file_id}")
        return found

    def left(self, **options: Any) -> list[tuple[str, str]]:
        found = gc.find(self.rows, self.places, before=time.time() + 60, **options)
        return [(orphan.place, orphan.stored.path) for orphan in found.orphans]


@pytest.fixture
def files(own_pocketbase: PocketBaseProcess, s3_provider: Any, tmp_path: Path) -> Files:
    return Files(own_pocketbase, s3_provider, tmp_path)


def test_there_and_back(files: Files, bucket: Bucket) -> None:
    first, second = files.add("one"), files.add("two" * 100_000, "z" * 200)
    found = plan(files.rows, "pocketbase")
    assert (found.to_move, found.at_target, found.without_contents) == ({"local": (2, 300_003)}, 0, 0)

    assert [moved.failure for moved in files.move("pocketbase")] == ["", ""]
    assert not list(files.uploads.iterdir())
    assert files.rows.get(first) == FileRow(first, "u", f"pb://{first}/{first}_ü b.txt", 3, 5)
    assert files.record(first)["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert files.record(first)["updated_at"] == 7
    assert files.read(second) == "two" * 100_000
    assert files.move("pocketbase") == []

    files.move("s3")
    assert bucket.keys == sorted([f"uploads/{first}_ü b.txt", f"uploads/{second}_{'z' * 200}"])
    assert bucket.read(f"uploads/{first}_ü b.txt") == b"one"
    tags = bucket.client.get_object_tagging(Bucket=bucket.name, Key=f"uploads/{first}_ü b.txt")["TagSet"]
    assert {"Key": "OpenWebUI-File-Id", "Value": first} in tags
    assert files.record(first)["contents"] == files.record(first)["sha256"] == ""

    files.move("local")
    assert bucket.keys == []
    assert (files.uploads / f"{first}_ü b.txt").read_text() == "one"
    assert files.read(second) == "two" * 100_000
    assert files.left() == []


@pytest.mark.parametrize("target", ["pocketbase", "s3"])
def test_sources_are_kept_if_wanted(files: Files, target: str) -> None:
    file_id = files.add("one")
    source = files.uploads / f"{file_id}_ü b.txt"
    files.move(target, keep=True)
    assert source.read_text() == files.read(file_id) == "one"


def test_a_missing_source_is_told_and_the_rest_is_moved(files: Files) -> None:
    lost, kept = files.add("one"), files.add("two")
    path = files.uploads / f"{lost}_ü b.txt"
    path.unlink()
    results = {moved.row.id: moved.failure for moved in files.move("pocketbase")}
    assert results == {lost: f"There are no contents: {path}", kept: ""}
    assert files.record(lost)["path"] == str(path)


@pytest.mark.parametrize("target", ["pocketbase", "s3"])
def test_a_file_that_is_deleted_meanwhile_leaves_nothing(
    files: Files, target: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = files.add("one")
    put = files.places[target].put

    def put_late(*arguments: Any) -> str:
        path = put(*arguments)
        files.admin.send("DELETE", f"/api/collections/owui_files/records/{file_id}")
        return path

    monkeypatch.setattr(files.places[target], "put", put_late)
    assert [moved.is_gone for moved in files.move(target)] == [True]
    assert bucket.keys == []
    assert files.rows.get(file_id) is None


def test_a_file_that_is_uploaded_meanwhile_is_moved(files: Files) -> None:
    files.add("one")
    run = Move(files.rows, files.places, "s3", files.work, grace=0.0).run()
    next(run)
    late = files.add("late")
    assert [moved.row.id for moved in run] == [late]
    assert files.read(late) == "late"


def test_other_writes_of_a_row_meanwhile_are_kept(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = files.add("one")
    attach = files.contents.attach

    def attach_late(*arguments: Any) -> Any:
        files.admin.send("PATCH", f"/api/collections/owui_files/records/{file_id}", {"hash": "new"})
        return attach(*arguments)

    monkeypatch.setattr(files.contents, "attach", attach_late)
    files.move("pocketbase")
    assert files.record(file_id)["hash"] == "new"


@pytest.mark.parametrize("target", ["pocketbase", "s3", "local"])
def test_a_damaged_copy_is_removed(files: Files, target: str, bucket: Bucket) -> None:
    file_id = files.add("one")
    if target == "local":
        files.move("s3")
    before = files.record(file_id)["path"]
    fetch = files.places[target].fetch

    def damaged(path: str, directory: Path) -> Path:
        copy = directory / "damaged"
        copy.write_bytes(fetch(path, directory).read_bytes() + b"!")
        return copy

    files.places[target].fetch = damaged  # type: ignore[method-assign]
    (moved,) = files.move(target)
    assert "differs" in moved.failure
    files.places[target].fetch = fetch  # type: ignore[method-assign]
    assert files.record(file_id)["path"] == before
    assert files.read(file_id) == "one"
    assert files.left() == []


def test_a_path_that_has_changed_is_not_overwritten(
    files: Files, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = files.add("one")
    put = files.places["s3"].put

    def put_late(*arguments: Any) -> str:
        files.admin.send("PATCH", f"/api/collections/owui_files/records/{file_id}", {"path": "/other"})
        return put(*arguments)

    monkeypatch.setattr(files.places["s3"], "put", put_late)
    (moved,) = files.move("s3")
    assert moved.failure == "Its path has changed meanwhile."
    assert bucket.keys == []
    assert files.record(file_id)["path"] == "/other"


def test_what_no_row_leads_to_is_found_and_removed(files: Files, bucket: Bucket) -> None:
    file_id, moved = files.add("one"), files.add("two", "rec.wav")
    beside = files.uploads / f"{file_id}_rec.json"  # as the host writes transcripts
    beside.write_text("{}")
    files.move("s3", keep=True)
    files.move("pocketbase", keep=True)  # now each file is in three places
    (files.uploads / "stranger.txt").write_text("not ours")
    bucket.client.put_object(Bucket=bucket.name, Key="uploads/stranger.txt", Body=b"")
    bucket.client.put_object(Bucket=bucket.name, Key=f"elsewhere/{uuid.uuid4()}_a", Body=b"")
    source = files.uploads / f"{file_id}_ü b.txt"
    pending = str(uuid.uuid4())
    files.contents.upload(pending, source, "a", hashlib.sha256(b"one").hexdigest())

    assert sorted(place for place, _ in files.left()) == ["local"] * 3 + ["pocketbase"] + ["s3"] * 2
    found = gc.find(files.rows, files.places, before=time.time() + 60)
    assert not found.rows
    assert all(gc.remove(orphan, files.rows, files.places) for orphan in found.orphans)
    assert [path.name for path in files.uploads.iterdir()] == ["stranger.txt"]
    assert bucket.keys[1:] == ["uploads/stranger.txt"]
    assert files.contents.describe(pending) is None
    assert files.read(file_id) == "one"
    assert files.read(moved) == "two"
    assert gc.find(files.rows, files.places, before=time.time() - 3600).orphans == []


def test_rows_without_contents_are_found(files: Files) -> None:
    ids = [files.add(text) for text in ("local", "pocketbase", "complete")]
    (files.uploads / f"{ids[0]}_ü b.txt").unlink()
    files.move("pocketbase")
    files.admin.send("PATCH", f"/api/collections/owui_files/records/{ids[1]}", {"contents": None})
    found = gc.find(files.rows, files.places, before=time.time())
    assert {row.id for row in found.rows} == set(ids[:2])


def test_contents_to_which_a_row_leads_by_now_are_not_removed(files: Files) -> None:
    """Neither on the disk nor in PocketBase: what was listed may be in use again."""
    file_id = files.add("one")
    files.move("pocketbase", keep=True)
    (orphan,) = gc.find(files.rows, files.places, before=time.time() + 60).orphans
    files.move("local")
    assert not gc.remove(orphan, files.rows, files.places)
    files.move("pocketbase")
    files.rows.drop_contents(file_id)
    assert files.read(file_id) == "one"


def test_rows_in_sql(files: Files, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated_sqlite(tmp_path)}")
    path = files.uploads / f"{uuid.uuid4()}_a"
    path.write_text("one")
    row: dict[str, Any] = {"id": path.name[:36], "user_id": "u", "filename": "a", "path": str(path)}
    row |= {"data": {}, "meta": {"size": 3}}
    with engine.begin() as connection:
        connection.execute(insert(File), row | {"created_at": 1, "updated_at": 1})
        connection.execute(insert(File), row | {"id": "no path", "path": None, "meta": None})
    rows: Rows = SqlRows(engine, File.__table__)
    assert plan(rows, "s3").without_contents == 1
    (moved,) = Move(rows, files.places, "s3", files.work, grace=0.0).run()
    assert moved.failure == ""
    assert not rows.switch(moved.row, "elsewhere")
    found = rows.get(row["id"])
    assert found is not None
    assert (found.path or "").endswith(f"/uploads/{path.name}")
    assert not path.exists()


def test_pocketbase_on_s3(files: Files, bucket: Bucket) -> None:
    """A setting of PocketBase: contents are in the bucket, come back, and go with their record; no backup has them."""
    bucket.client.create_bucket(Bucket=f"pb-{bucket.name}")
    inner = Bucket(f"pb-{bucket.name}", bucket.endpoint, bucket.client)
    s3 = {"enabled": True, "bucket": inner.name, "endpoint": bucket.endpoint, "forcePathStyle": True}
    s3 |= {"region": REGION, "accessKey": KEY, "secret": KEY}
    files.admin.send("PATCH", "/api/settings", {"s3": s3})
    file_id, deleted = files.add("one"), files.add("two")
    assert [moved.failure for moved in files.move("pocketbase")] == ["", ""]
    record = files.record(file_id)
    key = f"{record['collectionId']}/{file_id}/{record['contents']}"
    assert inner.read(key) == b"one"
    assert files.read(file_id) == "one"

    files.admin.send("POST", "/api/backups", {"name": "test.zip"})
    with zipfile.ZipFile(files.data_dir / "backups" / "test.zip") as archive:
        assert not [name for name in archive.namelist() if file_id in name]

    files.admin.write("files/delete_file_by_id", {"id": deleted})
    eventually(lambda: not [each for each in inner.keys if deleted in each], "PocketBase has removed the contents")
    files.move("local")
    eventually(lambda: not [each for each in inner.keys if file_id in each], "PocketBase has removed the contents")
    assert (files.uploads / f"{file_id}_ü b.txt").read_text() == "one"


@pytest.mark.parametrize("target", ["pocketbase", "local"])
def test_memory_does_not_grow_with_a_file(files: Files, target: str) -> None:
    size = 32 << 20
    file_id = files.add("")
    with (files.uploads / f"{file_id}_ü b.txt").open("wb") as file:
        file.truncate(size)
    if target == "local":
        files.move("pocketbase")
    tracemalloc.start()
    (moved,) = files.move(target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert moved.failure == ""
    assert peak < size / 4, f"{peak:,}"
