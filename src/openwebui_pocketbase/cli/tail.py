"""``tail``: what changes in PocketBase, as it happens."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from openwebui_pocketbase.changes.feed import Change
from openwebui_pocketbase.cli.schema import server_of
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.exceptions import ConfigurationError, UnauthorizedError, UnavailableError
from openwebui_pocketbase.origin import is_application
from openwebui_pocketbase.realtime.listeners import LOST
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["tail"]

LIMIT = 1000
"""Changes in one request."""

WAIT = 15.0
"""Seconds for which one request waits for a change; less than the client waits for its reply."""

PAUSE = 1.0
"""Seconds before a server that does not answer is asked again."""


def tail(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", metavar="NAME", help="Only changes of this collection; may be repeated."),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, metavar="NUMBER", help="Begin behind this change, not with the next one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object per line.")] = False,
) -> None:
    """Print what changes in PocketBase, as it happens, until it is interrupted.

    A line has time, number, operation, collection, record, and whose change it was. The JSON object has seq,
    collection, record_id, op, at (milliseconds since 1970), concerned (whom it concerns: values of the collection's
    columns that say so) and origin (the process of Open WebUI, or the program, that made it; empty for others). After a
    restore, op is "lost" once: anything may have changed, and numbers are given again.
    """
    site = Site.of(data_dir, config)  # it finds what collections plugins have
    _check(collection or [])
    show = _as_json if as_json else _as_text
    try:
        for change in _changes(site, collection, since):
            print(show(change), flush=True)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # of `tail | head`; Python would complain of it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(collections: list[str]) -> None:
    known = sorted(table.collection for table in TABLES.values())
    unknown = [name for name in collections if name not in known]
    if unknown:
        raise ConfigurationError(
            f"There is no collection {', '.join(unknown)}.", hint=f"The collections are {', '.join(known)}."
        )


def _changes(site: Site, collections: list[str] | None, since: int | None) -> Iterator[Change]:
    """Yield changes for ever; a server that goes away is waited for."""
    cursor, is_away, is_new = "", False, True
    while True:
        try:
            with server_of(site) as (_, admin):
                cursor = cursor or _cursor(admin, since)
                ask, is_new = _asker(admin, collections), True
                while True:
                    page = ask(cursor)
                    is_new = False
                    if is_away:
                        is_away = _say("PocketBase answers again.")
                    if not page["follows"]:
                        yield Change(page["last"], "", "", LOST, 0, [], "")
                    yield from (Change(*change) for change in page["changes"])
                    cursor = page["cursor"]
        except UnauthorizedError:
            if is_new:
                raise  # else its token has expired
        except UnavailableError as error:
            if not cursor:
                raise
            if not is_away:
                is_away = not _say(f"{str(error.args[0]).rstrip('.')}. Waiting for it.")
            time.sleep(PAUSE)


def _asker(admin: AdminClient, collections: list[str] | None) -> Callable[[str], dict[str, Any]]:
    def ask(cursor: str) -> dict[str, Any]:
        parameters = {"since": cursor, "limit": LIMIT, "wait": WAIT, "collections": collections}
        page: dict[str, Any] = admin.read("changes/get_changes", parameters)
        return page

    return ask


def _cursor(admin: AdminClient, since: int | None) -> str:
    """Return the cursor behind which to begin.

    Raises:
        ConfigurationError: The feed does not have that change any more, or has never had it.
    """
    name = "SELECT seq || '/' || op || '/' || at || '/' || record_id AS cursor FROM owui_changes"
    (ends,) = admin.sql("SELECT min(seq) AS first, max(seq) AS last FROM owui_changes")
    first, last = int(ends["first"] or 1), int(ends["last"] or 0)
    if since is None or since == last:
        newest = admin.sql(f"{name} ORDER BY seq DESC LIMIT 1")
        return newest[0]["cursor"] if newest else "0"
    if since == 0 and first == 1:
        return "0"
    if not first <= since <= last:
        raise ConfigurationError(
            f"The feed has the changes {first} to {last}, and not {since}.", hint=f"Use --since {first} to {last}."
        )
    return str(admin.sql(f"{name} WHERE seq <= {since:d} ORDER BY seq DESC LIMIT 1")[0]["cursor"])


def _say(message: str) -> bool:
    """Tell the user something that is no change; return False."""
    typer.echo(message, err=True)
    return False


def _as_json(change: Change) -> str:
    return json.dumps(change._asdict())


def _as_text(change: Change) -> str:
    if change.op == LOST:
        return "PocketBase was restored, or is another one: anything may have changed."
    by = "Open WebUI" if is_application(change.origin) else "a script" if change.origin else "others"
    line = f"{_time(change.at)} {change.seq:>8} {change.op:<6} {change.collection} {change.record_id} by {by}"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


def _time(at: object) -> str:
    """Return a time of the feed as people write it; SQL can put anything there."""
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone()  # type: ignore[operator]
    except (TypeError, ValueError, OverflowError, OSError):
        return f"{at!s:<23}"
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3]
