"""Where each group is: what the settings and the journal say of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openwebui_pocketbase.migrate.journal import Journal

__all__ = ["GroupState", "states"]

ALIVE = 10.0
"""Seconds since its last entry in the journal after which a follower is taken for gone."""


@dataclass(frozen=True)
class GroupState:
    """Where a group is.

    Attributes:
        group: Its name.
        backend: Where its data are used, by the settings.
        state: The same, with what is going on.
        lag: How far, in seconds, the other side is behind; None if it is not followed.
        waiting: How many changes were not carried over yet; None if it is not followed.
    """

    group: str
    backend: str
    state: str
    lag: float | None = None
    waiting: int | None = None

    def __str__(self) -> str:
        if self.lag is None:
            return self.state
        return f"{self.state} (lag {self.lag:.1f} s, {self.waiting:,} changes waiting)"


def states(data_dir: Path, backends: Mapping[str, str]) -> list[GroupState]:
    """Return where each group is.

    Args:
        data_dir: Open WebUI's data directory.
        backends: Group -> backend by the settings.

    Raises:
        ConfigurationError: The journal cannot be read.
    """
    journal = Journal.read(data_dir)
    return [_state(group, backend, journal) for group, backend in backends.items()]


def _state(group: str, backend: str, journal: Journal | None) -> GroupState:
    noted = journal.groups.get(group) if journal is not None else None
    if noted is None or noted.to == backend:
        return GroupState(group, backend, "pocketbase only" if backend == "pocketbase" else backend)
    is_followed = noted.state == "copied" and time.time() - noted.followed_at < ALIVE
    if backend == "pocketbase":
        state = "pocketbase with a follower" if is_followed else "pocketbase only"
    else:
        state = "following" if is_followed else noted.state
    if not is_followed:
        return GroupState(group, backend, state)
    return GroupState(group, backend, state, noted.lag, noted.waiting)
