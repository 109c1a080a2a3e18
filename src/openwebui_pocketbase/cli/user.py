"""``user``: people's accounts, wherever they are stored, for an administrator with a shell, who may have no password.

Everything goes through Open WebUI's own functions and repositories, so that it means what it means in its own
interface: hashes by the host's settings, sessions that end, the SQL database's copy.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer

from openwebui_pocketbase.cli.hosted import load_host
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.plugin import plugin

__all__ = ["app"]

T = TypeVar("T")

PAGE = 500
"""Users in one answer: their pictures may be in it."""
SHOWN = ("id", "email", "name", "role", "created_at", "last_active_at")

EmailArgument = Annotated[
    str, typer.Argument(metavar="EMAIL", help="Address that the person signs in with.", show_default=False)
]

app = typer.Typer(no_args_is_help=True, help="Look after people's accounts.")


class Role(StrEnum):
    """What a user may be."""

    ADMIN = "admin"
    USER = "user"
    PENDING = "pending"


@app.command("list")
def list_users(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Print all users, by address.

    The JSON objects have id, email, name, role, created_at and last_active_at (seconds since 1970).
    """
    users = _run(Site.of(data_dir, config), _all_users)
    if as_json:
        typer.echo(json.dumps(users))
        return
    width = max((len(user["email"]) for user in users), default=0)
    for user in users:
        typer.echo(f"{user['role']:8} {_printable(user['email']):{width}}  {_printable(user['name'])}")


@app.command("set-password")
def set_password(
    email: EmailArgument,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    from_stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from the standard input.")] = False,
) -> None:
    """Give a user a new password, and end all their sessions.

    The password is asked for; it is never an argument, which others could see in the list of processes.
    """
    if not from_stdin and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask for the password.", hint="Give it with --stdin.")

    async def change() -> None:
        user = await _user(email)
        # Asked for only now: first comes what is wrong with the address.
        password = sys.stdin.readline().rstrip("\r\n") if from_stdin else _ask()
        await _set_password(user.id, password)

    _run(Site.of(data_dir, config), change)
    typer.echo("The password is set, and all sessions of this user have ended.")


@app.command("set-role")
def set_role(
    email: EmailArgument,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="What the user is from now on.", show_default=False)],
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a user an administrator, an ordinary user, or one who waits for approval."""

    async def change() -> None:
        users = _users()
        user = await _user(email)
        if user.role == Role.ADMIN and role is not Role.ADMIN:
            admins = await users.get_users(filter={"roles": [Role.ADMIN.value]}, limit=2)
            if admins["total"] < 2:  # noqa: PLR2004 - this one and another
                raise ConfigurationError(
                    "This is the only administrator; without one nobody could manage Open WebUI.",
                    hint="Give another user the role admin first.",
                )
        await _of_host(users.update_user_by_id(user.id, {"role": role.value}))

    _run(Site.of(data_dir, config), change)
    typer.echo(f"The user has the role {role.value}.")


@app.command("disable-mfa")
def disable_mfa(
    email: EmailArgument,
    reason: Annotated[str, typer.Option(help="Why; part of the event that is logged.", show_default=False)],
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Take away a user's authenticator after you have verified who asks, and end all their sessions.

    As open-webui mfa reset does. Printed is a token, valid for 30 minutes: where MFA is required, the user needs it
    to set up a new authenticator after signing in with the password.
    """

    async def change() -> tuple[bool, str]:
        user = await _user(email)
        if not reason.strip():
            raise ConfigurationError("The reason is empty.", hint="Say with --reason why this is done.")
        auth = await import_module("open_webui.models.auths").Auths.get_auth_by_id(user.id)
        mfa = auth.mfa if auth else None
        # Who is to set up a new one may need another token: the last one was valid for half an hour.
        if mfa is None or not (mfa.secret or mfa.reset_required):
            raise ConfigurationError("This user has no authenticator.")
        token: str = await _of_host(import_module("open_webui.utils.mfa").reset_mfa(user.email, reason))
        return mfa.secret is not None, token

    had_one, token = _run(Site.of(data_dir, config), change)
    what = "The authenticator is disabled" if had_one else "There was no authenticator: it had been disabled before"
    typer.echo(f"{what}. All sessions of this user have ended. Recovery token:")
    typer.echo(token)


def _run(site: Site, do: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do something with the host's repositories, as they are on this site."""
    load_host(site)
    # The host logs to the standard output, which is for what was asked.
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, force=True)
    database = import_module("open_webui.internal.db")

    async def run() -> T:
        try:
            return await do()
        finally:
            await plugin.openwebui_shutdown()
            await database.async_engine.dispose()

    return asyncio.run(run())


def _users() -> Any:
    return import_module("open_webui.models.users").Users


async def _user(email: str) -> Any:
    user = await _users().get_user_by_email(email.strip().lower())
    if user is None:
        raise ConfigurationError("There is no user with this address.", hint="See: openwebui-pocketbase user list")
    return user


async def _all_users() -> list[dict[str, Any]]:
    by_email = {"order_by": "email", "direction": "asc"}
    shown: list[dict[str, Any]] = []
    while True:
        page = (await _users().get_users(sort=by_email, skip=len(shown), limit=PAGE))["users"]
        shown += [{name: getattr(user, name) for name in SHOWN} for user in page]
        if len(page) < PAGE:
            return shown


async def _set_password(user_id: str, password: str) -> None:
    if not password:
        raise ConfigurationError("The password is empty.")
    host = import_module("open_webui.utils.auth")
    auths = import_module("open_webui.models.auths").Auths

    async def change() -> bool:
        host.validate_password(password)
        return bool(await auths.update_user_password_by_id(user_id, await host.get_password_hash(password)))

    if not await _of_host(change()):
        raise ConfigurationError(
            "This user has no credentials to set a password of.",
            hint="Delete the user in Open WebUI, and add them again.",
        )


async def _of_host(work: Coroutine[Any, Any, T]) -> T:
    """Await what the host does; its refusals become messages to the user."""
    try:
        return await work
    except OpenWebUIPocketBaseError:
        raise
    except Exception as error:  # noqa: BLE001 - the host raises bare ones
        # Of a failed statement only the cause: SQLAlchemy's own message has the values, such as a hash.
        reason = getattr(error, "orig", None) or getattr(error, "detail", None) or error
        raise ConfigurationError(f"Open WebUI refuses: {reason}") from None


def _ask() -> str:
    return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))


def _printable(text: str) -> str:
    """Return what a terminal can show: names are other people's text, and may hold control sequences."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
