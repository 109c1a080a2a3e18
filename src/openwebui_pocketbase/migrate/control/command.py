"""Asking the running workers of Open WebUI to hold what they are asked, and to go on with other backends.

A switch has four steps. In each of them the command can be killed, and a worker can be lost or can fail: before
`switch` has decided, everybody goes on as before; afterwards, with the new backends, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from openwebui_pocketbase.exceptions import SwitchError
from openwebui_pocketbase.migrate.control.orders import Backends, Report
from openwebui_pocketbase.migrate.control.tables import ControlTables

__all__ = ["Control"]

T = TypeVar("T")

PAUSE = 0.02
"""Seconds between two looks at how far the workers are."""

MOST_NAMED = 3
"""How many workers an error names."""


class Control:
    """One switch, as its command sees it.

    Args:
        engine: The host's SQL database.
        schema: Schema of the host's tables, if they are not in the default one.
    """

    def __init__(self, engine: Engine, schema: str | None = None) -> None:
        self._tables = ControlTables(engine, schema)
        self._number = 0
        self._prepared: frozenset[str] = frozenset()

    async def workers(self) -> list[Report]:
        """Return the workers that are there; none if Open WebUI does not run, or not with ``switchable = true``."""
        await self._create()
        return await self._do(self._tables.workers)

    async def prepare(self, backends: Backends, seconds: float = 60.0) -> None:
        """Have all workers connect to what they are going to use; they go on as before.

        Args:
            backends: Group -> backend; groups that are not named stay where they are.
            seconds: Seconds in which they have to be ready.

        Raises:
            SwitchError: Another switch is going on, a worker cannot do it, or is not ready in time. It is given up.
        """
        await self._create()
        wanted = {**(await self._do(self._tables.look)).in_force, **backends}
        number = await self._do(lambda connection: self._tables.start(connection, wanted))
        if number is None:
            raise SwitchError(
                "Another switch is going on.", hint="Wait until it has ended; one that was killed ends by itself."
            )
        self._number = number
        await self._all("prepared", seconds, "is not ready for the switch")
        self._prepared = frozenset(worker.worker for worker in await self.workers())

    async def hold(self, seconds: float = 5.0) -> None:
        """Have all workers let nobody begin anything, and wait until nothing is going on any more.

        It ends by itself ten seconds after this was called, unless `switch` or `give_up` comes before.

        Args:
            seconds: Seconds to wait for what is going on.

        Raises:
            SwitchError: Something goes on for too long, or the switch is over already. It is given up.
        """
        if not await self._do(lambda connection: self._tables.hold(connection, self._number)):
            raise await self._over()
        await self._all("held", seconds, "still does something")
        # One that is stopped, and not gone, may go on with what it was doing when all is over.
        if lost := [each for each in await self._do(self._tables.silent) if each.worker in self._prepared]:
            message = f"{_named(lost)} was there, and was not heard of any more."
            await self.give_up(message)
            raise SwitchError(message, hint="Everything goes on as before. See what has become of it, and try again.")

    async def switch(self) -> None:
        """Put the backends that were prepared in force, in all workers: the decision, which cannot be taken back.

        The config file says the same by now: workers that start from now on read it.

        Raises:
            SwitchError: The hold is over, so that workers write again. Everybody goes on as before.
        """
        if not await self._do(lambda connection: self._tables.switch(connection, self._number)):
            raise await self._over()

    async def give_up(self, reason: str = "the command gave it up") -> bool:
        """Have all workers go on as before; return False if they go on with the new backends already."""
        return await self._do(lambda connection: self._tables.give_up(connection, self._number, reason))

    async def finished(self, seconds: float = 30.0) -> None:
        """Wait until all workers have gone on with the new backends.

        Raises:
            SwitchError: A worker has not. It serves nobody meanwhile, and ends if it cannot do it.
        """
        behind = await self._behind("switched", seconds)
        if behind:
            raise SwitchError(
                f"The switch is made, but {_named(behind)} has not gone on with it: {_why(behind[0])}.",
                hint="Such a worker answers nobody, and ends. If Open WebUI does not start another, start it again.",
            )

    async def _all(self, phase: str, seconds: float, problem: str) -> None:
        try:
            behind = await self._behind(phase, seconds)
        except BaseException:
            await asyncio.shield(self.give_up())
            raise
        if behind:
            message = f"{_named(behind)} {problem}: {_why(behind[0])}."
            await self.give_up(message)
            raise SwitchError(message, hint="Everything goes on as before. Remove the cause, and try again.")

    async def _behind(self, phase: str, seconds: float) -> list[Report]:
        """Wait for all workers; return those that have failed, or have not got there in time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            workers = await self._do(self._tables.workers)
            behind = [each for each in workers if (each.number, each.phase) != (self._number, phase)]
            failed = [each for each in behind if each.number == self._number and each.failure]
            if failed or not behind or asyncio.get_running_loop().time() > deadline:
                return failed or behind
            await asyncio.sleep(PAUSE)

    async def _over(self) -> SwitchError:
        order = await self._do(self._tables.look)
        why = order.reason if order.number == self._number and order.reason else "another one has begun"
        return SwitchError(
            f"This switch is over: {why}.", hint="Everything goes on as before. Start the command again."
        )

    async def _create(self) -> None:
        await self._do(lambda _: self._tables.create())

    async def _do(self, step: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._tables.connect() as connection:
                return step(connection)

        try:
            return await asyncio.to_thread(run)
        except SQLAlchemyError as error:
            raise SwitchError(
                f"Open WebUI's SQL database could not be used: {getattr(error, 'orig', None) or error}.",
                hint="Whoever runs this needs the right to create tables there, as Open WebUI has.",
            ) from error


def _named(workers: list[Report]) -> str:
    more = f" (and {len(workers) - MOST_NAMED} more)" if len(workers) > MOST_NAMED else ""
    return ", ".join(str(worker) for worker in workers[:MOST_NAMED]) + more


def _why(worker: Report) -> str:
    return worker.failure or (f"in flight: {worker.in_flight}" if worker.in_flight else f"it is {worker.phase}")
