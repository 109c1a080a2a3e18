"""From the settings to a connected client: which server, which credentials."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.client import AdminClient, Authenticator, Trust
from openwebui_pocketbase.exceptions import (
    SchemaError,
    TooManyRequestsError,
    UnavailableError,
    UntrustedServerError,
)
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from openwebui_pocketbase.schema.tables import files_of_plugins
from openwebui_pocketbase.server import EmbeddedServer, ServerInfo
from openwebui_pocketbase.settings import PocketBaseSettings

__all__ = ["Connection", "embedded_data_dir", "embedded_server"]

log = logging.getLogger(__name__)

# All in seconds.
PAUSE = 0.5
BETWEEN_LINES = 10.0


def embedded_data_dir(settings: PocketBaseSettings, data_dir: Path) -> Path:
    """Return the directory of the embedded server's data, absolute; see `embedded_server`."""
    return (settings.embedded.data_dir or data_dir / "pocketbase").expanduser().resolve()


def embedded_server(settings: PocketBaseSettings, data_dir: Path) -> EmbeddedServer:
    """Return the server which this package runs itself; it is not started yet.

    Args:
        settings: Section ``[pocketbase]``.
        data_dir: Open WebUI's data directory.
    """
    return EmbeddedServer(
        settings.embedded,
        data_dir=embedded_data_dir(settings, data_dir),
        hooks_dir=HOOKS_DIR,
        migrations_dir=MIGRATIONS_DIR,
        further_hooks=files_of_plugins(),
    )


class Connection:
    """A reachable server with a superuser's credentials: the external one of ``url``, or the embedded one.

    Every method blocks. The embedded server runs while any process has an open connection.

    Args:
        settings: Section ``[pocketbase]``.
        data_dir: Open WebUI's data directory.

    Attributes:
        url: Address of the server.
        trust: What it has to prove there.
        data_dir: Directory of PocketBase's data; None if the server is not ours, and may be on another machine.
        authenticator: The superuser's token, once `open` has signed in.
        origin: What the change feed calls whoever writes by `admin`; "" for a program of its own.
    """

    def __init__(self, settings: PocketBaseSettings, data_dir: Path) -> None:
        self._settings = settings
        self._server = None if settings.url else embedded_server(settings, data_dir)
        self.data_dir = None if settings.url else embedded_data_dir(settings, data_dir)
        self.authenticator = Authenticator(None)
        self.origin = ""
        self.url = settings.url or ""
        self.trust = Trust(settings.key.get_secret_value()) if settings.url and settings.key else None

    def open(self, *, create: bool = False, wait: bool = False) -> Authenticator:
        """Start the server if it is ours; sign in.

        A sign-in that PocketBase's rate limits refuse is repeated, as a request is.

        Args:
            create: Whether a server of ours that has no data yet is made; else that is an error.
            wait: Whether an external server that is not up yet is waited for, up to ``timeouts.start``.

        Returns:
            The superuser's token and its renewal.

        Raises:
            ServerError: The embedded server does not start.
            UnavailableError: The external server does not answer, or has not proved its identity.
            UnauthorizedError: The credentials are wrong.
        """
        settings = self._settings
        if self._server is not None:
            self._adopt(self._server.acquire(create=create))
            authenticator = Authenticator(self._login)
        elif settings.token is not None:
            authenticator = Authenticator(None, settings.token.get_secret_value())
        else:
            authenticator = Authenticator(self._login)
        waiting = _Waiting()
        while True:
            try:
                self._reach(authenticator)
            except UnavailableError as error:
                waiting.go_on(self.url, error, self._patience(error, wait=wait))
            else:
                self.authenticator = authenticator
                return authenticator

    def admin(self, authenticator: Authenticator) -> AdminClient:
        """Return a client for administrative calls."""
        return AdminClient(
            self.url,
            timeout=self._settings.timeouts.read,
            token=authenticator.current,
            trust=self.trust,
            origin=self.origin,
        )

    def bring_up(self, authenticator: Authenticator) -> None:
        """Bring the server to the schema this version needs.

        A server of ours can run the hooks of another version, if this package was upgraded while other processes use
        it. It is then started anew with ours, once.

        Raises:
            SchemaError: The server's hooks or schema do not fit; says what to do.
        """
        with self.admin(authenticator) as admin:
            if self._server is None or not inspect(admin).needs_our_hooks:
                bring_up(admin)
                return
        log.warning("The embedded PocketBase runs hooks of another version; it is restarted with those of this one")
        self._server.restart()
        self.recover()
        with self.admin(authenticator) as admin:
            if inspect(admin).needs_our_hooks:
                raise SchemaError(
                    "The embedded PocketBase runs hooks of another version of this package, and has not restarted with"
                    " those of this one.",
                    hint="Stop all processes of Open WebUI that use this data directory, and start them again.",
                )
            bring_up(admin)

    def recover(self) -> tuple[str, Trust | None]:
        """Bring the server back if it is ours; return its address, and what it has to prove there."""
        if self._server is not None:
            self._adopt(self._server.ensure())
        return self.url, self.trust

    def close(self) -> None:
        """Give the server back; the last one to do so stops it."""
        if self._server is not None:
            self._server.release()

    def _reach(self, authenticator: Authenticator) -> None:
        """Sign in; with a token of the settings, only see whether the server answers."""
        if authenticator.can_renew:
            authenticator.renew_blocking("")
        else:
            with self.admin(authenticator) as admin:
                admin.health()

    def _patience(self, error: UnavailableError, *, wait: bool) -> float:
        """Return for how many seconds a failure to reach the server is waited out."""
        timeouts = self._settings.timeouts
        if self._server is not None:
            return timeouts.retry  # it has just answered
        if isinstance(error, UntrustedServerError):
            return 0.0  # another server, or a key that differs
        start = timeouts.start if wait else 0.0
        return max(start, timeouts.retry) if isinstance(error, TooManyRequestsError) else start

    def _adopt(self, info: ServerInfo) -> None:
        self.url = info.url  # another one, if the server had to move to another port
        self.trust = Trust(info.key, info.listen)

    def _login(self) -> str:
        if self._server is not None:
            info = self._server.ensure()
            self._adopt(info)
            identity, password = info.identity, info.password.get_secret_value()
        else:
            identity = self._settings.identity or ""
            password = self._settings.password.get_secret_value() if self._settings.password else ""
        with AdminClient(self.url, timeout=self._settings.timeouts.read, trust=self.trust) as admin:
            return admin.login(identity, password)


class _Waiting:
    """Waiting for a server, with a log line at its beginning and every ten seconds."""

    def __init__(self) -> None:
        self._began = self._next_line = time.monotonic()

    def go_on(self, url: str, error: UnavailableError, patience: float) -> None:
        """Wait for a moment; raise the error if so many seconds are over, or will be before it is worth a try."""
        now = time.monotonic()
        pause = max(PAUSE, error.retry_after)
        if now + pause > self._began + patience:
            raise error
        if now >= self._next_line:
            self._next_line = now + BETWEEN_LINES
            log.warning(
                "Waiting for PocketBase at %s, %.0f of up to %.0f seconds: %s",
                url,
                now - self._began,
                patience,
                error.args[0],
            )
        time.sleep(pause)
