"""Backups of small sites, with a real PocketBase's files: one moment, nothing half, and the way back."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase.backup import create as creating
from openwebui_pocketbase.backup import held, journal, sqlite
from openwebui_pocketbase.backup import restore as restoring
from openwebui_pocketbase.backup.archive import Archive, Writer
from openwebui_pocketbase.backup.extract import extract
from openwebui_pocketbase.backup.identity import known_site
from openwebui_pocketbase.backup.moment import moment
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.prune import prune
from openwebui_pocketbase.backup.stores import Directory
from openwebui_pocketbase.backup.undo import kept_aside
from openwebui_pocketbase.backup.verify import verify
from openwebui_pocketbase.backup.work import alone, clear
from openwebui_pocketbase.exceptions import BackupError
from openwebui_pocketbase.last_start import RESTORE, RUNNING
from openwebui_pocketbase.server.locks import FileLock
from tests.support.backups import (
    VERSION,
    killed_at,
    left_over,
    made,
    new_site,
    places_of,
    recovered,
    restored,
    state_of,
    undone,
)
from tests.support.pocketbase import PocketBaseProcess

OPEN = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM said'); print(flush=True)"


@pytest.fixture
def site(tmp_path: Path, prepared_pocketbase: Path) -> Places:
    return new_site(tmp_path / "site", pocketbase=prepared_pocketbase, text="old")


@pytest.fixture
def other(tmp_path: Path, prepared_pocketbase: Path) -> Places:
    return new_site(tmp_path / "other", pocketbase=prepared_pocketbase, text="theirs")


def test_everything_comes_back_and_can_be_undone(site: Places, other: Places) -> None:
    path = made(site).path
    assert verify(path).problems == []
    was, theirs = state_of(site.data_dir), state_of(other.data_dir)
    (other.data_dir / "uploads" / "b_two.txt").write_text("not in the archive")
    theirs = state_of(other.data_dir)
    (other.data_dir / "pocketbase" / "data.db-wal").touch()  # of a server that was killed

    restored(other, path)
    assert state_of(other.data_dir) == was
    assert not (other.data_dir / "pocketbase" / "data.db-wal").exists()
    assert (other.data_dir / "pocketbase" / "data.db").stat().st_mode & 0o077 == 0
    assert (other.data_dir / ".webui_secret_key").read_text() == "old"
    said = (other.data_dir / ".openwebui-pocketbase.json").read_text()
    assert "the database here" in said, "commands are to take it for theirs"
    assert left_over(other.data_dir) == []

    # Even if Open WebUI has run since; and that is not lost either, however often somebody changes their mind.
    (other.data_dir / "uploads" / "c_three.txt").write_text("since")
    (other.data_dir / "openwebui-pocketbase" / "migrate.json").unlink()
    since = state_of(other.data_dir)
    for expected in (theirs, since, theirs):
        undone(other)
        assert state_of(other.data_dir) == expected
        assert left_over(other.data_dir) == []
    assert len(kept_aside(other)) == 2, "one on the disk of each database"
    for path in kept_aside(other):
        shutil.rmtree(path)
    (other.data_dir / RESTORE).unlink()
    with pytest.raises(BackupError, match="no restore"):
        undone(other)


def test_names_and_links_of_files_are_no_reason_to_fail(site: Places, other: Places, tmp_path: Path) -> None:
    """Whoever may upload chooses the name; an administrator may have moved files to another disk."""
    uploads, disk = site.data_dir / "uploads", tmp_path / "disk"
    names = ["a\u2028b", "a\x85b", "a\rb", "a\udcffb", "\x1b[1m"]
    for name in names:
        (uploads / name).write_text("odd")
    (disk / "sub").mkdir(parents=True)
    (disk / "sub" / "far.txt").write_text("far")
    (uploads / "linked.txt").symlink_to(disk / "sub" / "far.txt")
    (uploads / "moved").symlink_to(disk)
    (disk / "sub" / "up").symlink_to(uploads)  # leads to where it is
    (uploads / "gone").symlink_to("/nowhere")
    (uploads / "circle").symlink_to("circle")
    os.mkfifo(uploads / "pipe")
    result = made(site)
    assert verify(result.path).problems == []
    assert [note for note in result.manifest.notes if "Symbolic" in note] == [
        "Symbolic links, of which it has what they lead to: uploads/linked.txt, uploads/moved.",
        "Symbolic links to nothing, not in it: uploads/circle, uploads/gone.",
    ]
    restored(other, result.path)
    found = other.data_dir / "uploads"
    assert {name: (found / name).read_text() for name in names} == dict.fromkeys(names, "odd")
    assert (found / "linked.txt").read_text() == (found / "moved" / "sub" / "far.txt").read_text() == "far"
    assert not [path for path in found.rglob("*") if path.is_symlink()]
    assert [note for note in made(other).manifest.notes if "Symbolic" in note] == []


def test_sites_in_one_directory_leave_each_others_archives(site: Places, other: Places, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "film.mkv.partial").write_text("somebody's")
    paths = []
    for places in (site, other, site):
        with alone(places):
            assert clear(places, shared) == []
            paths.append(creating.create(places, shared, VERSION).path)
    own = known_site(site.data_dir)
    assert own in paths[0].name
    with Archive(paths[1]) as archive:
        assert archive.manifest.site == known_site(other.data_dir) != own
    result = prune(Directory(shared), own, keep=1, days=None, now=datetime.now(UTC))
    assert [each.name for each in result.removed] == [paths[0].name]
    assert {path.name for path in shared.iterdir()} == {"film.mkv.partial", paths[1].name, paths[2].name}


def test_what_is_kept_aside_is_found_wherever_it_is(site: Places, other: Places, tmp_path: Path) -> None:
    path = made(site).path
    disk = tmp_path / "disk"
    disk.mkdir()
    for name in ("uploads", "vector_db"):
        (other.data_dir / name).rename(disk / name)
        (other.data_dir / name).symlink_to(disk / name)
    (disk / ".openwebui-restore-of-another-site").mkdir()
    theirs = state_of(other.data_dir)
    for _ in range(2):
        restored(other, path)
    aside = [each for each in kept_aside(other) if each.parent == disk]
    assert len(aside) == 2, "also that of the one before the last"
    assert all((each / "before" / "uploads" / "a_one.txt").is_file() for each in aside)
    undone(other)
    assert (disk / "uploads" / "a_one.txt").read_text() == "old"
    assert len([each for each in kept_aside(other) if each.parent == disk]) == 2
    assert theirs.keys() == state_of(other.data_dir).keys()

    # An archive without uploads leaves a directory where the link leads to, or Open WebUI would not start.
    shutil.rmtree(site.data_dir / "uploads")
    restored(other, made(site).path)
    assert list((other.data_dir / "uploads").iterdir()) == []


def test_a_restore_opens_nothing_to_others(site: Places, other: Places) -> None:
    """Archives have no modes of directories, and need not be believed about programs that run as somebody else."""
    (site.data_dir / "uploads" / "sub").mkdir()
    (site.data_dir / "uploads" / "sub" / "b.txt").write_text("b")
    (site.data_dir / "uploads" / "a_one.txt").chmod(0o6755)
    path = made(site).path
    (other.data_dir / "uploads").chmod(0o750)
    shutil.rmtree(other.data_dir / "vector_db")
    restored(other, path)
    modes = {"uploads": 0o750, "uploads/sub": 0o750, "uploads/a_one.txt": 0o755, "vector_db": 0o700, "webui.db": 0o644}
    assert {name: (other.data_dir / name).stat().st_mode & 0o7777 for name in modes} == modes


def test_who_opens_the_database_while_an_archive_is_unpacked_is_noticed(
    site: Places, other: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(site).path
    before = state_of(other.data_dir)
    with ExitStack() as stack:

        def extract_and_open(*args: Any) -> None:
            extract(*args)
            stack.enter_context(holding(OPEN, str(other.database.path)))

        monkeypatch.setattr(restoring, "extract", extract_and_open)
        with pytest.raises(BackupError, match="is running"):
            restored(other, path)
    assert state_of(other.data_dir) == before
    # What has come to be there meanwhile is kept aside as well.
    (other.data_dir / "openwebui-pocketbase" / "migrate.json").unlink()

    def extract_late(*args: Any) -> None:
        extract(*args)
        (other.data_dir / "openwebui-pocketbase" / "migrate.json").write_text("theirs")

    monkeypatch.setattr(restoring, "extract", extract_late)
    restored(other, path)
    undone(other)
    assert state_of(other.data_dir) == before


def test_a_database_that_is_none_can_be_replaced(site: Places, other: Places) -> None:
    path = made(site).path
    other.database.path.write_bytes(b"no database" * 1000)
    restored(other, path)
    assert state_of(other.data_dir) == state_of(site.data_dir)


def test_it_goes_into_an_empty_directory(site: Places, tmp_path: Path) -> None:
    path = made(site).path
    restored(places_of(tmp_path / "new"), path)
    assert state_of(tmp_path / "new") == state_of(site.data_dir)
    undone(places_of(tmp_path / "new"))
    assert state_of(tmp_path / "new") == {}


def test_a_site_without_pocketbase_comes_back_and_can_be_undone(tmp_path: Path, prepared_pocketbase: Path) -> None:
    site, other = (new_site(tmp_path / name / "data", text=name) for name in ("old", "theirs"))
    old, theirs = state_of(site.data_dir), state_of(other.data_dir)
    restored(other, made(site).path)
    undone(other)
    assert state_of(other.data_dir) == theirs
    undone(other)
    assert state_of(other.data_dir) == old
    # PocketBase has come since.
    shutil.copytree(prepared_pocketbase, other.data_dir / "pocketbase")
    undone(other)
    assert state_of(other.data_dir) == theirs
    undone(other)
    assert (other.data_dir / "pocketbase" / "data.db").is_file()


def paths(place: Path, table: str) -> list[str]:
    with sqlite.read(place) as connection:
        return [row[0] for row in connection.execute(f"SELECT path FROM {table} ORDER BY path")]


def test_files_are_found_in_another_directory(site: Places, tmp_path: Path) -> None:
    """Rows have the whole path. What is in a bucket, or in PocketBase, stays; and so does the guard."""
    with closing(sqlite3.connect(site.database.path)) as connection, connection:
        for number, path in enumerate(("s3://bucket/uploads/b", "pb://c/c", "/elsewhere/d")):
            connection.execute("INSERT INTO file VALUES (?, ?)", (f"other {number}", path))
    restored(places_of(tmp_path / "new"), made(site).path)
    assert paths(tmp_path / "new" / "webui.db", "file") == sorted(
        ["s3://bucket/uploads/b", "pb://c/c", "/elsewhere/d", f"{tmp_path}/new/uploads/a_one.txt"]
    )
    with closing(sqlite3.connect(tmp_path / "new" / "webui.db")) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute("UPDATE file SET path = ''")


def test_no_password_of_ours_is_in_it(site: Places) -> None:
    (site.data_dir / "pocketbase" / ".owui").mkdir()
    (site.data_dir / "pocketbase" / ".owui" / "superuser.json").write_text("secret")
    (site.data_dir / "pocketbase" / "backups").mkdir()
    with Archive(made(site).path) as archive:
        names = archive.members()
    assert [name for name in names if "owui/" in name or "backups" in name] == []
    assert {"pocketbase/data.db", "database/webui.db", "config/webui_secret_key"} <= names.keys()


def test_a_running_site_is_not_restored(site: Places) -> None:
    path = made(site).path
    (site.data_dir / "pocketbase" / ".owui").mkdir(exist_ok=True)
    lease = FileLock.take(site.data_dir / "pocketbase" / ".owui" / "leases.lock", shared=True)
    assert lease is not None
    with lease, pytest.raises(BackupError, match="is running"):
        restored(site, path)
    # Nor one that is being started.
    starting = FileLock.take(site.data_dir / RUNNING, shared=True)
    assert starting is not None
    with starting, pytest.raises(BackupError, match="is running"):
        restored(site, path)
    # Nor one whose PocketBase is elsewhere, if its SQL database is open here.
    with holding(OPEN, str(site.database.path)), pytest.raises(BackupError, match="is running"):
        restored(site, path)
    restored(site, path)


@contextmanager
def holding(script: str, argument: str) -> Iterator[None]:
    """Run a program that says a word and waits."""
    program = [sys.executable, "-c", f"{script}; sys.stdin.read()", argument]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


def test_both_databases_are_of_one_moment(site: Places) -> None:
    """A writer counts in PocketBase, then in SQL: any moment has at most one more there."""
    files = (site.data_dir / "pocketbase" / "data.db", site.database.path)
    end = threading.Event()

    def count() -> None:
        with closing(sqlite3.connect(files[0], 10)) as one, closing(sqlite3.connect(files[1], 10)) as two:
            while not end.is_set():
                for connection in (one, two):
                    with connection:
                        connection.execute("INSERT INTO said VALUES ('again')")

    writer = threading.Thread(target=count)
    writer.start()
    try:
        archives = [made(site) for _ in range(5)]
    finally:
        end.set()
        writer.join()
    for each in archives:
        numbers = []
        for name in ("pocketbase/data.db", "database/webui.db"):
            with Archive(each.path) as archive:
                archive.extract(name, archive.members()[name], site.data_dir / "looked-at.db")
            with sqlite.read(site.data_dir / "looked-at.db") as connection:
                numbers.append(connection.execute("SELECT count(*) FROM said").fetchone()[0])
            (site.data_dir / "looked-at.db").unlink()
        assert 0 <= numbers[0] - numbers[1] <= 1, numbers
        assert each.manifest.waited["pocketbase"] < 1


def test_who_locks_the_sql_database_is_never_waited_for_with_pocketbase_locked(site: Places) -> None:
    """A request that has the SQL database may be waiting for PocketBase: both would wait for each other."""
    locked = sqlite3.connect(site.database.path, isolation_level=None)
    locked.execute("PRAGMA journal_mode = DELETE")
    locked.execute("BEGIN EXCLUSIVE")
    maker = threading.Thread(target=made, args=(site,))
    maker.start()
    with closing(sqlite3.connect(site.data_dir / "pocketbase" / "data.db", 10)) as connection:
        for _ in range(20):
            with connection:
                connection.execute("INSERT INTO said VALUES ('meanwhile')")
    assert maker.is_alive()
    locked.rollback()
    locked.close()
    maker.join()
    assert len(list((site.data_dir / "backups").iterdir())) == 1


def test_the_vector_stores_files_are_those_of_its_database(site: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever adds documents may have the database locked for long; index files are made, and removed, meanwhile."""
    folder = site.vector_db
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE said (text TEXT)")
    real, add = sqlite.writing, Writer.add

    @contextmanager
    def writing(path: Path, timeout: float) -> Iterator[None]:
        if path.name == "chroma.sqlite3":
            (folder / "index" / "added.bin").write_text("since it was looked at first")
        with real(path, timeout):
            yield

    def add_late(writer: Writer, name: str, path: Path, **options: Any) -> None:
        if path.name == "added.bin":
            (folder / "index" / "level0.bin").unlink()  # of a collection whose row was deleted before
        add(writer, name, path, **options)

    monkeypatch.setattr(sqlite, "writing", writing)
    monkeypatch.setattr(Writer, "add", add_late)
    with Archive(made(site).path) as archive:
        names = {name for name in archive.members() if name.startswith("vector_db/")}
    assert names == {"vector_db/chroma.sqlite3", "vector_db/index/added.bin"}


# --- contents of files


def uploaded(pocketbase: PocketBaseProcess, number: int) -> str:
    """Make a collection with a file; return the record's id."""
    with pocketbase.admin() as admin:
        fields = [{"name": "papers", "type": "file", "maxSelect": 3}]
        if "boxes" not in admin.collections():
            admin.send("POST", "/api/collections", {"name": "boxes", "type": "base", "fields": fields})
        http = admin._client.http_client
        files = [("papers", (f"{each}.txt", f"contents {number}".encode())) for each in ("one", "two")]
        headers = {"Authorization": admin._client.auth_store.token}
        return str(
            http.post(f"{pocketbase.url}/api/collections/boxes/records", files=files, headers=headers).json()["id"]
        )


def test_files_that_are_deleted_just_then_are_in_it_or_their_records_are_not(
    own_pocketbase: PocketBaseProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = new_site(tmp_path / "site")
    shutil.rmtree(tmp_path / "site" / "pocketbase", ignore_errors=True)
    (tmp_path / "site" / "pocketbase").symlink_to(own_pocketbase.data_dir)
    kept, gone = uploaded(own_pocketbase, 1), ""

    @contextmanager
    def deleting(*args: Any) -> Iterator[Any]:
        """Have a record with files that were made and are deleted after the moment, before they can be held."""
        nonlocal gone
        first = not gone
        if first:
            gone = uploaded(own_pocketbase, 2)
        with moment(*args) as taken:
            if first:
                with own_pocketbase.admin() as admin:
                    admin.send("DELETE", f"/api/collections/boxes/records/{gone}")
            yield taken

    monkeypatch.setattr(creating, "moment", deleting)
    result = made(places)
    assert gone
    assert verify(result.path).problems == []
    with Archive(result.path) as archive:
        names = [name for name in archive.members() if name.startswith("pocketbase/storage/")]
    assert sum(f"/{kept}/" in name for name in names) == 4, "two files, each with its attributes"
    assert [name for name in names if f"/{gone}/" in name] == []
    assert [note for note in result.manifest.notes if "Missing" in note] == []

    # What was missing before is told, and is no reason to make none.
    own_pocketbase.stop()
    for path in own_pocketbase.data_dir.glob(f"storage/*/{kept}/one*"):
        path.unlink()
    notes = [note for note in made(places).manifest.notes if "Missing" in note]
    assert len(notes) == 1
    assert f"/{kept}/one" in notes[0]


# --- cut off


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("held.hold", 1),
        ("sqlite.copy", 1),
        ("archive.Writer:add", 2),
        ("archive.Archive:check", 0),
        ("stores.Directory:publish", 0),
    ],
)
def test_a_backup_that_is_killed_leaves_nothing(site: Places, point: str, count: int) -> None:
    before = state_of(site.data_dir)
    assert killed_at(point, count, "create", site.data_dir)
    assert list((site.data_dir / "backups").glob("*.zip")) == []
    assert left_over(site.data_dir), "what the next one has to remove"
    path = made(site).path
    assert left_over(site.data_dir) == []
    assert state_of(site.data_dir) == before
    assert verify(path).problems == []


@pytest.mark.parametrize(
    ("point", "count", "verb", "ends"),
    [
        ("archive.Archive:extract", 2, "restore", "theirs"),
        ("journal._rename", 0, "restore", "old"),
        ("journal._rename", 5, "restore", "old"),
        ("journal._rename", 11, "restore", "old"),
        ("journal.Journal:tidy", 0, "restore", "old"),
        ("journal._rename", 0, "undo", "theirs"),
        ("journal._rename", 7, "undo", "theirs"),
        ("journal.Journal:make_areas", 0, "undo", "old"),
        ("journal.Journal:tidy", 0, "undo", "theirs"),
    ],
)
def test_a_restore_that_is_killed_is_finished_or_undone(
    site: Places, other: Places, point: str, count: int, verb: str, ends: str
) -> None:
    path = made(site).path
    states = {"old": state_of(site.data_dir), "theirs": state_of(other.data_dir)}
    if verb == "undo":
        restored(other, path)
    assert killed_at(point, count, verb, other.data_dir, path)
    recovered(other)
    assert state_of(other.data_dir) == states[ends]
    assert left_over(other.data_dir) == []
    undone_to = {"theirs": "old", "old": "theirs"}[ends]
    if verb == "undo" or ends == "old":
        undone(other)
        assert state_of(other.data_dir) == states[undone_to]


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("what", [(Writer, "add_stream"), (sqlite, "copy"), (held, "hold")])
def test_a_full_disk_leaves_no_archive(site: Places, what: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*what, full)
    with pytest.raises(BackupError, match="No space"):
        made(site)
    assert list((site.data_dir / "backups").iterdir()) == []
    assert left_over(site.data_dir) == []


@pytest.mark.parametrize("what", [(Archive, "extract"), (journal, "_rename")])
def test_a_full_disk_leaves_what_was_there(
    site: Places, other: Places, what: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(site).path
    before = state_of(other.data_dir)
    real, left = getattr(*what), 4

    def nearly_full(*args: Any) -> Any:
        nonlocal left
        left -= 1
        return full() if left == 0 else real(*args)

    monkeypatch.setattr(*what, nearly_full)
    with pytest.raises(BackupError, match="No space"):
        restored(other, path)
    monkeypatch.setattr(*what, real)
    assert state_of(other.data_dir) == before
    assert not list(other.data_dir.rglob("restore*"))

    # Nor does it take away that an earlier restore can be undone.
    restored(other, path)
    left = 4
    monkeypatch.setattr(*what, nearly_full)
    with pytest.raises(BackupError, match="No space"):
        restored(other, path)
    monkeypatch.setattr(*what, real)
    assert state_of(other.data_dir) == state_of(site.data_dir)
    undone(other)
    assert state_of(other.data_dir) == before


def test_a_damaged_archive_changes_nothing(site: Places, other: Places) -> None:
    path = made(site).path
    content = path.read_bytes()
    where = content.rindex(b"old", 0, content.index(b"SHA256SUMS"))
    path.write_bytes(content[:where] + b"odd" + content[where + 3 :])
    before = state_of(other.data_dir)
    with pytest.raises(BackupError, match="is damaged"):
        restored(other, path)
    assert state_of(other.data_dir) == before
    assert len(verify(path).problems) == 1


def test_a_damaged_database_is_not_backed_up(site: Places) -> None:
    with site.database.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(BackupError, match=r"database/webui\.db is damaged"):
        made(site)
    assert list((site.data_dir / "backups").iterdir()) == []
