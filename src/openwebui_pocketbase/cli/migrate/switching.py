"""``migrate switch``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openwebui_pocketbase.cli.leave import uses_embedded_server
from openwebui_pocketbase.cli.migrate.moving import GroupsArgument, Moving, Target, ToOption, run
from openwebui_pocketbase.cli.migrate.notes import print_without_contents
from openwebui_pocketbase.cli.migrate.settings import NewSettings
from openwebui_pocketbase.cli.migrate.verifying import print_found, verified, without_contents
from openwebui_pocketbase.cli.site import ConfigOption, DataDirOption, Site
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.items import units_of
from openwebui_pocketbase.migrate.journal import Journal, ask_for_handover, journal_lock
from openwebui_pocketbase.plugin import BACKEND

if TYPE_CHECKING:
    from openwebui_pocketbase.migrate.run import Run
    from openwebui_pocketbase.migrate.sides import Sides
    from openwebui_pocketbase.migrate.switch import Switched

__all__ = ["switch"]

QUESTION = (
    "No running Open WebUI was found. One without `switchable = true` in its settings cannot be seen, and has to be"
    " stopped now."
)

HANDOVER = 60.0
"""Seconds that a running ``copy --follow`` has to end."""


def switch(
    groups: GroupsArgument = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    *,
    to: ToOption = Target.POCKETBASE,
    verify: Annotated[bool, typer.Option(help="Compare every row before.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have Open WebUI use what was copied, from now on.

    What has changed since is carried over, both sides are compared, the config file is written, and running workers
    whose settings have `switchable = true` go on with the other side, while writes wait for a moment. A running `copy
    --follow` ends and hands over. Without running workers the next start uses the other side. If anything fails,
    everything stays as it was. If no running worker is found, it asks whether Open WebUI is stopped; without a terminal
    that needs --yes.
    """
    site = Site.of(data_dir, config)
    if not groups and (journal := Journal.read(site.data_dir)) is not None:
        groups = [name for name, each in journal.groups.items() if each.to == to and each.state == "copied"] or None
    moving = Moving.of(site, groups, to)
    if groups is None or all(moving.in_force[group] == to for group in groups):
        raise ConfigurationError(
            f"There is nothing to switch to {to}: nothing was copied there, or it is used already.",
            hint=f"See: openwebui-pocketbase migrate status. To copy: openwebui-pocketbase migrate copy --to {to}",
        )
    settings = NewSettings.of(moving)
    has_workers = run(_has_workers())
    if not has_workers:
        if not _is_busy(site.data_dir) and uses_embedded_server(site):
            raise _cannot_be_switched()
        _ask(yes=yes)
    with _handed_over(site.data_dir):
        is_running = uses_embedded_server(site)  # before this command does
        is_stopped = yes or not has_workers
        done = run(_switch(moving, settings, is_running=is_running, is_stopped=is_stopped, verify=verify))
    if to == Target.SQLALCHEMY:
        _let_go(moving)
    typer.echo(f"Wrote {settings.path}: {', '.join(moving.groups)} are in {to} now.")
    if done.workers:
        typer.echo(f"Running workers: {done.workers}; writes waited for {done.pause:.2f} s.")
    else:
        typer.echo("No worker was running: start Open WebUI.")
    back = Target.SQLALCHEMY if to == Target.POCKETBASE else Target.POCKETBASE
    if back == Target.SQLALCHEMY:
        typer.echo("To keep the way back open: openwebui-pocketbase migrate copy --follow --to sqlalchemy")


async def _has_workers() -> bool:
    from openwebui_pocketbase.migrate.sides import control_of_workers

    return bool(await control_of_workers().workers())


async def _switch(
    moving: Moving, settings: NewSettings, *, is_running: bool, is_stopped: bool, verify: bool
) -> Switched:
    from openwebui_pocketbase.migrate.run import Options, Run
    from openwebui_pocketbase.migrate.sides import control_of_workers, open_sides
    from openwebui_pocketbase.migrate.switch import switch as switch_over

    control = control_of_workers()
    async with open_sides(moving.settings, moving.site.data_dir, moving.to) as sides:
        workers = await control.workers()
        if is_running and not workers:
            raise _cannot_be_switched()
        this = Run(sides, moving.site.data_dir, units_of(moving.groups), moving.in_force, Options(follow=True))
        await _catch_up(this, has_workers=bool(workers))
        if verify:
            await _verify(moving, sides, this)
        if not workers and not is_stopped:  # they were there when this command began
            _ask(yes=False)
        return await switch_over(this, control, settings.backends, settings.write)


async def _catch_up(this: Run, *, has_workers: bool) -> None:
    if not await this.begin():
        if has_workers:
            raise ConfigurationError(
                "What changes is not followed, so the copy may be out of date.",
                hint="Run, and leave running: openwebui-pocketbase migrate copy --follow. Then switch.",
            )
        async for _ in this.copy():
            pass
    await this.refresh()
    async for _ in this.catch_up():
        pass
    async for _ in this.index():
        pass


async def _verify(moving: Moving, sides: Sides, this: Run) -> None:
    async def settle() -> None:
        async for _ in this.catch_up():
            pass

    found = await verified(moving, sides, settle=settle)
    if not all(each.is_equal for each in found):
        print_found([each for each in found if not each.is_equal])
        raise ConfigurationError(
            "Both sides differ; nothing was switched.",
            hint="Copy again: openwebui-pocketbase migrate copy --follow --compare (with Open WebUI stopped, without"
            " --follow). Then switch.",
        )
    print_without_contents(without_contents(found))


def _ask(*, yes: bool) -> None:
    """Have somebody say that Open WebUI is stopped.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise ConfigurationError(
            QUESTION, hint="Add --yes if it is stopped: there is no terminal to ask on. Nothing was switched."
        )
    if not yes:
        typer.confirm(f"{QUESTION} Go on?", abort=True)


def _is_busy(data_dir: Path) -> bool:
    """Return whether another command moves something; it may use the embedded server, as Open WebUI does."""
    try:
        with journal_lock(data_dir):
            return False
    except ConfigurationError:
        return True


def _cannot_be_switched() -> ConfigurationError:
    return ConfigurationError(
        "Open WebUI is running on the embedded PocketBase, and cannot be switched: its settings have no"
        " `switchable = true`.",
        hint="Stop it, and run this again.",
    )


def _let_go(moving: Moving) -> None:
    """Have the SQL database take changes of what is in it now, from whatever writes to it."""
    from openwebui_pocketbase.host.guard import give_back

    left = [group for group, backend in moving.in_force.items() if backend == BACKEND and group not in moving.groups]
    run(give_back(moving.groups, left))
    site = moving.site
    if not left and site.last_start:  # else commands would go on assuming that these settings are in force
        site.last_start.left().write(site.data_dir)


@contextmanager
def _handed_over(data_dir: Path) -> Iterator[None]:
    """Be the only one who moves anything; a running follower ends and hands over.

    Raises:
        ConfigurationError: Another command is running, and goes on.
    """
    with ExitStack() as stack:
        until = time.monotonic() + HANDOVER
        asked = False
        while True:
            try:
                stack.enter_context(journal_lock(data_dir))
                break
            except ConfigurationError:
                if time.monotonic() > until:
                    raise
            if not asked:
                ask_for_handover(data_dir)
                asked = True
            time.sleep(0.2)
        yield
