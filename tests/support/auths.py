"""What the tests of credentials share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from open_webui.internal.db import get_async_db
from open_webui.models import users as host_users
from open_webui.models.auths import MfaChallenge

from openwebui_pocketbase.repositories.users import users as our_users
from tests.support.differential import Pair

__all__ = ["CHALLENGE", "Verifier", "call_with_session", "clock_of_users"]

CHALLENGE = MfaChallenge(token_hash="h", type="verify", expires_at=5, auth_method="password", auth_time=1)


class Verifier:
    """`verify_password` of the host's routers; notes the hashes it was asked about."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.asked: list[object] = []

    async def __call__(self, hashed: object) -> bool:
        self.asked.append(hashed)
        return hashed == self.right

    def __repr__(self) -> str:
        return f"Verifier({self.right!r})"


@contextmanager
def clock_of_users(pair: Pair) -> Iterator[None]:
    """Stop the time of the repositories of users, which make a part of what is compared."""
    with patch.object(host_users, "time", pair.clock), patch.object(our_users, "time", pair.clock):
        yield


async def call_with_session(pair: Pair, method: str, *args: Any, commit: bool = True, **kwargs: Any) -> Any:
    """Call a method of which the caller owns the SQL transaction."""
    oracle, subject = pair.oracle, pair.subject

    class WithSession:
        def __init__(self, repository: Any) -> None:
            self.repository = repository

        def __getattr__(self, name: str) -> Any:
            async def run(*args: Any, **kwargs: Any) -> Any:
                async with get_async_db() as session:
                    result = await getattr(self.repository, name)(*args, db=session, **kwargs)
                    await session.commit()
                    return result

            return run

    pair.oracle, pair.subject = WithSession(oracle), WithSession(subject)
    try:
        return await pair.call(method, *args, **kwargs)
    finally:
        pair.oracle, pair.subject = oracle, subject
