"""A thread that reads the orders of a command to all workers, has them carried out, and reports how far this worker is.

It is not a task on the event loop: a busy loop must not keep the other workers waiting, or make this one look dead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.migrate.control.orders import Backends, Order, Report
from openwebui_pocketbase.migrate.control.tables import ControlTables

__all__ = ["Board", "Watch"]

log = logging.getLogger(__name__)

# All in seconds.
INTERVALS = {"prepare": 0.05, "hold": 0.02}
INTERVAL = 0.2
"""Between two looks, in all other phases."""
HEARTBEAT = 1.0
FENCE = 3.0
"""Without a look for so long nobody passes: after `GONE` a command goes on without this worker."""


class Board(Protocol):
    """What does what is wanted, on the event loop; an exception says why it cannot be done."""

    @property
    def backends(self) -> Backends:
        """Group -> backend, as it is in force here."""

    async def prepare(self, wanted: Backends) -> str:
        """Get ready to switch; return what names the data in PocketBase."""

    async def rest(self) -> None:
        """Leave the SQL database alone: nobody is inside the gate."""

    async def switch(self, backends: Backends, number: int) -> None:
        """Go on with these backends; nobody is inside the gate."""

    async def go_on(self) -> None:
        """Go on as before."""


class Watch:
    """Looks, obeys, and reports, from `start` to `stop`.

    Args:
        tables: Where a command says what it wants.
        gate: What everything that stores has to pass.
        board: Does what is wanted.
        fail: Ends the process, if it cannot go on with the backends in force.
    """

    def __init__(self, tables: ControlTables, gate: Gate, board: Board, fail: Callable[[BaseException], None]) -> None:
        self._tables = tables
        self._gate = gate
        self._board = board
        self._fail = fail
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._order: Order | None = None
        self._doing: Future[Any] | None = None
        self._reported: tuple[float, Report | None] = 0.0, None
        self.report = Report(secrets.token_hex(8), socket.gethostname(), os.getpid())

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; blocks until the worker is known to all.

        Args:
            loop: Where what is wanted is done.

        Raises:
            SQLAlchemyError: The tables cannot be used.
        """
        self._loop = loop
        self._tables.create()
        self.report.backends = dict(self._board.backends)
        self._gate.lets_pass_for(FENCE)
        with self._tables.connect() as connection:
            self._tables.report(connection, self.report)
        self._thread = threading.Thread(target=self._run, name="openwebui-pocketbase-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and let nobody wait; blocks for a moment."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
        self._gate.lets_pass_for(float("inf"))
        self._gate.open()

    def _run(self) -> None:
        is_told = False
        while not self._ends.is_set():
            try:
                with self._tables.connect() as connection:
                    while not self._ends.is_set():
                        self._turn(connection)
                        is_told = False
                        self._ends.wait(INTERVALS.get(self._order.phase if self._order else "", INTERVAL))
                    self._tables.sign_off(connection, self.report.worker)
            except SQLAlchemyError as error:
                if not is_told:
                    log.warning("The SQL database cannot be asked whether data are being switched: %s", error)
                is_told = True
                self._ends.wait(INTERVAL)

    def _turn(self, connection: Connection) -> None:
        began = time.monotonic()
        order = self._tables.look(connection)
        self._gate.lets_pass_for(FENCE - (time.monotonic() - began))
        self._obey(order, connection)
        self._tell(connection)

    def _obey(self, order: Order, connection: Connection) -> None:
        report = self.report
        if report.serves and order.in_force != report.backends:
            self._catch_up(order)
            return
        is_new = self._order is None or (order.number, order.phase) != (self._order.number, self._order.phase)
        self._order = order
        if is_new:
            self._begin(order)
        elif order.phase == "hold" and report.phase == "holding":
            self._drain()
        if order.phase in INTERVALS:
            self._tables.end_forgotten(connection, order)

    def _begin(self, order: Order) -> None:
        report = self.report
        report.number, report.in_flight = order.number, ""
        if order.phase == "prepare":
            report.failure, report.epoch = "", ""
            self._do(self._board.prepare(order.wanted), "preparing", self._prepared)
        elif order.phase == "hold":
            self._gate.hold()
            report.phase = "holding"
            self._drain()
        else:
            self._gate.open()
            report.phase = order.phase
            self._do(self._board.go_on(), order.phase, lambda _: None)

    def _prepared(self, epoch: Any) -> None:
        self.report.epoch, self.report.phase = epoch, "prepared"

    def _drain(self) -> None:
        """See whether what passed the gate before has ended."""
        if self._doing is not None and not self._doing.done():
            return
        self.report.in_flight = ", ".join(sorted(self._gate.calls)[:5])
        if not self.report.in_flight:
            self._do(self._board.rest(), "holding", lambda _: setattr(self.report, "phase", "held"))

    def _catch_up(self, order: Order) -> None:
        """Go on with the backends in force, which are others than those of this worker."""
        report = self.report
        self._gate.hold()
        if report.phase == "switching":
            return
        report.number = order.number
        self._order = None  # what is wanted besides is begun afterwards
        self._do(self._board.switch(order.in_force, order.number), "switching", self._switched)

    def _switched(self, _: Any) -> None:
        self.report.backends = dict(self._board.backends)
        self.report.phase = "switched"
        self._gate.open()

    def _do(self, step: Coroutine[Any, Any, Any], phase: str, then: Callable[[Any], None]) -> None:
        """Have something done on the event loop; report what came of it."""
        self.report.phase = phase
        number = self.report.number

        async def run() -> None:
            try:
                result = await step
            except Exception as error:  # noqa: BLE001 - whatever it is, the command is told, or the process ends
                if phase == "switching":
                    self._fail(error)
                log.warning("This process cannot take part in a switch: %s", error)
                if self.report.number == number:
                    self.report.failure, self.report.phase = str(error), "failed"
            else:
                if self.report.number == number and self.report.phase == phase:
                    then(result)

        self._doing = asyncio.run_coroutine_threadsafe(run(), self._loop)

    def _tell(self, connection: Connection) -> None:
        at, before = self._reported
        if self.report != before or time.monotonic() - at >= HEARTBEAT:
            report = replace(self.report)
            self._tables.report(connection, report)
            self._reported = time.monotonic(), report
