"""A worker's part in switches: from its start, when it has to agree with the others, to its end."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from open_webui.env import DATABASE_SCHEMA
from open_webui.internal import db
from sqlalchemy.exc import SQLAlchemyError

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.lifespan import end_process
from openwebui_pocketbase.host.switchboard import Switchboard
from openwebui_pocketbase.host.watch import Watch
from openwebui_pocketbase.migrate.control.orders import Order
from openwebui_pocketbase.migrate.control.tables import ControlTables

__all__ = ["Switching"]

log = logging.getLogger(__name__)

# All in seconds.
AGREEMENT = 15.0
"""For which a worker waits that finds others with other backends: a switch may be on its way to all."""
PAUSE = 0.1


class Switching:
    """Has this process take part.

    Args:
        board: Does what is wanted.
        gate: What everything that stores has to pass.
    """

    def __init__(self, board: Switchboard, gate: Gate) -> None:
        self._board = board
        self._tables = ControlTables(db.engine, DATABASE_SCHEMA or None)
        self._watch = Watch(self._tables, gate, board, _fail)

    @asynccontextmanager
    async def joining(self) -> AsyncIterator[None]:
        """Be known to all workers, and use what they use; within this context, the start, nothing is switched.

        Raises:
            ConfigurationError: The config file says otherwise than what others use; or the tables cannot be made.
        """
        loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._watch.start, loop)
        except SQLAlchemyError as error:
            raise ConfigurationError(
                f"The tables for switches cannot be used: {getattr(error, 'orig', None) or error}.",
                hint="Whoever runs Open WebUI needs the right to create tables; or remove switchable = true.",
            ) from error
        deadline = loop.time() + AGREEMENT
        while True:
            async with self._board.lock:
                order = await asyncio.to_thread(self._agreed)
                if order is None:
                    yield
                    self._watch.report.serves = 1
                    return
            if loop.time() > deadline:
                raise _disagreement(order, self._board)
            await asyncio.sleep(PAUSE)

    async def end(self) -> None:
        """Take part no more."""
        await asyncio.to_thread(self._watch.stop)
        await self._board.close()

    def _agreed(self) -> Order | None:
        """Return None if the backends of the config file are those in force; else what the others have been told."""
        with self._tables.connect() as connection:
            order = self._tables.look(connection)
            if order.phase == "hold":
                return order
            # After the look: the config file is written before a switch is decided.
            self._board.reload()
            backends = self._watch.report.backends = dict(self._board.backends)
            is_agreed = order.in_force == backends
            if is_agreed or self._tables.begin_with(connection, self._watch.report.worker, backends):
                return None
        return order


def _disagreement(order: Order, board: Switchboard) -> ConfigurationError:
    ours = board.backends
    other = [f"{group} in {backend}" for group, backend in order.in_force.items() if ours.get(group) != backend]
    if order.phase == "hold":
        return ConfigurationError("A switch of data to another place does not end.", hint="Start Open WebUI again.")
    return ConfigurationError(
        f"Other processes of this Open WebUI have {', '.join(other)}; the settings of this one say otherwise.",
        hint="Give all of them the same settings; to change where data are, use: openwebui-pocketbase migrate switch",
    )


def _fail(error: BaseException) -> None:
    """End this process: others store in other places by now, and it cannot."""
    print(
        f"\nopenwebui-pocketbase: This process cannot go on with the backends that were switched to: {error}\n",
        file=sys.stderr,
        flush=True,
    )
    end_process()
