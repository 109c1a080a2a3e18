"""Archives: what is in them, what is refused, and which ones go."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openwebui_pocketbase.backup import journal
from openwebui_pocketbase.backup.archive import Archive, Writer
from openwebui_pocketbase.backup.fits import changes, misfits
from openwebui_pocketbase.backup.identity import known_site, named_site
from openwebui_pocketbase.backup.journal import Journal, Step
from openwebui_pocketbase.backup.links import hold
from openwebui_pocketbase.backup.manifest import Manifest, name_of, read_name
from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.partial import clear_partial, partial
from openwebui_pocketbase.backup.postgresql import require_programs
from openwebui_pocketbase.backup.prune import Pruned, prune
from openwebui_pocketbase.backup.stores import Directory, Stored
from openwebui_pocketbase.backup.work import alone, enough_room, explained
from openwebui_pocketbase.cli import hosted
from openwebui_pocketbase.cli.backup.kept import archive_named, finish_cut_off
from openwebui_pocketbase.cli.backup.restoring import _require_same_places
from openwebui_pocketbase.cli.site import Site
from openwebui_pocketbase.exceptions import BackupError, CompatibilityError
from openwebui_pocketbase.last_start import KEY_FILE, RESTORE, RUNNING, LastStart, is_half_restored
from openwebui_pocketbase.schema.tables import SCHEMA_VERSION
from openwebui_pocketbase.server.locks import FileLock
from tests.support.backups import REVISION, new_site, places_of

OWN, THEIRS = "0123abcd", "89abcdef"
NOW = datetime(2026, 11, 29, 23, 0, 0, tzinfo=UTC)
MANIFEST = Manifest("", "0.1.0", "0.12.4", REVISION, "sqlite", "", SCHEMA_VERSION, "0.40.6", {}, [], {}, "")


def archive(path: Path, contents: dict[str, bytes] | None = None) -> Path:
    writer = Writer(path)
    for name, content in (contents or {"uploads/a": b"x" * 5000}).items():
        writer.add_stream(name, io.BytesIO(content), len(content), 0o640)
    writer.finish(lambda checksums: replace(MANIFEST, parts=writer.parts, checksums=checksums))
    return path


def test_an_archive_is_a_plain_one(tmp_path: Path) -> None:
    odd = "uploads/Grüße\n\\ 你好\r.txt"
    path = archive(tmp_path / "a.zip", {"uploads/a": b"one", odd: b"two", "vector_db/empty": b""})
    assert path.stat().st_mode & 0o777 == 0o600
    with Archive(path) as opened:
        assert opened.check() == 3
        members = opened.members()
        assert members[odd] == hashlib.sha256(b"two").hexdigest()
        opened.extract(odd, members[odd], tmp_path / "out")
        assert opened.manifest.parts["uploads"].bytes == 6
    assert (tmp_path / "out").read_bytes() == b"two"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640
    # Whoever has nothing but the usual programs can look into it, and check it.
    with zipfile.ZipFile(path) as plain:
        plain.extractall(tmp_path / "plain")
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "plain", check=True)


ODD = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\n", "\\", "\\n", "\udcff", "é\udce9", " ", "x" * 250]
"""Parts of names that end lines for some, need escapes, or are no UTF-8."""


def test_every_name_that_a_file_may_have_is_kept(tmp_path: Path) -> None:
    names = [f"uploads/a{odd}" for odd in ODD]
    path = archive(tmp_path / "a.zip", {name: name.encode(errors="surrogateescape") for name in names})
    with Archive(path) as opened:
        assert opened.check() == len(names)
        for number, (name, checksum) in enumerate(opened.members().items()):
            opened.extract(name, checksum, tmp_path / str(number))
            assert (tmp_path / str(number)).read_bytes() == os.fsencode(names[number])
    # Other programs read the same names, and the list of checksums.
    script = "import os, sys, zipfile; z = zipfile.ZipFile(sys.argv[1])\nfor i in z.infolist():\n"
    script += " b = i.filename.encode('utf-8' if i.flag_bits & 0x800 else 'cp437')\n"
    script += " os.makedirs(os.path.dirname(b) or b'.', exist_ok=True); open(b, 'wb').write(z.read(i))"
    (tmp_path / "plain").mkdir()
    subprocess.run([sys.executable, "-c", script, str(path)], cwd=tmp_path / "plain", check=True)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "plain", check=True)
    assert printable("你好\u2028\udcff\x1b[1m\n") == r"你好\u2028\udcff\x1b[1m\n"


def test_an_archive_of_before_is_read(tmp_path: Path) -> None:
    """It says neither whose it is, nor which modes its files have."""
    path = archive(tmp_path / "openwebui-20261129-230000.zip")
    with zipfile.ZipFile(path) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    values = json.loads(contents["manifest.json"])
    contents["manifest.json"] = json.dumps(
        {key: values[key] for key in values if key not in {"modes", "site"}}
    ).encode()
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in contents.items():
            opened.writestr(name, content)
    with Archive(path) as again:
        assert again.check() == 1
        assert again.manifest.site == ""
    assert [(each.name, each.site) for each in Directory(tmp_path).stored()] == [(path.name, "")]


def test_whatever_is_damaged_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a ZIP with one wrong bit raises errors of a dozen kinds."""
    content = archive(tmp_path / "a.zip", {"uploads/a": b"x" * 9}).read_bytes()
    damaged = tmp_path / "damaged.zip"
    monkeypatch.setattr(os, "fsync", lambda _: None)
    noticed = 0
    for number in range(0, len(content) * 8, 7):
        flipped = bytearray(content)
        flipped[number // 8] ^= 1 << number % 8
        damaged.write_bytes(flipped)
        try:
            with Archive(damaged) as opened:
                opened.check()
                opened.text_of("uploads/a")
                opened.extract("uploads/a", opened.members()["uploads/a"], tmp_path / "out")
        except BackupError:
            noticed += 1
        else:
            assert (tmp_path / "out").read_bytes() == b"x" * 9
            assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o640
        (tmp_path / "out").unlink(missing_ok=True)
    assert noticed > len(content) / 2


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_what_was_cut_off_is_no_archive(tmp_path: Path, kept: float) -> None:
    path = archive(tmp_path / "a.zip")
    os.truncate(path, int(path.stat().st_size * kept))
    with pytest.raises(BackupError, match="cannot be opened"):
        Archive(path)


def test_each_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"uploads/a": b"x" * 100})
    content = path.read_bytes()
    where = content.index(b"x" * 100) + 50
    path.write_bytes(content[:where] + b"y" + content[where + 1 :])
    with Archive(path) as opened, pytest.raises(BackupError, match=r"uploads/a in .* is damaged"):
        opened.check()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "uploads/../../evil"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    with (
        Archive(archive(tmp_path / "a.zip", {name: b"x"})) as opened,
        pytest.raises(BackupError, match="outside of its places"),
    ):
        opened.members()


def test_an_added_file_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr("uploads/b", "not ours")
    with Archive(path) as opened, pytest.raises(BackupError, match="other files than it lists"):
        opened.members()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{}", "manifest is damaged"),
        (b"no JSON", "manifest is damaged"),
        (b'{"format": 2, "package": "9.9"}', "layout 2; this version knows up to 1"),
    ],
)
def test_other_manifests_are_refused(text: bytes, message: str) -> None:
    with pytest.raises(BackupError, match=message):
        Manifest.load(text)


def test_names_say_when_and_whose() -> None:
    assert name_of(NOW, OWN) == "openwebui-20261129-230000-0123abcd.zip"
    assert name_of(NOW, OWN, 2) == "openwebui-20261129-230000-0123abcd-2.zip"
    assert read_name(name_of(NOW, OWN, 2)) == (NOW, OWN)
    assert read_name("openwebui-20261129-230000.zip") == read_name("openwebui-20261129-230000-2.zip") == (NOW, "")
    assert read_name("@auto_pb_backup_acme_20261129.zip") is None
    assert read_name("openwebui-20261345-000000.zip") is None, "there is no such day"


# --- pruning


def kept_for(tmp_path: Path, *days: int, damaged: tuple[int, ...] = ()) -> Directory:
    for day in days:
        path = archive(tmp_path / name_of(NOW - timedelta(days=day), OWN))
        if day in damaged:
            os.truncate(path, 500)
    (tmp_path / "mine.zip").write_text("not ours")
    return Directory(tmp_path)


def ages(found: list[Stored]) -> list[int]:
    return [(NOW - each.made_at).days for each in found]


@pytest.mark.parametrize(
    ("keep", "days", "damaged", "left"),
    [
        (2, None, (), [0, 1]),
        (None, 3, (), [0, 1, 3]),
        (1, 3, (), [0, 1, 3]),
        (None, None, (), [0, 1, 3, 9]),
        (9, None, (), [0, 1, 3, 9]),
        (1, None, (0,), [0, 1]),  # the only one that is kept is none: the newest good one stays
        (2, None, (0, 1), [0, 1, 3]),
        (2, None, (0,), [0, 1]),
    ],
)
def test_the_newest_are_kept(
    tmp_path: Path, keep: int | None, days: int | None, damaged: tuple[int, ...], left: list[int]
) -> None:
    store = kept_for(tmp_path, 0, 1, 3, 9, damaged=damaged)
    would = prune(store, OWN, keep=keep, days=days, now=NOW, dry_run=True)
    assert ages(store.stored()) == [0, 1, 3, 9]
    result: Pruned = prune(store, OWN, keep=keep, days=days, now=NOW)
    assert result == would
    assert ages(store.stored()) == left
    assert (tmp_path / "mine.zip").exists()


def test_without_a_good_one_nothing_is_removed(tmp_path: Path) -> None:
    store = kept_for(tmp_path, 0, 1, damaged=(0, 1))
    with pytest.raises(BackupError, match="None of the archives is good"):
        prune(store, OWN, keep=1, days=None, now=NOW)
    assert ages(store.stored()) == [0, 1]


def test_archives_of_other_sites_stay(tmp_path: Path) -> None:
    """Nor are they those that are counted."""
    store = kept_for(tmp_path, 2, 3)
    others = [archive(tmp_path / name_of(NOW, THEIRS)), archive(tmp_path / "openwebui-20261129-230000.zip")]
    result = prune(store, OWN, keep=1, days=None, now=NOW)
    assert (ages(result.kept), ages(result.removed), result.foreign) == ([2], [3], 2)
    assert all(path.exists() for path in others)
    assert prune(store, "", keep=1, days=None, now=NOW).removed == [], "a site without a name has made none"


def test_only_what_was_cut_off_is_cleared(tmp_path: Path) -> None:
    """Several sites, and others, may use the directory."""
    (tmp_path / "film.mkv.partial").write_text("somebody's")
    (tmp_path / "rsync.partial").mkdir()
    (tmp_path / "backup-89abcdef.partial").symlink_to(tmp_path / "rsync.partial")
    (tmp_path / "backup-01234567.partial").mkdir()
    with partial("backup", tmp_path) as going_on:
        assert clear_partial(tmp_path) == [tmp_path / "backup-01234567.partial"]
        assert going_on.is_dir()
    assert len(list(tmp_path.iterdir())) == 3


# --- the secret key


def test_a_start_notes_the_file_with_the_secret_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open WebUI's own command makes it where it is started, and cron is elsewhere."""
    data_dir, started = tmp_path / "data", tmp_path / "started"
    for directory in (data_dir, started):
        directory.mkdir()
    (started / KEY_FILE).write_text("of the command")
    monkeypatch.chdir(started)

    def noted(key: str) -> str:
        monkeypatch.setenv("WEBUI_SECRET_KEY", key)
        LastStart.now({}, data_dir, data_dir, "").write(data_dir)
        last = LastStart.read(data_dir)
        assert last is not None
        assert last.secret_key is not None
        return last.secret_key

    assert noted("of the command") == str(started / KEY_FILE)
    assert noted("another one") == ""
    (data_dir / KEY_FILE).write_text("")
    assert noted("") == ""
    (data_dir / KEY_FILE).write_text("of serve\n")
    assert noted("of serve") == str(data_dir / KEY_FILE)


# --- what fits


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({}, ""),
        ({"database": "postgresql"}, "database of postgresql"),
        ({"schema_name": "other"}, "schema other"),
        ({"revision": "new"}, "does not know"),
        ({"schema": SCHEMA_VERSION + 1}, "knows up to"),
        ({"schema": None, "pocketbase": ""}, ""),
        ({"pocketbase": "0.40.7"}, "of PocketBase 0.40.7, and 0.40.6 is here"),
        ({"pocketbase": "0.40.5"}, ""),
        ({"is_encrypted": True}, "has no key"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, other: dict[str, object], message: str) -> None:
    places = new_site(tmp_path / "data")
    problems = misfits(replace(MANIFEST, **other), places, "0.40.6")  # type: ignore[arg-type]
    assert bool(problems) is bool(message)
    assert message in "; ".join(problems)


def test_older_versions_fit_and_are_brought_up(tmp_path: Path) -> None:
    places = new_site(tmp_path / "data")
    (places.package_dir / "migrations" / "versions" / "two.py").write_text(
        f"revision: str = 'def'\ndown_revision: str | None = '{REVISION}'\n"
    )
    older = replace(MANIFEST, schema=SCHEMA_VERSION - 1)
    assert misfits(older, places, "0.40.6") == []
    assert len(changes(older, places)) == 2
    assert changes(replace(MANIFEST, revision="def"), places) == []


# --- steps


def steps_in(root: Path) -> tuple[list[Step], Callable[[], dict[str, str]]]:
    """Make a place with something old, one with something new only, one whose contents go, and one that is both."""
    wanted = {"both": (True, True), "fresh": (False, True), "gone": (True, False), "never": (False, False)}
    steps = []
    for name, (had, has_new) in wanted.items():
        if had:
            (root / name).write_text("old")
        if has_new:
            (root / "new").mkdir(exist_ok=True)
            (root / "new" / name).write_text("new")
        place, new, aside = (str(root / kind / name) for kind in (".", "new", "before"))
        steps.append(Step(place, new, aside, had=had, has_new=has_new))
    return steps, lambda: {path.name: path.read_text() for path in sorted(root.iterdir()) if path.is_file()}


OLD, NEW = {"both": "old", "gone": "old"}, {"both": "new", "fresh": "new"}


@pytest.mark.parametrize("cut", range(8))
@pytest.mark.parametrize("verb", ["forward", "backward"])
def test_steps_can_be_cut_off_anywhere(tmp_path: Path, verb: str, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, found = steps_in(tmp_path)
    if verb == "backward":
        for step in steps:
            step.forward()
        assert found() == NEW
        (tmp_path / "never").write_text("made since")
    real, left = journal._rename, cut

    def rename(source: str, target: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        real(source, target)

    def run() -> None:
        for step in steps if verb == "forward" else reversed(steps):
            getattr(step, verb)()

    monkeypatch.setattr(journal, "_rename", rename)
    try:
        run()
    except KeyboardInterrupt:
        monkeypatch.setattr(journal, "_rename", real)
        run()
    assert found() == (NEW if verb == "forward" else OLD)
    run()
    assert found() == (NEW if verb == "forward" else OLD), "a second time changes nothing"


def test_a_half_restored_site_is_known(tmp_path: Path) -> None:
    places = places_of(tmp_path)
    states = {"unpacking": False, "switching": True, "done": False, "undoing": True}
    assert not is_half_restored(tmp_path)
    kept = Journal(tmp_path / "openwebui-pocketbase" / "restore.json", "", "a.zip", "now", [])
    for state, is_half in states.items():
        kept.write(state)
        assert is_half_restored(tmp_path) is is_half
        assert Journal.read(places) == kept
    kept.path.write_text("{")
    assert is_half_restored(tmp_path)
    with pytest.raises(BackupError, match="is damaged"):
        Journal.read(places)


def test_an_earlier_restore_is_kept_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are disks that have none."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    places = places_of(tmp_path)
    for name in ("one", "two"):
        last = Journal(tmp_path / RESTORE, "", f"{name}.zip", name, [str(tmp_path / name)])
        last.begin()
        if name == "one":
            last.write("done")
    last.forget()
    found = Journal.read(places)
    assert found is not None
    assert (found.archive, found.state) == ("one.zip", "done")


# --- around it


def test_what_was_only_unpacked_is_removed_while_open_webui_runs(tmp_path: Path) -> None:
    """Else no backup could be made until it is stopped."""
    places = new_site(tmp_path / "data", external=True)
    cut_off = tmp_path / "data" / "openwebui-pocketbase" / "restore-now"
    journal = Journal(places.data_dir / RESTORE, "", "a.zip", "now", [str(cut_off)])
    site = Site(places.data_dir, {}, {}, None)
    running = FileLock.take(places.data_dir / RUNNING, shared=True)
    assert running is not None
    with running, alone(places):
        journal.begin()
        journal.make_areas()
        assert finish_cut_off(site, places)
        assert not cut_off.exists()
        assert not finish_cut_off(site, places)
        journal.write("switching")
        with pytest.raises(BackupError, match="is running"):
            finish_cut_off(site, places)


def test_an_archive_is_found_or_it_is_told_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path / "data", {}, {}, None)
    directory = tmp_path / "backups"
    directory.mkdir()

    def found(name: str) -> Path:
        with archive_named(site, name, directory, in_pocketbase=False) as path:
            return path

    with pytest.raises(BackupError, match=rf"no archives in {directory}(.|\n)*--dir"):
        found("")
    theirs = archive(directory / name_of(NOW, THEIRS))
    with pytest.raises(BackupError, match=rf"1 of other sites(.|\n)*{theirs.name}"):
        found("")
    own = archive(directory / name_of(NOW - timedelta(days=1), named_site(site.data_dir)))
    assert named_site(site.data_dir) == known_site(site.data_dir) in own.name
    assert found("") == own
    assert found(theirs.name) == found(str(theirs)) == theirs
    monkeypatch.chdir(tmp_path)
    here = archive(tmp_path / "here.zip")
    assert found("here.zip") == here
    with pytest.raises(BackupError, match=rf"no archive {directory}/nosuch.zip"):
        Archive(found("nosuch.zip"))


def test_a_lost_pocketbase_has_no_archives(tmp_path: Path) -> None:
    """A new one would not know the bucket."""
    lost = archive_named(Site(tmp_path, {}, {}, None), "", tmp_path / "backups", in_pocketbase=True)
    with pytest.raises(BackupError, match=r"no PocketBase in(.|\n)*bucket"), lost:
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_somebody_else_owns_is_to_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(zipfile, "ZipFile", refused)
    with pytest.raises(BackupError, match="chown"):
        Archive(tmp_path / "a.zip")


def test_a_driver_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'psycopg2'")

    monkeypatch.setattr(hosted, "import_module", missing)
    monkeypatch.setattr(hosted, "_make_importable", lambda _: None)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    with pytest.raises(CompatibilityError, match="pip install psycopg2-binary"):
        hosted.load_database(Site(tmp_path, {}, {}, None))


def test_a_held_file_outlives_its_name(tmp_path: Path) -> None:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a").write_text("a")
    (tmp_path / "elsewhere").write_text("c")
    (tmp_path / "root" / "c").symlink_to(tmp_path / "elsewhere")
    hold(tmp_path / "root", tmp_path / "held")
    (tmp_path / "root" / "sub" / "a").unlink()
    (tmp_path / "root" / "b").write_text("b")
    hold(tmp_path / "root", tmp_path / "held")
    found = {path.name: path.read_text() for path in (tmp_path / "held").rglob("*") if path.is_file()}
    assert found == {"a": "a", "b": "b", "c": "c"}
    assert not (tmp_path / "held" / "c").is_symlink()


def test_room_is_looked_for_first(tmp_path: Path) -> None:
    enough_room({tmp_path / "not" / "there": 1})
    with pytest.raises(BackupError, match="MB are needed"):
        enough_room({tmp_path / "one": 1 << 60, tmp_path / "two": 1})


def test_the_systems_refusals_say_what_to_do() -> None:
    with pytest.raises(BackupError, match=r"No space(.|\n)*Make room"), explained():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(BackupError, match=r"Permission denied(.|\n)*as the user"), explained():
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), "/a")


def test_postgresql_needs_its_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackupError, match=r"pg_dump, pg_restore, psql are not on the PATH(.|\n)*postgresql-client"):
        require_programs()


@pytest.mark.parametrize(
    ("config", "environ", "refused"),
    [
        ("", {}, False),
        ("storage_backend = 'pocketbase'", {}, False),
        ("[pocketbase.embedded]\ndata_dir = '/srv/old'", {}, True),
        ("[pocketbase]\nurl = 'http://old:1'\ntoken = 'x'", {}, True),
        ("[pocketbase.embedded]\ndata_dir = '/srv/old'", {"OPENWEBUI_POCKETBASE_EMBEDDED_DATA_DIR": "here"}, False),
    ],
)
def test_a_config_file_that_leads_elsewhere_is_refused(
    tmp_path: Path, config: str, environ: dict[str, str], refused: bool
) -> None:
    """The next start would make an empty PocketBase where it says, or use another site's."""
    places = places_of(tmp_path)
    site = Site(tmp_path, {name: str(places.pocketbase) for name in environ}, {}, None)
    with pytest.raises(BackupError, match="--keep-config") if refused else nullcontext():
        _require_same_places(site, places, config)
