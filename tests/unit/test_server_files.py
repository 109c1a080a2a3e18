"""The embedded server's files: locks, credentials, the run directory."""

from __future__ import annotations

import json
import logging
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.code import copy_code, digest_of, fingerprint
from openwebui_pocketbase.server.credentials import obtain_credentials, read_credentials
from openwebui_pocketbase.server.locks import FileLock, PinnedFile, has_shared_holders, is_locked
from openwebui_pocketbase.server.permissions import tighten, tighten_tree
from openwebui_pocketbase.server.pocketbase import ServeOptions, open_log
from openwebui_pocketbase.server.rundir import RunDir, ServerState

STATE = ServerState("http://127.0.0.1:8090", 8090, supervisor=11, pocketbase=12, ready=True)


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    run_dir = RunDir(tmp_path / "data")
    run_dir.create()
    return run_dir


# --- locks


def test_an_exclusive_lock_excludes_all(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = FileLock.take(path)
    assert lock
    assert FileLock.take(path) is None
    assert FileLock.take(path, shared=True) is None
    assert is_locked(path)
    assert not has_shared_holders(path)
    lock.close()
    assert not is_locked(path)


def test_shared_locks_exclude_exclusive_ones_only(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = FileLock.take(path, shared=True), FileLock.take(path, shared=True)
    assert first
    assert second
    first.close()
    assert FileLock.take(path) is None
    assert not is_locked(path)
    assert has_shared_holders(path)
    second.close()
    assert not has_shared_holders(path)


def test_a_pinned_file_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(FileNotFoundError):
        PinnedFile(path)
    path.touch()
    pinned = PinnedFile(path)
    assert pinned.is_current()
    path.rename(tmp_path / "aside")
    assert not pinned.is_current()
    path.touch()
    assert not pinned.is_current()
    elsewhere = FileLock.take(path)
    assert elsewhere
    assert pinned.lock()  # what is locked under the path by now does not matter
    elsewhere.close()


def test_a_look_at_a_lock_makes_no_file(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "lock")
    assert not has_shared_holders(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


# --- permissions


def test_rights_of_others_are_taken_below_a_directory_and_not_behind_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "file").touch(mode=0o644)
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True, mode=0o755)
    (tree / "a" / "file").touch(mode=0o664)
    (tree / "link").symlink_to(outside)
    (tree / "broken").symlink_to(tmp_path / "nowhere")
    assert tighten_tree(tree) == []
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tree, tree / "a", tree / "a" / "file", outside)}
    assert modes == {"tree": 0o700, "a": 0o700, "file": 0o600, "outside": 0o755}
    assert (outside / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [(PermissionError(1, "Operation not permitted"), "Operation not permitted"), (None, "keeps its mode")],
)
def test_modes_that_cannot_be_changed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError | None, reason: str
) -> None:
    """Mounts that know no modes refuse to change them, or say that they did."""

    def chmod(*_: object) -> None:
        if refusal:
            raise refusal

    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", chmod)
    assert reason in tighten(tmp_path)
    run_dir = RunDir(tmp_path)
    run_dir.create()  # a warning, no error
    assert obtain_credentials(run_dir.superuser) == obtain_credentials(run_dir.superuser)


# --- the code


def test_code_is_copied_as_it_is_now(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "below").mkdir(parents=True)
    (source / "main.pb.js").write_text("1")
    (source / "below" / "other.js").write_text("2")
    before = digest_of(source)
    for path in (source / "main.pb.js", source / "below", source):  # an installed package can be read-only
        path.chmod(0o555)
    for _ in range(2):
        copy_code(source, target)
        assert digest_of(target) == before
    source.chmod(0o755)
    (source / "main.pb.js").rename(source / "renamed.pb.js")
    assert digest_of(source) != before
    copy_code(source, target)
    assert not (target / "main.pb.js").exists()


def test_further_files_come_beside_the_code_and_make_it_other_code(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "owui").mkdir(parents=True)
    (source / "owui" / "tables.json").write_text("1")
    further = {"owui/plugins/a.json": "ä"}
    copy_code(source, target, further)
    assert (target / "owui" / "tables.json").read_text() == "1"
    assert (target / "owui" / "plugins" / "a.json").read_text(encoding="utf-8") == "ä"
    copy_code(source, target)
    assert not (target / "owui" / "plugins").exists()
    options = ServeOptions(sys.executable, str(tmp_path), str(source), str(source), "127.0.0.1", 0)
    plain = fingerprint(options)
    assert fingerprint(replace(options, further_hooks={})) == plain
    assert len({plain, *(fingerprint(replace(options, further_hooks={"a.json": text})) for text in "12")}) == 3


# --- credentials


def test_credentials_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "superuser.json"
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: obtain_credentials(path), range(16)))
    assert len(set(made)) == 1
    assert 40 <= len(made[0].password) <= 71
    assert "@" in made[0].identity
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert obtain_credentials(path) == made[0]
    assert made[0].password not in repr(made[0])


def test_credentials_of_an_older_version_get_a_key(tmp_path: Path) -> None:
    path = tmp_path / "superuser.json"
    path.touch(mode=0o600)
    path.write_text('{"identity": "a@b.c", "password": "secret"}')
    assert read_credentials(path) is None
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: obtain_credentials(path), range(16)))
    assert len(set(made)) == 1
    assert (made[0].identity, made[0].password) == ("a@b.c", "secret")
    assert len(made[0].key) >= 40
    assert made[0].key not in repr(made[0])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_credentials(path) == made[0]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"identity": "a@b.c", "password": ""}', "\0\xff"])
def test_credentials_without_content_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "superuser.json"
    path.touch(mode=0o600)
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ServerError, match="no identity and password"):
        obtain_credentials(path)
    assert path.read_text(encoding="latin-1") == content


def test_credentials_behind_a_link_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "superuser.json"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerError, match="Cannot open"):
        obtain_credentials(path)
    assert not (tmp_path / "elsewhere").exists()


# --- run directory


def test_a_state_is_written_retired_and_remembered(run_dir: RunDir) -> None:
    assert run_dir.read_state() is run_dir.read_previous_state() is None
    run_dir.write_state(STATE)
    assert run_dir.read_state() == STATE
    run_dir.retire_state()
    run_dir.retire_state()
    assert run_dir.read_state() is None
    assert run_dir.read_previous_state() == STATE


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1:8090"}'])
def test_a_state_of_another_version_says_nothing(run_dir: RunDir, content: str) -> None:
    (run_dir.path / "server.json").write_text(content)
    assert run_dir.read_state() is None


def test_equal_failures_can_be_told_apart(run_dir: RunDir) -> None:
    assert run_dir.read_failure() is None
    failures = []
    for _ in range(2):
        run_dir.write_failure(ServerError("It failed.", hint="Try again."))
        failures.append(run_dir.read_failure())
    assert failures[0]
    assert (failures[0].message, failures[0].hint) == ("It failed.", "Try again.")
    assert failures[0] != failures[1]
    run_dir.clear_failure()
    run_dir.clear_failure()
    assert run_dir.read_failure() is None


def test_the_directory_is_private(run_dir: RunDir) -> None:
    assert stat.S_IMODE(run_dir.path.stat().st_mode) == 0o700
    run_dir.write_state(STATE)
    assert json.loads((run_dir.path / "server.json").read_text())["port"] == STATE.port


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a place where not even root may write")
def test_a_directory_that_cannot_be_made() -> None:
    with pytest.raises(ServerError, match="cannot be created") as raised:
        RunDir(Path("/proc/nowhere")).create()
    assert "data_dir" in raised.value.hint


def test_the_log_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openwebui_pocketbase.server.pocketbase.LOG_BYTES", 100)
    log = open_log(tmp_path / "pocketbase.log")
    for number in range(100):
        log.handle(logging.makeLogRecord({"msg": f"line {number:03} with 100% of its text"}))
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["pocketbase.log", *(f"pocketbase.log.{n}" for n in range(1, 5))]
    assert files[0].read_text().endswith("line 099 with 100% of its text\n")
