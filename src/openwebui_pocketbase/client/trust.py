"""What a server has to prove before it is sent anything; see `openwebui_pocketbase.proof`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from openwebui_pocketbase.client.errors import TRY_LATER, response_error
from openwebui_pocketbase.exceptions import UntrustedServerError
from openwebui_pocketbase.proof import Challenge, new_challenge

__all__ = ["Trust"]


@dataclass(frozen=True)
class Trust:
    """The key that a server must have.

    Attributes:
        key: The key.
        listen: ``host:port`` of an embedded server; ``""`` for an external one.
    """

    key: str = field(repr=False)
    listen: str = ""

    def challenge(self) -> Challenge:
        """Return a challenge for one new connection."""
        return new_challenge(self.key, self.listen)

    def check(
        self, challenge: Challenge, url: str, status: int, body: bytes, headers: Mapping[str, str], *, closes: bool
    ) -> None:
        """Raise an error unless the reply proves that the server on this connection has the key.

        Args:
            challenge: What it was asked.
            url: Address of the server.
            status: HTTP status of the reply.
            body: The reply.
            headers: The reply's headers, their names in lower case.
            closes: Whether the connection ends with the reply: the proof is good for no other.

        Raises:
            UntrustedServerError: It does not.
            UnavailableError: A proxy replied that the server is away, or the server that it is busy.
        """
        if status in TRY_LATER:
            raise response_error(f"{url}/api/owui/proof", status, body, headers)
        if not challenge.is_met(status, body):
            raise UntrustedServerError(
                f"What answers at {url} is not our PocketBase: it has not proved that it has the key.",
                url=url,
                hint=self._remedy(),
            )
        if closes:
            raise UntrustedServerError(
                f"The connection to {url} was closed behind the server's proof, which is good for this one only.",
                url=url,
                hint="Let the proxy before PocketBase keep connections open (keep-alive), or remove [pocketbase] key.",
            )

    def _remedy(self) -> str:
        if self.listen:  # only an embedded server knows its address
            return f"Find out which program listens on {self.listen}, and end it. It got no password, token or data."
        return (
            "Check url of [pocketbase]. If it is the right server, its environment needs OWUI_KEY with the value of"
            " [pocketbase] key, and its pb_hooks this version's hooks (openwebui-pocketbase assets export)."
        )
