"""Switching: both sides are made equal while writes are held, and the running workers go on with the other one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.control.command import Control
from openwebui_pocketbase.migrate.follow import Follower
from openwebui_pocketbase.migrate.run import Run

__all__ = ["Switched", "switch"]

PREPARE = 60.0
"""Seconds that workers have to connect to the other side; they serve meanwhile."""

HOLD = 5.0
"""Seconds that they have to finish what is in flight; new writes wait meanwhile."""

GO_ON = 30.0
"""Seconds that they have to take the new binding."""

NAMED = 5
"""Most rows in a message."""


@dataclass(frozen=True)
class Switched:
    """What a switch has done.

    Attributes:
        workers: How many running workers took part.
        pause: For how many seconds writes were held.
        carried: How many items were carried over meanwhile.
    """

    workers: int
    pause: float
    carried: int


async def switch(this: Run, control: Control, backends: Mapping[str, str], configure: Callable[[], None]) -> Switched:
    """Have both sides equal, and the target used from then on.

    While writes are held only what has changed is looked at: all was compared before.

    Args:
        this: The run that has copied.
        control: Of the running workers.
        backends: The new backend of each group that is switched.
        configure: Writes the settings that say so; running workers do so as well.

    Raises:
        SwitchError: Workers could not do what was asked; everything is as before, unless it says otherwise.
        ConfigurationError: The target refuses what has changed, or workers use another PocketBase; everything is as
            before.
    """
    workers = await control.workers()
    async with this.follower() as follower:
        await _caught_up(this, follower)
        _require_nothing_refused(this, follower)
        await control.prepare(backends, PREPARE)
        try:
            await _require_same_pocketbase(this, control)
            began = time.monotonic()
            await control.hold(HOLD)
            carried = await _caught_up(this, follower)
            _require_nothing_refused(this, follower)
            await this.bring_files_back()
            cursor = await this.cursor_of_target()
            this.about_to_turn()
            await control.switch()
        except BaseException:
            if await control.give_up():
                this.stay()
            raise
        pause = time.monotonic() - began
        # Whatever becomes of a worker, or of this command, the decision is made.
        try:
            configure()
        finally:
            await this.turn(cursor)
        await control.finished(GO_ON)
    return Switched(len(workers), pause, carried)


async def _caught_up(this: Run, follower: Follower) -> int:
    carried = 0
    async with aclosing(follower.catch_up()) as steps:
        async for progress in steps:
            this.take(progress)
            carried += sum(copied.written + copied.removed for copied in progress.copied)
    return carried


async def _require_same_pocketbase(this: Run, control: Control) -> None:
    """Have no worker go on with a PocketBase that nothing was copied to.

    Raises:
        ConfigurationError: A worker is connected to another one.
    """
    epochs = {worker.epoch for worker in await control.workers()} - {""}
    if others := epochs - {await this.epoch()}:
        raise ConfigurationError(
            f"Running workers use another PocketBase ({', '.join(sorted(others))}) than the one that was copied to.",
            hint="Give this command the settings that Open WebUI has: [pocketbase], and OPENWEBUI_POCKETBASE_...",
        )


def _require_nothing_refused(this: Run, follower: Follower) -> None:
    """Have nothing left behind that nobody was told of.

    Raises:
        ConfigurationError: The target has refused what has changed since the command began.
    """
    refused = [f"{table} {key}" for table, key in follower.refused if key not in this.left_out.get(table, ())]
    if refused:
        raise ConfigurationError(
            f"What has changed could not all be carried over: {', '.join(refused[:NAMED])}"
            f"{', ...' if len(refused) > NAMED else ''}.",
            hint="`openwebui-pocketbase migrate copy --compare` says why, with --follow if Open WebUI runs.",
        )
