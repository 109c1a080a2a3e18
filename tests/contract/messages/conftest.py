"""A talk for each kind of mix: users in PocketBase, and in SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.differential import Opened
from tests.support.messages import Talk, talking


@pytest.fixture(params=[True, False], ids=["users in PocketBase", "users in SQL"])
async def talk(oracle: str, opened: Opened, request: pytest.FixtureRequest) -> AsyncIterator[Talk]:
    async with talking(opened, oracle, with_users=request.param) as talk:
        yield talk
