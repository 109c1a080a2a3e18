"""What ``doctor`` says about the PocketBase server; it starts none."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path

from openwebui_pocketbase.cli.check import Check, failed
from openwebui_pocketbase.client import AdminClient, Authenticator, PocketBaseClient, Trust
from openwebui_pocketbase.connection import Connection, embedded_data_dir, embedded_server
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.schema.bootstrap import SchemaState, inspect
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.server.binary import check_binary
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings

__all__ = ["check_binary_of", "check_server"]

Server = tuple[str, Trust | None]
"""Address, and what the server has to prove there."""

HEALTH_TIMEOUT = 10.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_server(settings: PocketBaseSettings, data_dir: Path, *, needed: bool) -> Iterator[Check]:
    """Look at the server which the settings name.

    Args:
        settings: Section ``[pocketbase]``.
        data_dir: Open WebUI's data directory.
        needed: Whether any group is there.
    """
    if settings.url:
        yield check_binary_of(settings.embedded, needed=False)
        yield from _external(settings, data_dir)
        return
    yield check_binary_of(settings.embedded, needed=needed)
    try:
        yield from _embedded(settings, data_dir)
    except OpenWebUIPocketBaseError as error:
        yield failed("PocketBase", error)
    except OSError as error:
        remedy = "Run this as the user who runs Open WebUI."
        yield Check("PocketBase", "problem", f"{error.filename} cannot be read: {error.strerror}.", remedy)


def check_binary_of(settings: EmbeddedSettings, *, needed: bool) -> Check:
    """Look at the program of the embedded server.

    Args:
        settings: Section ``[pocketbase.embedded]``.
        needed: Whether it is a problem if there is none.
    """
    name = "pocketbase program"
    try:
        binary = find_binary(settings)
        version = check_binary(binary)
    except OpenWebUIPocketBaseError as error:
        return failed(name, error) if needed else Check(name, "info", str(error.args[0]))
    except OSError as error:
        detail = f"{error.filename} cannot be run: {error.strerror}."
        return Check(name, "problem", detail, "Run this as the user who runs Open WebUI.")
    return Check(name, "ok", f"{version} at {binary}")


def _external(settings: PocketBaseSettings, data_dir: Path) -> Iterator[Check]:
    timeouts = settings.timeouts.model_copy(update={"read": min(HEALTH_TIMEOUT, settings.timeouts.read), "retry": 0.0})
    connection = Connection(settings.model_copy(update={"timeouts": timeouts}), data_dir)
    try:
        authenticator = connection.open()
    except OpenWebUIPocketBaseError as error:
        yield failed("PocketBase", error)
        return
    with connection.admin(authenticator) as admin:
        yield from _signed_in(connection.url, (connection.url, connection.trust), admin, settings, authenticator)


def _embedded(settings: PocketBaseSettings, data_dir: Path) -> Iterator[Check]:
    directory = embedded_data_dir(settings, data_dir)
    run_dir = RunDir(directory)
    if run_dir.superuser.exists():
        mode = stat.S_IMODE(run_dir.superuser.stat().st_mode)
        if mode & OTHERS:
            detail = f"{run_dir.superuser} is open to other users (mode {mode:04o}), or made so by a mount."
            yield Check("credentials", "problem", detail, f"Run: chmod 600 {run_dir.superuser}")
        else:
            yield Check("credentials", "ok", f"{run_dir.superuser} (mode {mode:04o})")
    info = embedded_server(settings, data_dir).running()
    if info is not None:
        trust = Trust(info.key, info.listen)
        with AdminClient(info.url, timeout=settings.timeouts.read, trust=trust) as admin:
            token = admin.login(info.identity, info.password.get_secret_value())
            where = f"{info.url} (embedded, process {info.pid})"
            yield from _signed_in(where, (info.url, trust), admin, settings, Authenticator(None, token))
    elif failure := run_dir.read_failure():
        yield Check("PocketBase", "problem", f"The embedded server did not start: {failure.message}", failure.hint)
    elif (directory / "data.db").exists():
        yield Check("PocketBase", "info", f"The embedded server of {directory} is not running; Open WebUI starts it.")
    else:
        yield Check("PocketBase", "info", "The embedded server is not running, and has no data yet.")


def _signed_in(
    where: str, server: Server, admin: AdminClient, settings: PocketBaseSettings, authenticator: Authenticator
) -> Iterator[Check]:
    try:
        state = inspect(admin)
        version = "" if state.schema is None else admin.version().get("pocketbase")
    except OpenWebUIPocketBaseError as error:
        yield failed("PocketBase", error)
        return
    if not state.problems():
        try:
            asyncio.run(_read(server, settings, authenticator))
        except OpenWebUIPocketBaseError as error:
            yield failed("PocketBase", error)
            return
    yield Check("PocketBase", "ok", f"A superuser is signed in at {where}{f', version {version}' if version else ''}.")
    yield from _schema(state)


def _schema(state: SchemaState) -> Iterator[Check]:
    name = "schema and hooks"
    problems = state.problems()
    if not problems:
        yield Check(name, "ok", f"Version {state.schema}, as needed.")
    elif state.is_behind and len(problems) == 1:
        # The hooks fit, which is all that a start needs.
        detail = f"Version {state.schema}; Open WebUI brings it to {state.wanted} at its next start."
        if state.schema == state.wanted:
            detail = f"{problems[0][0]} Open WebUI sets that right at its next start."
        yield Check(name, "info", detail)
    else:
        for detail, remedy in problems:
            yield Check(name, "problem", detail, remedy)
    for detail, remedy in state.advice():
        yield Check("hook files", "info", f"{detail}\n{remedy}")


async def _read(server: Server, settings: PocketBaseSettings, authenticator: Authenticator) -> None:
    """Read something as Open WebUI does: its connections are others than those of commands."""
    client = PocketBaseClient(timeouts=settings.timeouts.model_copy(update={"retry": 0.0}), pool=settings.pool)
    url, trust = server
    client.connect(url, authenticator, trust=trust)
    try:
        await client.read("tags/get_tags_by_user_id", {"user_id": ""})
    finally:
        await client.aclose()
