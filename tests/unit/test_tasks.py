"""What works in the background ends when it is to, and can begin again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from openwebui_pocketbase import tasks
from openwebui_pocketbase.tasks import BackgroundTask


class Waiting(BackgroundTask):
    """Waits as psycopg does."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()
        self.answers = 0

    async def _run(self) -> None:
        while True:
            await asyncio.wait_for(self.event.wait(), 60)
            self.event.clear()
            self.answers += 1


class Deaf(BackgroundTask):
    """Does not hear the first cancellation."""

    async def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)


@pytest.mark.parametrize("turns", range(6))
async def test_a_task_ends_whenever_an_answer_comes(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PATIENCE", 0.01)
    waiting = Waiting()
    for _ in range(2):
        waiting.start()
        await asyncio.sleep(0.001)
        waiting.event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await waiting.aclose()


async def test_a_task_that_does_not_hear_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PATIENCE", 0.01)
    deaf = Deaf()
    deaf.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await deaf.aclose()


async def test_what_a_task_raised_is_of_no_interest_when_it_is_ended() -> None:
    class Failing(BackgroundTask):
        async def _run(self) -> None:
            raise ValueError("failed")

    failing = Failing()
    failing.start()
    await asyncio.sleep(0)
    await failing.aclose()
