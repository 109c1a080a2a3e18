"""From answers and transport failures to our errors: the one place that decides."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from openwebui_pocketbase.exceptions import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RequestError,
    ResponseError,
    UnauthorizedError,
    UnavailableError,
)

__all__ = ["not_pocketbase", "response_error", "unavailable"]

_BY_STATUS: dict[int, type[ResponseError]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: UnauthorizedError,
    404: NotFoundError,
    409: ConflictError,
}
_HINTS = {
    401: "Check identity and password (or token) of [pocketbase]: they must be those of a superuser.",
    403: "Check identity and password (or token) of [pocketbase]: they must be those of a superuser.",
    413: "The value is larger than the server accepts.",
}
_TRY_LATER = frozenset({429, 502, 503, 504})


def response_error(url: str, status: int, body: bytes) -> RequestError:
    """Return the error of an answer other than 200.

    Args:
        url: Address of the request, for the message.
        status: HTTP status.
        body: The answer; PocketBase's ``{"message", "data", "status"}`` or anything else.
    """
    answer = _parse(body)
    message = f"PocketBase answered {status} to {url}: {answer.get('message') or 'no reason given'}"
    if status in _TRY_LATER or (status >= httpx.codes.INTERNAL_SERVER_ERROR and not answer):
        return UnavailableError(message, url=url, hint="Look at PocketBase's log, or at the proxy before it.")
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    code = answer.get("code") or next((f["code"] for f in data.values() if isinstance(f, dict) and "code" in f), "")
    kind = ConflictError if code == "validation_not_unique" else _BY_STATUS.get(status, ResponseError)
    if kind is InvalidRequestError and not code:
        kind = ResponseError  # PocketBase's word for a hook that crashed, too: not the fault of the data
    return kind(message, url=url, status=status, code=str(code), data=data, hint=_HINTS.get(status, ""))


def unavailable(url: str, cause: Exception) -> UnavailableError:
    """Return the error of a request that got no answer."""
    reason = str(cause) or type(cause).__name__
    return UnavailableError(
        f"PocketBase gave no answer to {url}: {reason}",
        url=url,
        hint="Check that PocketBase runs at this address.",
    )


def not_pocketbase(url: str) -> UnavailableError:
    """Return the error of an answer that PocketBase does not give, such as a proxy's page."""
    return UnavailableError(
        f"What answers at {url} is not PocketBase.",
        url=url,
        hint="Check url of [pocketbase], and the proxy before it.",
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
