"""What goes to the hooks' methods, and what comes back."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

__all__ = ["Reply", "encode", "idempotency_key", "lenient_loads", "reply_of"]


class Reply(NamedTuple):
    """The reply of a write.

    Attributes:
        answer: What the method returned.
        first: Number of the first change in the feed that this very write made, None if it made none.
        last: Number of its last change; those in between are also its own.
        changes: What changed in mirrored tables, if that was asked for; see `openwebui_pocketbase.changes.source`.
    """

    answer: Any
    first: int | None
    last: int | None
    changes: dict[str, Any] | None = None


def reply_of(body: bytes) -> Reply:
    """Return the reply of a write.

    Raises:
        JSONDecodeError: It is none.
    """
    try:
        return Reply(**orjson.loads(body))
    except TypeError as error:
        raise orjson.JSONDecodeError("not the reply of a write", body.decode(errors="replace"), 0) from error


def lenient_loads(body: bytes) -> Any:
    """Return what JSON says, with replacement characters for bytes that are no UTF-8.

    Raises:
        JSONDecodeError: It is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.loads(body.decode(errors="replace"))


def encode(parameters: Mapping[str, Any]) -> bytes:
    """Return parameters as JSON.

    Raises:
        UnicodeEncodeError: A text has lone surrogates; SQL drivers raise the same.
        TypeError: A value has no JSON form.
    """
    try:
        return orjson.dumps(parameters)
    except TypeError:
        return json.dumps(parameters, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def idempotency_key(origin: str) -> str:
    """Return a new key that sorts by time, so that the server can prune old ones without an index for it.

    Args:
        origin: Whose write it is; see `openwebui_pocketbase.origin`.
    """
    return f"{time.time_ns() // 1_000_000:012x}-{origin}-{secrets.token_hex(10)}"
