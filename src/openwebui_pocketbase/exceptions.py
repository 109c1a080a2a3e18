"""Every error this package raises, in one tree.

OpenWebUIPocketBaseError
    ConfigurationError            the settings are wrong, or say what this version cannot do
    CompatibilityError            the installed Open WebUI is not one we know how to extend
    SchemaError                   the PocketBase server's schema or hooks do not fit this version
    ServerError                   the embedded PocketBase server cannot be started or kept running
    SwitchError                   the running workers of Open WebUI do not go on with other backends
    BackupError                   a backup cannot be made or restored, or is damaged
        UnchangedError            PostgreSQL's tables cannot be replaced, and are as they were
    MovedTableError               other code uses an SQL table whose rows are in PocketBase
    RequestError                  one request to PocketBase failed
        UnavailableError          no usable answer, which may pass: refused, cut off, timed out, too many requests, 5xx
            TooManyRequestsError  429: PocketBase's rate limits, or a proxy's
            UntrustedServerError  the server has not proved that it is ours
        NotPocketBaseError        another server answered: a proxy's page, a redirect
        ResponseError             PocketBase answered with an error
            InvalidRequestError   400 with a code: a value is not acceptable
            UnauthorizedError     401 or 403: the credentials are not those of a superuser
            NotFoundError         404: no such route, collection or record
            ConflictError         409: a unique key is taken, or a version check failed
            TooLargeError         413: the request is larger than the server, or a proxy before it, accepts

Messages carry what failed and what to do; never a token or a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BackupError",
    "CompatibilityError",
    "ConfigurationError",
    "ConflictError",
    "InvalidRequestError",
    "MovedTableError",
    "NotFoundError",
    "NotPocketBaseError",
    "OpenWebUIPocketBaseError",
    "RequestError",
    "ResponseError",
    "SchemaError",
    "ServerError",
    "SwitchError",
    "TooLargeError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnavailableError",
    "UnchangedError",
    "UntrustedServerError",
]


class OpenWebUIPocketBaseError(Exception):
    """Base of all errors of this package.

    Attributes:
        hint: What the reader can do about it, or ``""``.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  What to do: {self.hint}" if self.hint else message


class ConfigurationError(OpenWebUIPocketBaseError):
    """The settings are wrong, contradict each other, or name what this version does not have."""


class CompatibilityError(OpenWebUIPocketBaseError):
    """The installed Open WebUI differs from the versions this package was made for."""


class SchemaError(OpenWebUIPocketBaseError):
    """The PocketBase server's schema or hooks are missing, too old or too new."""


class ServerError(OpenWebUIPocketBaseError):
    """The embedded PocketBase server cannot be started, or does not stay up."""


class SwitchError(OpenWebUIPocketBaseError):
    """The running workers of Open WebUI did not all do what a switch to other backends needs."""


class BackupError(OpenWebUIPocketBaseError):
    """A backup cannot be made or restored, or is damaged."""


class UnchangedError(BackupError):
    """PostgreSQL's tables cannot be replaced, and are as they were."""


class MovedTableError(OpenWebUIPocketBaseError):
    """A statement that is not this package's reads or writes an SQL table whose rows are in PocketBase."""


class RequestError(OpenWebUIPocketBaseError):
    """One request to PocketBase failed.

    Attributes:
        url: Address of the request, without query and credentials.
    """

    def __init__(self, message: str, *, url: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.url = url


class UnavailableError(RequestError):
    """PocketBase gave no usable answer, which may pass by itself: refused, cut off, timed out, 429, or a 5xx.

    Attributes:
        retry_after: Seconds for which the server asks not to be asked again; 0 if it does not say.
    """

    def __init__(self, message: str, *, url: str, hint: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, url=url, hint=hint)
        self.retry_after = retry_after


class TooManyRequestsError(UnavailableError):
    """429: more requests came from this address than PocketBase, or a proxy before it, lets through."""


class UntrustedServerError(UnavailableError):
    """The server has not proved to be ours; it was sent neither credentials nor data."""


class NotPocketBaseError(RequestError):
    """Something else than PocketBase answered, or changed the answer on its way."""


class ResponseError(RequestError):
    """PocketBase answered with an error.

    Attributes:
        status: HTTP status of the answer.
        code: PocketBase's error code (``validation_not_unique``, ``conflict``...), or ``""``.
        data: The answer's ``data`` member: per field ``{"code": ..., "message": ...}``.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int,
        code: str = "",
        data: Mapping[str, Any] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, url=url, hint=hint)
        self.status = status
        self.code = code
        self.data = dict(data or {})


class InvalidRequestError(ResponseError):
    """400 with an error code: the request, or a value in it, is not acceptable."""


class UnauthorizedError(ResponseError):
    """401 or 403: the credentials are not, or no longer, those of a superuser."""


class NotFoundError(ResponseError):
    """404: no such route, collection or record."""


class ConflictError(ResponseError):
    """409: a unique key is already taken, or a version check failed."""


class TooLargeError(ResponseError):
    """413: the request is larger than the server, or a proxy before it, accepts."""
