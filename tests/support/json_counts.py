"""Counts what a thread parses and encodes as JSON, whichever library does it and however it was imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import orjson
import pydantic_core
from open_webui.utils.json_codec import JSONCodec

__all__ = ["JsonCounts", "counted_json"]

_LOADS = {JSONCodec.loads, json.loads, json.JSONDecoder.decode, orjson.loads, pydantic_core.from_json}
_DUMPS = {JSONCodec.dumps, json.dumps, json.JSONEncoder.encode, orjson.dumps, pydantic_core.to_json}


@dataclass
class JsonCounts:
    """How often something was parsed and encoded, and by which functions.

    Attributes:
        loads: Who called for a parse, in order: module and line.
        dumps: Who called for an encoding.
    """

    loads: list[str] = field(default_factory=list)
    dumps: list[str] = field(default_factory=list)


def _codes(functions: set[Callable[..., Any]]) -> set[CodeType | Callable[..., Any]]:
    """Return what a profile function is told of when one of these is called."""
    return {getattr(each, "__code__", each) for each in functions}


@contextmanager
def counted_json() -> Iterator[JsonCounts]:
    """Count within the block, in this thread.

    A call is counted once, though one library's function calls another's.
    """
    counts = JsonCounts()
    kinds: dict[Any, list[str]] = dict.fromkeys(_codes(_LOADS), counts.loads)
    kinds |= dict.fromkeys(_codes(_DUMPS), counts.dumps)
    inside: FrameType | None = None

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal inside
        if event == "return" and frame is inside:
            inside = None
        elif inside is None and event in ("call", "c_call"):
            called = frame.f_code if event == "call" else argument
            try:
                kind = kinds.get(called)
            except TypeError:  # a method of what has no hash
                return
            if kind is not None:
                caller = frame.f_back if event == "call" else frame
                assert caller is not None
                kind.append(f"{caller.f_globals.get('__name__')}:{caller.f_lineno}")
                inside = frame if event == "call" else None

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(before)
