"""Makes an Open WebUI of the tests start and hash faster; Python runs this when it starts."""

from __future__ import annotations

import gc
import sys

import bcrypt

for name in ("sentence_transformers", "torch", "transformers"):
    # Libraries import these if they can, which is 40 % of the start; none of the tests runs a model.
    sys.modules[name] = None  # type: ignore[assignment]

# Modules stay: to look for garbage among them after every 700 new objects is a sixth of the start.
gc.set_threshold(50_000, 20, 50)

_salt = bcrypt.gensalt


def gensalt(rounds: int = 4, prefix: bytes = b"2b") -> bytes:
    """Return a salt for the cheapest hash: the stock one takes a quarter of a second."""
    return _salt(rounds, prefix)


bcrypt.gensalt = gensalt
