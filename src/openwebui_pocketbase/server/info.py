"""How to reach the embedded server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from openwebui_pocketbase.server.credentials import Credentials
    from openwebui_pocketbase.server.rundir import ServerState

__all__ = ["ServerInfo"]


@dataclass(frozen=True)
class ServerInfo:
    """How to reach the embedded server.

    Attributes:
        url: Address of the server.
        identity: E-mail address of its superuser.
        password: Password of its superuser.
        key: What the server's proof is made with; see `openwebui_pocketbase.proof`.
        listen: ``host:port`` of ``url``, which is part of the proof.
        pid: Process id of PocketBase at the moment; another one after a restart.
    """

    url: str
    identity: str
    password: SecretStr
    key: str = field(repr=False)
    listen: str
    pid: int

    @classmethod
    def of(cls, state: ServerState, credentials: Credentials) -> ServerInfo:
        """Put together what the supervisor says and what only we know."""
        return cls(
            url=state.url,
            identity=credentials.identity,
            password=SecretStr(credentials.password),
            key=credentials.key,
            listen=urlsplit(state.url).netloc,
            pid=state.pocketbase,
        )
