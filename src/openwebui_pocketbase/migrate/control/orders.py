"""What a command wants of all workers, and what each of them reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Backends", "Order", "Report"]

Backends = Mapping[str, str]
"""Group -> backend, of all groups."""


@dataclass(frozen=True)
class Order:
    """What is wanted of all workers.

    Attributes:
        number: Of the switch; 0 if there never was one.
        phase: ``prepare``, ``hold``, ``switched``, or ``open`` if it was given up.
        wanted: The backends that the switch is about.
        in_force: The backends that all workers use.
        age: Seconds for which it has been in this phase.
        reason: Why it was given up.
    """

    number: int
    phase: str
    wanted: Backends
    in_force: Backends
    age: float
    reason: str


@dataclass
class Report:
    """How far a worker is.

    Attributes:
        worker: Its name.
        host: Its machine.
        pid: Its process.
        number: The switch that it knows of.
        phase: How far it is with that: a phase, or ``preparing``, ``prepared``, ``holding``, ``held``, ``failed``.
        in_flight: Calls for whose end it waits, if it holds others.
        failure: Why it cannot do what is wanted.
        backends: What it uses.
        serves: 1 as soon as it answers requests.
        epoch: Names the data in PocketBase with which it is prepared to go on.
    """

    worker: str
    host: str
    pid: int
    number: int = 0
    phase: str = "open"
    in_flight: str = ""
    failure: str = ""
    backends: Backends = field(default_factory=dict)
    serves: int = 0
    epoch: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"
