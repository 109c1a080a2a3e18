"""The contents of files in PocketBase, through what the host's ``Storage`` becomes."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import logging
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import ConflictError, RequestError, UnavailableError
from openwebui_pocketbase.host.binding import extend
from openwebui_pocketbase.settings import PocketBaseSettings
from openwebui_pocketbase.storage import contents
from openwebui_pocketbase.storage.cache import PROTECTED, Cache
from openwebui_pocketbase.storage.contents import Contents
from openwebui_pocketbase.storage.paths import parse
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess

OURS = "openwebui_pocketbase.storage.provider:PocketBaseStorage"


def external(server: PocketBaseProcess, data_dir: Path) -> Connection:
    settings = PocketBaseSettings.model_validate({"url": server.url, "identity": IDENTITY, "password": PASSWORD})
    connection = Connection(settings, data_dir)
    connection.open()
    return connection


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    connection = Connection(PocketBaseSettings(), tmp_path_factory.mktemp("embedded"))
    connection.bring_up(connection.open(create=True))
    yield connection
    connection.close()


@pytest.fixture(params=["embedded", "external"])
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """PocketBase whose disk we see, and one that is only reached over HTTP."""
    if request.param == "embedded":
        return request.getfixturevalue("embedded")
    return external(request.getfixturevalue("pocketbase"), tmp_path_factory.mktemp("external"))


def storage_of(connection: Connection, directory: Path, *, limit: int = 1 << 30, retry: float = 5.0) -> Any:
    """Return the host's own storage, extended; it is the object that the host's modules have."""
    from open_webui.storage import provider  # noqa: PLC0415 - as late as the host

    attributes = {
        "contents": Contents(lambda: connection, retry=retry),
        "cache": Cache(directory, limit),
        "max_size": 64 << 20,
    }
    stock = provider.LocalStorageProvider()
    holder: Any = type("Module", (), {"Storage": stock})
    extend(holder, "Storage", OURS, attributes)
    return stock


@pytest.fixture
def storage(connection: Connection, tmp_path: Path) -> Any:
    return storage_of(connection, tmp_path / "cache")


def upload(storage: Any, data: bytes, name: str = "a.txt") -> tuple[Any, str]:
    record = str(uuid.uuid4())
    result: tuple[Any, str] = storage.upload_file(io.BytesIO(data), f"{record}_{name}", {"OpenWebUI-File-Id": record})
    return result


def record_of(path: str) -> str:
    found = parse(path)
    assert found is not None
    return found.id


def left_in(storage: Any) -> list[Path]:
    """Return the files in the cache, but locks."""
    return [path for path in storage.cache._directory.rglob("*") if path.is_file() and path.name != ".lock"]


def traces(storage: Any, path: str) -> list[Path]:
    """Return what is on disk of a file, in the cache and, if we see that, in PocketBase's storage."""
    found = list(storage.cache._directory.rglob(f"{record_of(path)}.*"))
    if data_dir := storage.contents._connect().data_dir:
        found += (data_dir / "storage").glob(f"*/{record_of(path)}/*")
    return found


def test_what_was_stored_comes_back_also_without_the_local_copy(storage: Any) -> None:
    data = os.urandom(300_000)
    contents, path = upload(storage, data, "Größe 1.PDF")
    assert (len(contents), contents.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert hashlib.sha256(contents).digest() == hashlib.sha256(data).digest()
    first = Path(storage.get_file(path))
    assert (first.read_bytes(), first.name, first.suffix) == (data, path.rpartition("/")[2], ".PDF")
    made = first.stat().st_mtime
    storage.cache.clear()
    again = Path(storage.get_file(path))
    assert (again.read_bytes(), again.stat().st_mtime) == (data, made)
    assert again.parent.parent.stat().st_mode & 0o077 == 0
    storage.delete_file(path)


def test_no_token_is_logged(storage: Any, caplog: pytest.LogCaptureFixture) -> None:
    _, path = upload(storage, b"x")
    with caplog.at_level(logging.DEBUG):
        storage.contents.download(storage.contents.describe(record_of(path)), storage.cache._directory / "copy")
    assert "/api/files/owui_files/" in caplog.text
    assert "token=ey" not in caplog.text


def test_stored_files_are_their_owners_alone(storage: Any) -> None:
    _, path = upload(storage, b"x")
    for file in traces(storage, path):
        modes = [each.stat().st_mode & 0o077 for each in (file, file.parent)]
        assert modes == [0, 0], file


def test_deleting_removes_the_unfinished_record_and_is_idempotent(storage: Any) -> None:
    _, path = upload(storage, b"x")
    assert storage.contents.describe(record_of(path)).pending
    storage.delete_file(path)
    storage.delete_file(path)
    assert storage.contents.describe(record_of(path)) is None
    assert traces(storage, path) == []
    assert not Path(storage.get_file(path)).exists()
    assert Path(storage.get_file(path)).name == path.rpartition("/")[2]


def test_contents_of_a_row_are_removed_without_it(storage: Any, connection: Connection) -> None:
    _, path = upload(storage, b"x")
    record = record_of(path)
    with connection.admin(connection.authenticator) as admin:
        admin.send("PATCH", f"/api/collections/owui_files/records/{record}", {"pending": False, "filename": "a"})
    storage.delete_file(path)
    left = storage.contents.describe(record)
    assert (left.name, left.sha256, left.pending) == ("", "", False)
    assert traces(storage, path) == []


def test_what_is_no_name_or_empty_is_refused_as_by_the_host(storage: Any) -> None:
    from open_webui.constants import ERROR_MESSAGES  # noqa: PLC0415 - likewise

    with pytest.raises(ValueError, match="empty") as empty:
        upload(storage, b"")
    assert empty.value.args == (ERROR_MESSAGES.EMPTY_CONTENT,)
    for name in ("", ".", "..", "a/b", "a\0b"):
        with pytest.raises(ValueError, match="no name"):
            storage.upload_file(io.BytesIO(b"x"), name, {})
    long = "漢" * 73 + ".pdf"
    upload(storage, b"x", long[:60])
    with pytest.raises(OSError) as too_long:  # noqa: PT011 - the number says which
        upload(storage, b"x", long)
    assert too_long.value.errno == errno.ENAMETOOLONG


def test_too_large_files_get_the_hosts_error_and_leave_nothing(storage: Any) -> None:
    storage.max_size = 1 << 20
    before = len(storage.contents.list())
    with pytest.raises(HTTPException) as refused:
        upload(storage, bytes((1 << 20) + 1))
    assert refused.value.status_code == 413
    assert "less than 1 MB" in refused.value.detail
    assert len(storage.contents.list()) == before
    assert left_in(storage) == []


def test_paths_of_other_providers_are_the_hosts_own(storage: Any, tmp_path: Path) -> None:
    from open_webui.config import UPLOAD_DIR  # noqa: PLC0415 - likewise

    old = Path(UPLOAD_DIR) / f"{uuid.uuid4()}_old.txt"
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"old")
    assert storage.get_file(str(old)) == str(old)
    storage.delete_file(str(old))
    assert not old.exists()
    for wrong in ("pb://", "pb://../../x", "pb://a/../b", "pb://A/x"):
        with pytest.raises(ValueError, match="no path"):
            storage.get_file(wrong)


def test_contents_replaced_in_the_dashboard_are_the_new_ones(storage: Any, connection: Connection) -> None:
    _, path = upload(storage, b"old")
    old = Path(storage.get_file(path))
    response = httpx.patch(
        f"{connection.url}/api/collections/owui_files/records/{record_of(path)}",
        headers={"Authorization": connection.authenticator.current},
        files={"contents": ("b.txt", b"the new ones")},
        trust_env=False,
    )
    assert response.is_success
    assert Path(storage.get_file(path)).read_bytes() == b"the new ones"
    assert old.read_bytes() == b"old"  # whoever opens it still can
    assert storage.contents.describe(record_of(path)).sha256 == ""
    storage.delete_file(path)


def test_one_download_for_twenty_callers(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(2_000_000)
    _, path = upload(storage, data)
    storage.cache.clear()
    made: list[str] = []
    for name in ("link", "download"):
        stock = getattr(storage.contents, name)

        def counted(contents: Any, path: Path, stock: Any = stock, name: str = name) -> Any:
            time.sleep(0.02)
            made.append(name)
            return stock(contents, path)

        monkeypatch.setattr(storage.contents, name, counted)
    with ThreadPoolExecutor(20) as pool:
        paths = set(pool.map(storage.get_file, [path] * 20))
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == data
    assert made in (["link"], ["link", "download"])
    storage.delete_file(path)


async def test_on_the_event_loop_nobody_is_asked(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = await asyncio.to_thread(upload, storage, b"text")
    monkeypatch.setattr(storage.contents, "describe", None)
    found = Path(storage.get_file(path))
    assert await asyncio.to_thread(found.read_bytes) == b"text"
    storage.cache.clear()
    missing = Path(storage.get_file(path))
    assert not await asyncio.to_thread(missing.exists)


def test_damaged_contents_are_not_given_out(tmp_path: Path, own_pocketbase: PocketBaseProcess) -> None:
    storage = storage_of(external(own_pocketbase, tmp_path), tmp_path / "cache", retry=0.0)
    _, path = upload(storage, b"right")
    storage.cache.clear()
    (stored,) = (own_pocketbase.data_dir / "storage").glob(f"*/{record_of(path)}/*.txt")
    stored.write_bytes(b"wrong")
    with pytest.raises(UnavailableError, match="checksum"):
        storage.get_file(path)
    assert list(storage.cache._directory.rglob(f"{record_of(path)}.*")) == []


def test_pocketbase_killed_in_the_middle_of_a_download(tmp_path: Path, own_pocketbase: PocketBaseProcess) -> None:
    """It goes on where it was, with the server that comes back."""
    connection = external(own_pocketbase, tmp_path)
    storage = storage_of(connection, tmp_path / "cache", retry=20.0)
    data = os.urandom(30_000_000)
    _, path = upload(storage, data)
    storage.cache.clear()
    begun = threading.Event()
    asked: list[str] = []
    stock = AdminClient.stream

    class Slow:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __enter__(self) -> Any:
            response = self.stream.__enter__()
            pieces = response.iter_raw

            def slow(size: int) -> Iterator[bytes]:
                for piece in pieces(size):
                    yield piece
                    begun.set()
                    time.sleep(0.02)

            response.iter_raw = slow
            return response

        def __exit__(self, *error: object) -> Any:
            return self.stream.__exit__(*error)

    def stream(self: AdminClient, path: str, headers: dict[str, str]) -> Slow:
        asked.append(headers.get("Range", ""))
        return Slow(stock(self, path, headers))

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(AdminClient, "stream", stream)
        got = pool.submit(storage.get_file, path)
        assert begun.wait(10)
        own_pocketbase.kill()
        own_pocketbase.start()
        assert Path(got.result(30)).read_bytes() == data
    assert asked[0] == ""
    assert asked[-1].startswith("bytes=")


def test_pocketbase_killed_in_the_middle_of_an_upload(tmp_path: Path, own_pocketbase: PocketBaseProcess) -> None:
    """It is sent again to the server that comes back; if none comes, nothing stays."""
    connection = external(own_pocketbase, tmp_path)
    storage = storage_of(connection, tmp_path / "cache", retry=20.0)
    stock, sent = contents._send, []

    def killing(*arguments: Any) -> None:
        sent.append(1)
        if len(sent) == 1:
            own_pocketbase.kill()
            own_pocketbase.start()
            raise UnavailableError("cut off", url="")
        stock(*arguments)

    def lost(*arguments: Any) -> None:
        stock(*arguments)
        sent.append(1)
        raise UnavailableError("the answer was lost", url="")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "_send", killing)
        _, path = upload(storage, b"one")
        assert Path(storage.get_file(path)).read_bytes() == b"one"
        assert len(sent) == 2
        patch.setattr(contents, "_send", lost)
        _, path = upload(storage, b"two")
        assert Path(storage.get_file(path)).read_bytes() == b"two"
        assert len(sent) == 3
    own_pocketbase.kill()
    storage = storage_of(connection, tmp_path / "other", retry=0.0)
    with pytest.raises(RequestError):
        upload(storage, b"three")
    assert left_in(storage) == []
    own_pocketbase.start()
    assert len(storage.contents.list()) == 2


def test_a_lost_answer_of_an_adopted_file_is_settled(embedded: Connection, tmp_path: Path) -> None:
    storage = storage_of(embedded, tmp_path / "cache")
    stock, lost = contents._adopt, []

    def losing(*arguments: Any) -> Any:
        stock(*arguments)
        lost.append(1)
        raise UnavailableError("the answer was lost", url="")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "_adopt", losing)
        _, path = upload(storage, b"here")
    storage.cache.clear()
    assert Path(storage.get_file(path)).read_bytes() == b"here"
    assert lost == [1]


def test_an_id_is_not_taken_twice(storage: Any) -> None:
    tags = {"OpenWebUI-File-Id": str(uuid.uuid4())}
    _, path = storage.upload_file(io.BytesIO(b"one"), "a.txt", tags)
    with pytest.raises(ConflictError):
        storage.upload_file(io.BytesIO(b"two"), "a.txt", tags)
    assert Path(storage.get_file(path)).read_bytes() == b"one"
    storage.delete_file(path)


def test_unfinished_uploads_are_collected_when_they_are_old(storage: Any) -> None:
    _, path = upload(storage, b"x")
    assert storage.contents.collect(3600) == 0
    assert storage.contents.describe(record_of(path))
    assert storage.contents.collect(-5) >= 1
    assert storage.contents.describe(record_of(path)) is None


def test_links_are_safe_against_deletion_and_survive_in_the_cache(embedded: Connection, tmp_path: Path) -> None:
    """The copy and PocketBase's file are one; each name of it is removed alone."""
    storage = storage_of(embedded, embedded.data_dir.parent / "cache")  # type: ignore[union-attr]  # embedded
    contents, path = upload(storage, b"kept")
    copy = Path(storage.get_file(path))
    assert copy.stat().st_nlink == 2
    storage.cache.clear()
    assert Path(storage.get_file(path)).stat().st_nlink == 2  # linked, not fetched
    storage.contents.remove(record_of(path))
    assert contents[:] == b"kept"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's figures of memory")
def test_no_file_is_held_in_memory(storage: Any) -> None:
    """Four at once, of 60 MB each."""
    piece = os.urandom(1 << 20)

    class Large(io.RawIOBase):
        left = 60

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return piece if self.left >= 0 else b""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def send_and_fetch(_: int) -> None:
        tags = {"OpenWebUI-File-Id": str(uuid.uuid4())}
        _, path = storage.upload_file(Large(), "large.bin", tags)
        storage.cache.drop(tags["OpenWebUI-File-Id"])
        assert Path(storage.get_file(path)).stat().st_size == 60 << 20
        storage.delete_file(path)

    before = peak = resident()
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(send_and_fetch, number) for number in range(4)]
        while not all(each.done() for each in running):
            peak = max(peak, resident())
            time.sleep(0.005)
    for each in running:
        each.result()
    assert peak - before < 60 << 20


@pytest.mark.parametrize("stage", ["copy", "download"])
def test_a_full_disk_leaves_nothing(storage: Any, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = upload(storage, b"x")
    storage.cache.clear()
    before = len(storage.contents.list())

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((storage, "_write") if stage == "copy" else (storage.contents, "link")), full)
    with pytest.raises(OSError, match="No space"):
        _ = upload(storage, b"y") if stage == "copy" else storage.get_file(path)
    assert len(storage.contents.list()) == before
    assert list(storage.cache._directory.glob(".new-*")) == []


def test_the_cache_is_bounded_and_spares_what_is_in_use(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", limit=3000)
    for number in range(5):
        with cache.staging() as directory:
            staged = directory / "a.mp3"
            staged.write_bytes(bytes(500))
            copy = cache.add(staged, f"id-{number}", "v")
        copy.with_suffix(".json").write_bytes(bytes(500))  # as the host's transcriptions
    for number in range(5):
        long_ago = time.time() - PROTECTED - 100 + number
        (directory,) = cache._directory.glob(f"*/id-{number}.v")
        os.utime(directory, (long_ago, long_ago))
    assert cache.find("id-0", "v", "a.mp3")  # it is in use again
    cache.trim()
    assert sorted(path.name for path in cache._directory.glob("*/id-*")) == ["id-0.v", "id-3.v", "id-4.v"]
    shutil.rmtree(tmp_path / "cache")
    assert cache.find("id-0", "v", "a.mp3") is None
