"""What a group of data declares: its rows, and the operations to be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["HOT", "Group", "Item", "Kind", "Operation", "Row", "Write", "one_of_each"]

Kind = Literal["read", "write"]
Row = dict[str, Any]
Item = dict[str, list[Row]]
"""Table -> rows; what PocketBase stores in one request. Tables which others refer to come first."""

Write = Callable[[Item], tuple[str, dict[str, Any]]]
"""Gives path and parameters of the request that stores an item; see `Group.is_raw`."""

HOT = {"p50_ratio": 0.7, "rate_ratio": 3.0}
"""Limits for what nearly every request of the application asks."""


def one_of_each(path: str) -> Write:
    """Return the request to a method which takes one row of each table, by the table's name."""
    return lambda item: (path, {table: row for table, (row,) in item.items()})


def _nothing(_numbers: range) -> Iterator[Item]:
    return iter(())


def _prepared() -> None:
    pass


@dataclass(frozen=True)
class Operation:
    """One method of a repository, and how to call it again and again.

    Attributes:
        call: The host's singleton and the method, such as ``Tags.insert_new_tag``; or a module and a function, such
            as ``open_webui.utils.timers:claim_due_timers``.
        kind: Whether it reads or writes.
        arguments: Arguments of the n-th call. The numbers never repeat, so that a write can always change
            something; reads rotate over the users by them.
        accepts: Whether a result is the right one; another counts as a failure, however fast it came.
        needs: What the calls with these numbers need beforehand; only rows that are purged afterwards.
        case: Tells operations with the same method apart.
        keywords: Keyword arguments of every call.
        limits: Figure -> limit of its target for this operation, where it is not the general one; None if there is
            no limit, and for ``overhead`` because there is no single request that could be sent alone. Figures of
            `bench.targets.FURTHER` have targets only here.
        callers: How many call at once, where it is not the number of the run: stock needs too long for so many.
        fewest: How many calls a measurement has at least.
    """

    call: str
    kind: Kind
    arguments: Callable[[int], tuple[Any, ...]]
    accepts: Callable[[Any], bool]
    needs: Callable[[range], Iterable[Item]] = _nothing
    case: str = ""
    keywords: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, float | None] = field(default_factory=dict)
    callers: int | None = None
    fewest: int = 20

    @property
    def function(self) -> tuple[str, str] | None:
        """Module and name of the function, if it is none of a repository."""
        module, colon, name = self.call.partition(":")
        return (module, name) if colon else None

    @property
    def name(self) -> str:
        """Name in the report; no other operation of the group has it."""
        call = self.call.removeprefix("open_webui.").replace(":", ".")
        return f"{call} {self.case}".rstrip()

    @property
    def repository(self) -> str:
        """Name of the host's singleton."""
        return self.call.partition(".")[0]

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.call.partition(".")[2]


@dataclass(frozen=True)
class Group:
    """One group of data.

    Attributes:
        name: Name of the group.
        scratch: Table -> the column which begins with `bench.data.SCRATCH` in rows that are purged after each
            measurement; in the order in which they are deleted.
        writes: Tables -> what stores an item with rows of these in PocketBase; other items are stored there by SQL,
            many at once.
        items: The data set; the same in every backend.
        operations: What is measured.
        space: How often the space of the reference's database may be taken, if that matters.
        is_raw: Whether `writes` are given rows as the host has them, not as they go over the wire.
        after: Names of the groups whose data set has to be there, too.
        prepare: Called once in each process before anything is measured.
    """

    name: str
    scratch: Mapping[str, str]
    writes: Mapping[tuple[str, ...], Write]
    items: Callable[[], Iterable[Item]]
    operations: tuple[Operation, ...]
    space: float | None = None
    is_raw: bool = False
    after: tuple[str, ...] = ()
    prepare: Callable[[], None] = _prepared
