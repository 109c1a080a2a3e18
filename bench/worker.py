"""One backend's callers: a process that is told over its standard input what to do, a JSON object per line.

Of several such processes one works at a time. The event loop is uvloop's, which is what Open WebUI runs on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict
from typing import IO, Any

import uvloop

from bench import groups
from bench.floor import replay
from bench.measure import Cell, forget_garbage, measure
from bench.operations import Operation
from bench.pocketbase_stores import MirroredStore, PocketBaseStore, ThroughStore
from bench.stores import SqlStore, Store

OPEN: dict[str, Callable[[], Coroutine[Any, Any, Store]]] = {
    "sqlite": SqlStore.open,
    "postgresql": SqlStore.open,
    "pocketbase": PocketBaseStore.open,
    "mirrored": MirroredStore.open,
    "through": ThroughStore.open,
}


class Worker:
    """Measures the operations of some groups on one backend.

    Args:
        store: The backend.
        names: Names of the groups.
    """

    def __init__(self, store: Store, names: list[str]) -> None:
        self._store = store
        self._operations = {
            (group.name, operation.name): (group, operation)
            for group in map(groups.load, names)
            for operation in group.operations
            if store.measures(group, operation)
        }
        self._loaded = groups.with_data_for(dict.fromkeys(name for name, _ in self._operations))
        self._numbers: defaultdict[tuple[str, str], Iterator[int]] = defaultdict(itertools.count)

    async def load(self) -> dict[str, Any]:
        """Put the data sets in; return the database's version and the operations to measure."""
        for group in self._loaded:
            group.prepare()
            await self._store.insert(group, group.items())
        await self._store.settle()
        forget_garbage()
        operations = [
            {
                "group": group.name,
                "name": operation.name,
                "kind": operation.kind,
                "limits": dict(operation.limits),
                "callers": operation.callers,
                "fewest": operation.fewest,
            }
            for group, operation in self._operations.values()
        ]
        measured = {group.name: group for group, _ in self._operations.values()}.values()
        return {
            "version": await self._store.version(),
            "operations": operations,
            "space": await self._store.space(),
            "space_limit": next((group.space for group in measured if group.space), None),
        }

    async def measure(self, group: str, name: str, *, calls: int, callers: int, floor: bool) -> dict[str, Any]:
        """Measure one operation; with ``floor`` its bare requests instead."""
        of, operation = self._operations[group, name]
        first = next(itertools.islice(self._numbers[group, name], calls - 1, None)) - calls + 1
        numbers = range(first, first + calls)
        await self._store.insert(of, operation.needs(numbers))
        cell = await (self._floor if floor else self._adapter)(operation, numbers, callers)
        if operation.kind == "write":
            await self._store.purge(of)
        return asdict(cell)

    async def _adapter(self, operation: Operation, numbers: range, callers: int) -> Cell:
        method = self._store.method(operation)
        inputs = [operation.arguments(number) for number in numbers]
        return await measure(lambda args: method(*args), inputs, accepts=operation.accepts, callers=callers)

    async def _floor(self, operation: Operation, numbers: range, callers: int) -> Cell:
        assert isinstance(self._store, PocketBaseStore)
        requests = await self._store.requests(operation, numbers)
        return await replay(requests, self._store.url, callers=callers)


def main(backend: str, names: list[str]) -> None:
    """Answer every line of the standard input with one of the standard output, until there are no more."""
    answers = claim_standard_output()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        store = runner.run(OPEN[backend]())
        try:
            worker = Worker(store, names)
            for line in sys.stdin:
                request = json.loads(line)
                try:
                    answer = runner.run(getattr(worker, request.pop("do"))(**request))
                except Exception:  # noqa: BLE001 - the parent process reports it
                    answer = {"error": traceback.format_exc()}
                print(json.dumps(answer), file=answers, flush=True)
        finally:
            runner.run(store.close())


def claim_standard_output() -> IO[str]:
    """Return the standard output; what the host prints goes to the standard error instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
