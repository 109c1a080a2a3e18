"""Assertions in the modules which the tests share explain themselves, too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(*(f"tests.support.{name}" for name in ("openwebui", "driver", "processes", "scenarios")))
