"""Fixtures of the contract suites: a connected client, and pairs of stock and ours on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.client.transport import Answer, Transport
from tests.support.differential import Opened, open_pair
from tests.support.pocketbase import PocketBaseProcess


@pytest.fixture(scope="module")
async def client(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = pocketbase.client()
    yield client
    await client.aclose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def oracle(request: pytest.FixtureRequest) -> str:
    """The database of the stock repository."""
    database: str = request.param
    return database


@pytest.fixture
def opened(pocketbase: PocketBaseProcess, client: PocketBaseClient, tmp_path: Path) -> Opened:
    """Opens a contract's pair on a database."""
    return lambda contract, oracle: open_pair(contract, oracle, pocketbase, client, tmp_path)


@pytest.fixture
def requests(client: PocketBaseClient, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The heads of the requests that were sent."""
    sent: list[bytes] = []
    send = Transport.send

    async def count(self: Transport, head: bytes, body: bytes, **more: bool) -> Answer:
        sent.append(head)
        return await send(self, head, body, **more)

    monkeypatch.setattr(Transport, "send", count)
    return sent
