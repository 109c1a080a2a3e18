"""Files over HTTP: what people upload, in PocketBase and in Open WebUI's own storage."""

from __future__ import annotations

import hashlib
import os
import unicodedata
import wave
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from openwebui_pocketbase.storage.paths import parse
from tests.support.openwebui import OpenWebUI
from tests.support.processes import eventually

pytest_plugins = ["tests.support.openwebui"]

FILES = "/api/v1/files/"


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def wav(path: Path) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return path.read_bytes()


def pdf() -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj %s endobj\n" % (number, each)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer << /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)


def upload(instance: OpenWebUI, name: str, data: bytes, kind: str, **query: Any) -> httpx.Response:
    return instance.request(
        "admin", "POST", FILES, files={"file": (name, data, kind)}, params={"process": False, **query}, timeout=120
    )


def told(response: httpx.Response) -> Any:
    """Return what a reply says, without what differs between any two replies."""
    if response.headers["content-type"] != "application/json":
        return response.status_code, response.headers["content-type"], response.content
    answer = response.json()
    if isinstance(answer, dict):
        file_id = answer.get("id", "-")
        answer = {
            key: value for key, value in answer.items() if not key.endswith("_at") and key not in {"id", "user_id"}
        }
        if path := answer.pop("path", None):
            answer["named"] = os.path.basename(path).replace(file_id, "ID")  # noqa: PTH119 - as the host takes it
        if found := answer.get("hash"):
            answer["hash"] = len(found)
    return response.status_code, answer


def downloads(instance: OpenWebUI, file_id: str) -> list[Any]:
    """Return what several ways to read a file give."""
    url = f"{FILES}{file_id}/content"
    kept = ("content-type", "content-disposition", "content-length", "content-range", "accept-ranges")
    asked = [
        ("GET", url, {}),
        ("GET", f"{url}?attachment=true", {}),
        ("GET", f"{url}/name.txt", {}),
        ("GET", f"{url}/html", {}),
        ("GET", url, {"Range": "bytes=2-5"}),
        ("GET", url, {"Range": "bytes=99999999999-"}),
        ("HEAD", url, {}),
    ]
    replies = []
    for method, address, headers in asked:
        reply = instance.http.request(method, address, headers={**instance.headers("admin"), **headers})
        shown = {name: reply.headers.get(name) for name in kept}
        replies.append((reply.status_code, shown, hashlib.sha256(reply.content).hexdigest()))
    return replies


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, str]]:
    return {
        "a.txt": ("Grüße\n".encode() * 20, "text/plain"),
        "a.ts": (b"const a = 1;\n", "video/mp2t"),
        "a.pdf": (pdf(), "application/pdf"),
        "a.png": (png(), "image/png"),
        "a.wav": (wav(tmp_path_factory.mktemp("wav") / "a.wav"), "audio/wav"),
        "a.bin": (os.urandom(5_000_000), "application/octet-stream"),
        "empty.txt": (b"", "text/plain"),
    }


NAMES = [
    "schön.txt",
    unicodedata.normalize("NFD", "schön.txt"),
    "漢" * 73 + ".pdf",
    "漢" * 86 + ".pdf",
    "a/b.txt",
    "..",
    ".hidden",
    "name",
    "n" * 300 + ".txt",
    'quo"te.txt',
    "a%2Fb.txt",
    "same.txt",
    "same.txt",
]


def test_kinds_of_files(stock: OpenWebUI, embedded: OpenWebUI, kinds: dict[str, tuple[bytes, str]]) -> None:
    for name, (data, kind) in kinds.items():
        ours, theirs = (upload(each, name, data, kind) for each in (embedded, stock))
        assert told(ours) == told(theirs), name
        if not ours.is_success:
            continue
        file_id, other = ours.json()["id"], theirs.json()["id"]
        with embedded.admin() as admin:
            path = admin.send("GET", f"/api/collections/owui_files/records/{file_id}")["path"]
        assert parse(path)
        assert downloads(embedded, file_id) == downloads(stock, other), name
        renamed = [
            each.request("admin", "POST", f"{FILES}{file}/rename", json={"filename": f"new {name}"})
            for each, file in ((embedded, file_id), (stock, other))
        ]
        assert told(renamed[0]) == told(renamed[1])
        assert downloads(embedded, file_id) == downloads(stock, other), name
        deleted = [
            each.request("admin", "DELETE", FILES + file) for each, file in ((embedded, file_id), (stock, other))
        ]
        assert told(deleted[0]) == told(deleted[1])
        assert downloads(embedded, file_id) == downloads(stock, other), name
        assert list((embedded.data_dir / "pocketbase" / "storage").glob(f"*/{file_id}/*")) == []
        assert list((embedded.data_dir / "openwebui-pocketbase" / "files").glob(f"*/{file_id}*")) == []


@pytest.mark.parametrize("name", NAMES)
def test_names(stock: OpenWebUI, embedded: OpenWebUI, name: str) -> None:
    ours, theirs = (upload(each, name, b"contents", "text/plain") for each in (embedded, stock))
    assert told(ours) == told(theirs)
    if ours.is_success:
        assert downloads(embedded, ours.json()["id"]) == downloads(stock, theirs.json()["id"])


def end_of_processing(instance: OpenWebUI, url: str) -> str:
    """Return how the processing of a file has ended, and nothing as long as it goes on."""
    status = str(instance.request("admin", "GET", f"{url}/process/status").json()["status"])
    return status if status in {"completed", "failed"} else ""


def test_text_is_extracted_and_found(
    stock: OpenWebUI, embedded: OpenWebUI, kinds: dict[str, tuple[bytes, str]]
) -> None:
    for name in ("a.txt", "a.ts", "a.png"):
        data, kind = kinds[name]
        results = []
        for each in (embedded, stock):
            made = upload(each, name, data, kind, process=True)
            url = f"{FILES}{made.json()['id']}"
            status = eventually(partial(end_of_processing, each, url), "it is processed")
            results.append((status, told(each.request("admin", "GET", f"{url}/data/content"))))
        assert results[0] == results[1], name


def test_large_files_come_back_whole(embedded: OpenWebUI) -> None:
    data = os.urandom(1 << 20) * 200
    made = upload(embedded, "large.bin", data, "application/octet-stream")
    assert made.is_success, made.text
    reply = embedded.request("admin", "GET", f"{FILES}{made.json()['id']}/content", timeout=120)
    assert hashlib.sha256(reply.content).digest() == hashlib.sha256(data).digest()
    assert embedded.request("admin", "DELETE", FILES + made.json()["id"]).is_success


def test_many_readers_of_a_file_without_a_copy(embedded: OpenWebUI) -> None:
    data = os.urandom(3_000_000)
    file_id = upload(embedded, "many.bin", data, "application/octet-stream").json()["id"]
    for copy in (embedded.data_dir / "openwebui-pocketbase" / "files").glob(f"*/{file_id}*"):
        copy.rename(copy.with_name(f".old-{file_id}"))
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: embedded.request("admin", "GET", f"{FILES}{file_id}/content"), range(20)))
    assert {reply.content == data for reply in replies} == {True}


def test_two_workers_have_one_copy(two_workers: OpenWebUI) -> None:
    """Whichever answers: each opens a copy that the other may have made, and sees what the other deleted."""
    headers = {"X-Email": "admin@example.com", **two_workers.headers("admin")}
    data = os.urandom(500_000)

    def get(file_id: str) -> httpx.Response:
        with two_workers.client() as http:
            return http.get(f"{FILES}{file_id}/content", headers=headers)

    with two_workers.client() as http:
        made = http.post(FILES, files={"file": ("two.bin", data)}, params={"process": False}, headers=headers)
        file_id = made.json()["id"]
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(get, [file_id] * 20))
        assert {(reply.content == data, reply.headers["etag"]) for reply in replies} == {
            (True, replies[0].headers["etag"])
        }
        assert len(list((two_workers.data_dir / "openwebui-pocketbase" / "files").glob(f"*/{file_id}*"))) == 1
        assert http.delete(FILES + file_id, headers=headers).is_success
    assert {get(file_id).status_code for _ in range(6)} == {404}


def test_nobody_reads_copies_or_contents_of_others(embedded: OpenWebUI) -> None:
    file_id = upload(embedded, "secret.txt", b"secret", "text/plain").json()["id"]
    assert embedded.request("mallory", "GET", f"{FILES}{file_id}/content").status_code == 404
    (copy,) = (embedded.data_dir / "openwebui-pocketbase" / "files").glob(f"*/{file_id}*/*")
    cached = copy.relative_to(embedded.data_dir)
    for path in (f"/cache/{cached}", f"/cache/../{cached}", f"/cache/%2e%2e/{cached}"):
        assert embedded.request("mallory", "GET", path).content != b"secret"
    assert (copy.parent.parent.stat().st_mode & 0o077, copy.parent.stat().st_mode & 0o077) == (0, 0)
    (stored,) = (embedded.data_dir / "pocketbase" / "storage").glob(f"*/{file_id}/*")
    url = f"{embedded.pocketbase.url}/api/files/owui_files/{file_id}/{stored.name}"
    assert httpx.get(url, trust_env=False).status_code == 404


def test_all_files_are_deleted_old_ones_as_well(embedded: OpenWebUI) -> None:
    old = embedded.data_dir / "uploads" / "old.txt"
    old.write_bytes(b"of before")
    file_id = upload(embedded, "all.txt", b"x", "text/plain").json()["id"]
    embedded.request("admin", "POST", "/api/v1/retrieval/reset/uploads")
    assert embedded.request("admin", "GET", f"{FILES}{file_id}/content").content == b"x"
    old.write_bytes(b"of before")
    assert embedded.request("admin", "DELETE", f"{FILES}all").is_success
    assert not old.exists()
    assert embedded.request("admin", "GET", FILES).json()["total"] == 0
    assert [path for path in (embedded.data_dir / "pocketbase" / "storage").glob("*/*/*") if path.is_file()] == []
