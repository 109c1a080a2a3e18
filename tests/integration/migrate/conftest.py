"""PocketBase as one side of a move, without any rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.migrate.pocketbase.store import PocketBaseStore
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.differential import clear
from tests.support.pocketbase import PocketBaseProcess


@pytest.fixture
async def client(fresh_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseClient]:
    client = fresh_pocketbase.client()
    await clear(client, *TABLES)
    yield client
    await client.aclose()


@pytest.fixture
def store(client: PocketBaseClient) -> PocketBaseStore:
    return PocketBaseStore(client)
