"""Turning replies and transport failures into our errors: the one place that decides.

Only an `UnavailableError` may pass by itself, and only a request that got one is repeated.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin

import httpx
import orjson

from openwebui_pocketbase.exceptions import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotPocketBaseError,
    RequestError,
    ResponseError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)

__all__ = ["TRY_LATER", "encoded", "not_pocketbase", "response_error", "unavailable"]

TRY_LATER = frozenset({429, 502, 503, 504})
"""Statuses of a server, or of a proxy before it, that may pass by themselves."""

_BY_STATUS: dict[int, type[ResponseError]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: UnauthorizedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
}
_CREDENTIALS = "identity and password (or token) of [pocketbase]: they must be those of a superuser"
_HINTS = {
    401: f"The token is wrong, expired or revoked. Check {_CREDENTIALS}.",
    403: f"Check {_CREDENTIALS}. If they are, this machine may be missing from the superuser IPs (superuserIPs)"
    " in PocketBase's settings.",
    413: "PocketBase takes up to 512 MB in one request; what was to be stored is larger.",
}
_ALWAYS_JSON = frozenset({401, 403, 404})
"""Statuses with which PocketBase sends JSON, and proxies their pages."""
_NONE: Mapping[str, str] = MappingProxyType({})


def response_error(url: str, status: int, body: bytes, headers: Mapping[str, str] = _NONE) -> RequestError:
    """Return the error of a reply that is not the expected one.

    Args:
        url: Address of the request, for the message.
        status: HTTP status.
        body: The reply; PocketBase's ``{"message", "data", "status"}`` or anything else.
        headers: The reply's headers, their names in lower case; only those that `Answer` names matter.
    """
    if httpx.codes.is_redirect(status):
        return _redirected(url, status, headers.get("location", ""))
    if httpx.codes.is_success(status):
        return not_pocketbase(url, f"it answered {status}, which PocketBase does not here")
    answer = _parse(body)
    if status in _ALWAYS_JSON and answer is None:
        return not_pocketbase(url, f"it answered {status} with a page of its own")
    message = f"PocketBase answered {status} to {url}: {(answer or {}).get('message') or 'no reason given'}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        hint = "Add this machine's address to the IPs that PocketBase's rate limits exclude, or raise the limits."
        return TooManyRequestsError(message, url=url, hint=hint, retry_after=_seconds(headers.get("retry-after", "")))
    if status in TRY_LATER or (status >= httpx.codes.INTERNAL_SERVER_ERROR and not answer):
        return UnavailableError(
            message,
            url=url,
            hint="Look at PocketBase's output, or at the proxy before it.",
            retry_after=_seconds(headers.get("retry-after", "")),
        )
    return _of_pocketbase(message, url, status, answer)


def unavailable(url: str, cause: Exception) -> UnavailableError:
    """Return the error of a request that got no reply."""
    reason = str(cause) or type(cause).__name__
    return UnavailableError(
        f"PocketBase gave no answer to {url}: {reason}",
        url=url,
        hint="Check that PocketBase runs at this address.",
    )


def not_pocketbase(url: str, why: str = "it answered with something else than JSON") -> NotPocketBaseError:
    """Return the error of a reply that PocketBase does not give, such as a proxy's page."""
    return NotPocketBaseError(
        f"What answers at {url} is not PocketBase: {why}.",
        url=url,
        hint="Check url of [pocketbase], and the proxy before it.",
    )


def encoded(url: str, encoding: str) -> NotPocketBaseError:
    """Return the error of a reply in an encoding that nobody asked for and we cannot undo."""
    return NotPocketBaseError(
        f"The answer from {url} is compressed ({encoding}), though it was asked for as it is.",
        url=url,
        hint="Turn compression off in the proxy before PocketBase.",
    )


def _of_pocketbase(message: str, url: str, status: int, answer: dict[str, Any] | None) -> ResponseError:
    """Return the error which PocketBase itself, or one of our hooks, gave."""
    hint = _HINTS.get(status, "")
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        message = f"The request is too large for {url} (413)."
        if answer is None:
            hint = "The proxy before PocketBase refused it: raise its limit (client_max_body_size of nginx)."
    answer = answer or {}
    if status == httpx.codes.UNAUTHORIZED and "mfaId" in answer:
        message = f"PocketBase asks for a second factor (MFA) behind the password, at {url}."
        hint = (
            "Turn MFA off for the collection _superusers, or set [pocketbase] token instead of identity and password:"
            " a superuser's token, as its menu item Impersonate in the dashboard makes it."
        )
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    code = answer.get("code") or next((f["code"] for f in data.values() if isinstance(f, dict) and "code" in f), "")
    kind = ConflictError if code == "validation_not_unique" else _BY_STATUS.get(status, ResponseError)
    if kind is InvalidRequestError and not code:
        kind = ResponseError  # also PocketBase's word for a hook that crashed: not the fault of the data
    return kind(message, url=url, status=status, code=str(code), data=data, hint=hint)


def _redirected(url: str, status: int, location: str) -> NotPocketBaseError:
    """Return the error of a redirect: following it could carry credentials anywhere."""
    target = urljoin(url, location).partition("?")[0]
    base, has_api, _ = target.partition("/api/")
    hint = f"Set url of [pocketbase] to {base}" if has_api else "Check url of [pocketbase], and the proxy before it."
    return NotPocketBaseError(f"{url} is redirected ({status}) to {target}.", url=url, hint=hint)


def _seconds(retry_after: str) -> float:
    """Return the value of a ``Retry-After`` header, a number of seconds or a date, in seconds; 0 if it is neither."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0


def _parse(body: bytes) -> dict[str, Any] | None:
    """Return a JSON object, or None for anything else."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None
