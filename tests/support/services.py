"""Services that tests need and a machine may not have."""

from __future__ import annotations

import os

import pytest


def require(condition: bool, what: str) -> None:
    """Skip a test that needs a service which is not there; in CI, fail instead."""
    if not condition:
        if os.environ.get("OWUI_TEST_REQUIRE_SERVICES") == "1":
            pytest.fail(f"{what} is needed and not there")
        pytest.skip(f"needs {what}")
