"""The embedded server's secrets: its superuser's generated password, and the key by which it proves itself."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.locks import is_current, lock_open_file
from openwebui_pocketbase.server.permissions import open_private

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Credentials", "obtain_credentials", "read_credentials"]

IDENTITY = "openwebui@localhost.local"
PASSWORD_BYTES = 36  # 48 characters; PocketBase takes at most 71
KEY_BYTES = 32


@dataclass(frozen=True)
class Credentials:
    """A superuser's e-mail address and password, and the server's key.

    Attributes:
        identity: The e-mail address.
        password: The password.
        key: What the server's proof is made with; see `openwebui_pocketbase.proof`.
    """

    identity: str
    password: str = field(repr=False)
    key: str = field(repr=False)


def read_credentials(path: Path) -> Credentials | None:
    """Read the file and change nothing; return None if it is missing or has no key yet.

    Raises:
        ServerError: The file has no usable content.
        OSError: The file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return _decode(path, content) if content else None


def obtain_credentials(path: Path) -> Credentials:
    """Read the file, or create it with a new password and key; one of an older version gets a key.

    Several processes may do this at once: the file's own lock makes one of them its author, and
    the others wait for it to have written.

    Raises:
        ServerError: The file is not a plain file, cannot be opened, or has no usable content.
    """
    while True:
        fd = _open(path)
        with os.fdopen(fd, "rb") as file:
            lock_open_file(fd)
            if not is_current(fd, path):
                continue  # another process has just replaced it
            content = file.read()
            credentials = _decode(path, content) if content else None
            if credentials is None:
                credentials = _complete(content)
                _replace(path, credentials)
            return credentials


def _open(path: Path) -> int:
    try:
        try:
            return open_private(path, os.O_RDWR)
        except PermissionError:  # it may be readable only, where the system manages the modes
            return open_private(path, os.O_RDONLY)
    except OSError as error:
        raise ServerError(
            f"Cannot open the superuser's credentials {path}: {error.strerror}.", hint=_remove(path)
        ) from None


def _decode(path: Path, content: bytes) -> Credentials | None:
    """Return the file's content, or None if only the key is missing."""
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    match values:
        case {"identity": str(identity), "password": str(password), "key": str(key)} if identity and password and key:
            return Credentials(identity, password, key)
        case {"identity": str(identity), "password": str(password)} if identity and password:
            return None
    raise ServerError(f"The superuser's credentials {path} have no identity and password.", hint=_remove(path))


def _complete(content: bytes) -> Credentials:
    known = json.loads(content) if content else {}
    return Credentials(
        known.get("identity", IDENTITY),
        known.get("password") or secrets.token_urlsafe(PASSWORD_BYTES),
        secrets.token_urlsafe(KEY_BYTES),
    )


def _replace(path: Path, credentials: Credentials) -> None:
    # In one step: whoever reads without the lock, or after a crash, finds the old content or the new one.
    temporary = path.with_suffix(".new")
    with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(json.dumps(asdict(credentials)).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _remove(path: Path) -> str:
    return f"Stop Open WebUI and remove {path}: a new password is made at the next start."
