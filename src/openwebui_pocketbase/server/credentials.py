"""The embedded server's superuser: an identity and a generated password, kept in one private file."""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.locks import lock_open_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Credentials", "obtain_credentials"]

IDENTITY = "openwebui@localhost.local"
PASSWORD_BYTES = 36  # 48 characters; PocketBase takes at most 71


@dataclass(frozen=True)
class Credentials:
    """A superuser's e-mail address and password."""

    identity: str
    password: str = field(repr=False)


def obtain_credentials(path: Path) -> Credentials:
    """Read the file, or create it with a new password.

    Several processes may do this at once: the file's own lock makes one of them its author, and
    the others wait for it to have written.

    Raises:
        ServerError: The file is readable by others, is not a plain file, or has no usable content.
    """
    hint = f"Stop Open WebUI and remove {path}: a new password is made at the next start."
    try:
        # O_NOFOLLOW: a link would place the password where its author cannot see who reads it.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServerError(f"Cannot open the superuser's credentials {path}: {error.strerror}.", hint=hint) from None
    with os.fdopen(fd, "r+b") as file:
        mode = stat.S_IMODE(os.fstat(fd).st_mode)
        if mode & 0o077:
            raise ServerError(
                f"The superuser's credentials {path} are open to other users (mode {mode:04o}).",
                hint=f"Run chmod 600 {path} if nobody can have read the password. Else: {hint}",
            )
        lock_open_file(fd)
        content = file.read()
        if not content:
            credentials = Credentials(IDENTITY, secrets.token_urlsafe(PASSWORD_BYTES))
            file.write(json.dumps(asdict(credentials)).encode())
            file.flush()
            os.fsync(fd)
            return credentials
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    match values:
        case {"identity": str(identity), "password": str(password)} if identity and password:
            return Credentials(identity, password)
    raise ServerError(f"The superuser's credentials {path} have no identity and password.", hint=hint)
