"""What a group of data declares: its rows, and the operations to be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Group", "Kind", "Operation", "Row"]

Kind = Literal["read", "write"]
Row = dict[str, Any]


def _no_rows(_numbers: range) -> Iterator[Row]:
    return iter(())


@dataclass(frozen=True)
class Operation:
    """One method of a repository, and how to call it again and again.

    Attributes:
        method: Name of the method.
        kind: Whether it reads or writes.
        arguments: Arguments of the n-th call. The numbers never repeat, so that a write can always change
            something; reads rotate over the users by them.
        accepts: Whether a result is the right one; another counts as a failure, however fast it came.
        needs: Rows which the calls with these numbers need beforehand; they belong to scratch users.
    """

    method: str
    kind: Kind
    arguments: Callable[[int], tuple[Any, ...]]
    accepts: Callable[[Any], bool]
    needs: Callable[[range], Iterable[Row]] = _no_rows


@dataclass(frozen=True)
class Group:
    """One group of data.

    Attributes:
        name: Name of the group, also in PocketBase's routes.
        repository: Name of the host's singleton.
        table: Name of the host's table.
        insert: PocketBase's method that stores a row; its parameter is named like the table.
        rows: The data set; the same in every backend.
        operations: What is measured.
    """

    name: str
    repository: str
    table: str
    insert: str
    rows: Callable[[], Iterable[Row]]
    operations: tuple[Operation, ...]
