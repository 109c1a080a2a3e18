"""From the settings to a connected client: which server, which credentials."""

from __future__ import annotations

import logging
from pathlib import Path

from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR
from openwebui_pocketbase.client import AdminClient, Authenticator
from openwebui_pocketbase.exceptions import SchemaError
from openwebui_pocketbase.schema.bootstrap import bring_up, inspect
from openwebui_pocketbase.server import EmbeddedServer
from openwebui_pocketbase.settings import PocketBaseSettings

__all__ = ["Connection", "embedded_data_dir", "embedded_server"]

log = logging.getLogger(__name__)


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
    )


class Connection:
    """A reachable server with a superuser's credentials: the external one of ``url``, or the embedded one.

    Every method blocks. The embedded server runs while any process has an open connection.

    Args:
        settings: Section ``[pocketbase]``.
        data_dir: Open WebUI's data directory.
    """

    def __init__(self, settings: PocketBaseSettings, data_dir: Path) -> None:
        self._settings = settings
        self._server = None if settings.url else embedded_server(settings, data_dir)
        self.url = settings.url or ""

    def open(self, *, create: bool = False) -> Authenticator:
        """Start the server if it is ours; sign in.

        Args:
            create: Whether a server of ours that has no data yet is made; else that is an error.

        Returns:
            The superuser's token and its renewal.

        Raises:
            ServerError: The embedded server does not start.
            UnavailableError: The external server does not answer.
            UnauthorizedError: The credentials are wrong.
        """
        settings = self._settings
        if self._server is not None:
            self.url = self._server.acquire(create=create).url
        elif settings.token is not None:
            return Authenticator(None, settings.token.get_secret_value())
        authenticator = Authenticator(self._login)
        authenticator.renew_blocking("")
        return authenticator

    def admin(self, authenticator: Authenticator) -> AdminClient:
        """Return a client for administrative calls."""
        return AdminClient(self.url, timeout=self._settings.timeouts.read, token=authenticator.current)

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
        with self.admin(authenticator) as admin:
            if inspect(admin).needs_our_hooks:
                raise SchemaError(
                    "The embedded PocketBase runs hooks of another version of this package, and has not restarted with"
                    " those of this one.",
                    hint="Stop all processes of Open WebUI that use this data directory, and start them again.",
                )
            bring_up(admin)

    def recover(self) -> str:
        """Bring the server back if it is ours; return its address."""
        if self._server is not None:
            self.url = self._server.ensure().url
        return self.url

    def close(self) -> None:
        """Give the server back; the last one to do so stops it."""
        if self._server is not None:
            self._server.release()

    def _login(self) -> str:
        if self._server is not None:
            info = self._server.ensure()
            self.url = info.url  # another one, if the server had to move to another port
            identity, password = info.identity, info.password.get_secret_value()
        else:
            identity = self._settings.identity or ""
            password = self._settings.password.get_secret_value() if self._settings.password else ""
        with AdminClient(self.url, timeout=self._settings.timeouts.read) as admin:
            return admin.login(identity, password)
