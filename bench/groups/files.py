"""Files: 10,000 of one user, every other one with a text of 2 kB; and those of another, which are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from open_webui.models.files import FileForm

from bench.data import LOADED_AT, SCRATCH_USERS, USERS, identifier
from bench.operations import Group, Item, Operation, Row
from openwebui_pocketbase.repositories.files import stored_record

OWNER, WRITER = USERS[0], USERS[1]
OWNED, WRITTEN = 10_000, 200
PAGE = 50
TEXT = "Some words of a page, as they are extracted from a document. " * 34
LONG = TEXT * 500
"""One million characters."""

LONG_FILE = identifier("long file")


def _row(key: str, user_id: str, number: int, text: str) -> Row:
    name = f"Report {number}.pdf"
    data: dict[str, Any] = {"status": "completed", **({"content": text} if text else {})}
    meta = {"name": name, "content_type": "application/pdf", "size": 12_345, "data": {}, "file_hash": "0" * 64}
    return {
        "id": key,
        "user_id": user_id,
        "hash": f"{number:064}",
        "filename": name,
        "path": f"/uploads/{key}_{name}",
        "data": data,
        "meta": {**meta, "collection_name": f"file-{key}"},
        "created_at": LOADED_AT + number,
        "updated_at": LOADED_AT + number * 7919 % OWNED,
    }


def _id(user_id: str, number: int) -> str:
    return identifier(f"file {number} of {user_id}")


def _items() -> Iterator[Item]:
    for user_id, files in ((OWNER, OWNED), (WRITER, WRITTEN)):
        for number in range(files):
            yield {"file": [_row(_id(user_id, number), user_id, number, TEXT if number % 2 else "")]}
    yield {"file": [_row(LONG_FILE, WRITER, WRITTEN, LONG)]}


def _stored(item: Item) -> tuple[str, dict[str, Any]]:
    (row,) = item["file"]
    return "files/insert_new_file", {"id": row["id"], "files": [stored_record(row)], "with_text": False}


def _without_text(number: int) -> tuple[str]:
    return (_id(OWNER, number * 2 % OWNED),)


def _with_text(number: int) -> tuple[str]:
    return (_id(OWNER, (number * 2 + 1) % OWNED),)


def _page(number: int) -> tuple[str, int, int]:
    return OWNER, number % 100, PAGE


def _new(number: int) -> tuple[str, FileForm]:
    user_id = SCRATCH_USERS[number % len(SCRATCH_USERS)]
    key = identifier(f"new file {number}")
    return user_id, FileForm(id=key, filename="a.txt", path=f"/uploads/{key}", data={"status": "pending"})


def _status(number: int) -> dict[str, str]:
    return {"status": ("processing", "completed")[number % 2], "error": str(number)}


def _found(file: Any) -> bool:
    return file is not None


GROUP = Group(
    name="files",
    scratch={"file": "user_id"},
    writes={("file",): _stored},
    items=_items,
    operations=(
        Operation(
            "Files.get_file_by_id",
            "read",
            _without_text,
            _found,
            case="without text",
            limits={"p50_ratio": 0.7, "rate_ratio": 2.5},
        ),
        Operation("Files.get_file_by_id", "read", _with_text, _found, case="with text"),
        Operation(
            "Files.get_file_list",
            "read",
            _page,
            lambda found: len(found.items) == PAGE and found.total == OWNED,
            limits={"p50_ratio": 0.7},
        ),
        Operation(
            "Files.search_files",
            "read",
            lambda number: (OWNER, f"*report {number % 100}*", 0, PAGE),
            lambda files: 0 < len(files) <= PAGE,
        ),
        Operation("Files.get_file_metadatas_by_ids", "read", lambda number: ([*_with_text(number)],), bool),
        Operation("Files.insert_new_file", "write", _new, _found),
        Operation(
            "Files.update_file_name_by_id",
            "write",
            lambda number: (_id(WRITER, number % WRITTEN), f"Renamed {number}.pdf"),
            _found,
        ),
        Operation(
            "Files.update_file_data_by_id",
            "write",
            lambda number: (_id(WRITER, number % WRITTEN), _status(number)),
            _found,
            case="status",
        ),
        Operation(
            "Files.update_file_data_by_id",
            "write",
            lambda number: (LONG_FILE, _status(number)),
            _found,
            case="status, text of 1 MB",
            callers=4,
        ),
    ),
    is_raw=True,
)
