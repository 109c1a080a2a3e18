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
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any

import uvloop

from bench import groups
from bench.floor import replay
from bench.measure import forget_garbage, measure
from bench.operations import Group, Operation
from bench.stores import PocketBaseStore, SqlStore, Store

STORES = {"sqlite": SqlStore, "postgresql": SqlStore, "pocketbase": PocketBaseStore}


class Worker:
    """Measures the operations of some groups on one backend.

    Args:
        store: The backend.
        names: Names of the groups.
    """

    def __init__(self, store: Store, names: list[str]) -> None:
        self._store = store
        self._groups = {name: groups.load(name) for name in names}
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    async def load(self) -> dict[str, Any]:
        """Put the data sets in; return the database's version and the operations there are."""
        for group in self._groups.values():
            await self._store.insert(group, group.rows())
        await self._store.settle()
        forget_garbage()
        operations = [
            {"group": group.name, "method": operation.method, "kind": operation.kind}
            for group in self._groups.values()
            for operation in group.operations
        ]
        return {"version": await self._store.version(), "operations": operations}

    async def measure(self, group: str, method: str, *, calls: int, callers: int, floor: bool) -> dict[str, Any]:
        """Measure one operation; with ``floor`` its bare requests instead."""
        of = self._groups[group]
        operation = next(operation for operation in of.operations if operation.method == method)
        first = next(itertools.islice(self._numbers[f"{group}.{method}"], calls - 1, None)) - calls + 1
        numbers = range(first, first + calls)
        await self._store.insert(of, operation.needs(numbers))
        cell = await (self._floor if floor else self._adapter)(of, operation, numbers, callers)
        if operation.kind == "write":
            await self._store.purge(of)
        return asdict(cell)

    async def _adapter(self, group: Group, operation: Operation, numbers: range, callers: int) -> Any:
        method = getattr(self._store.repository(group), operation.method)
        inputs = [operation.arguments(number) for number in numbers]
        return await measure(lambda args: method(*args), inputs, accepts=operation.accepts, callers=callers)

    async def _floor(self, group: Group, operation: Operation, numbers: range, callers: int) -> Any:
        assert isinstance(self._store, PocketBaseStore)
        requests = await self._store.requests(group, operation, numbers)
        return await replay(requests, self._store.url, callers=callers)


def main(backend: str, names: list[str]) -> None:
    """Answer every line of the standard input with one of the standard output, until there are no more."""
    answers = _claim_standard_output()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        store: Store = runner.run(STORES[backend].open())
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


def _claim_standard_output() -> IO[str]:
    """Return the standard output; what the host prints goes to the standard error instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
