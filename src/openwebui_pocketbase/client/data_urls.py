"""Data URLs on their way to PocketBase, which stores each once, and back."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from openwebui_pocketbase.client.wire import encode
from openwebui_pocketbase.data_urls import MARK, renamed

__all__ = ["DataUrls", "body_of"]

PART = 4 << 20
"""Bytes of data URLs in one request, and so the length of one transaction, during which nobody else can write."""

ANSWER = 8 << 20
"""Bytes after which PocketBase ends an answer."""

AT_ONCE = 1 << 20
"""Bytes up to which PocketBase is not asked before whether it has them; and that are worked on without a thread."""

CACHE_BYTES = 32 << 20
"""Bytes of cached data URLs; beyond that the least recently used are dropped."""

NAMES = 5000
"""How many are asked for in one request: anybody can write any number of what looks like marks."""

KNOWN = 1 << 14
"""How many names of data URLs are remembered that PocketBase has."""

Write = Callable[[str, bytes], Awaitable[Any]]
Read = Callable[[str, Mapping[str, Any]], Awaitable[bytes]]


class DataUrls:
    """The data URLs of one PocketBase, as far as this process knows them.

    Args:
        read: Calls a method that reads, and returns its answer as it came.
        write: Calls a method that writes with a body, and returns its answer.
    """

    def __init__(self, read: Read, write: Write) -> None:
        self._read = read
        self._write = write
        self._key = b""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()

    def forget(self) -> None:
        """Forget what PocketBase has: it was restored."""
        with self._lock:
            self._known.clear()

    async def store(self, content: bytes, found: Mapping[str, str]) -> tuple[bytes, int]:
        """Have data URLs stored, as far as they are not; return the body with their names there, and their number.

        Args:
            content: A request's body.
            found: The data URLs in it, by the names in its marks.
        """
        if not self._key:
            self._key = bytes.fromhex(orjson.loads(await self._read("data_urls/get_key", {})))
        is_much = sum(map(len, found.values())) > AT_ONCE
        names: dict[str, str] = await _computed(is_much, lambda: {name: self._name(found[name]) for name in found})
        urls = {names[name]: url for name, url in found.items()}
        with self._lock:
            unknown = [name for name in urls if name not in self._known]
        if unknown:
            if sum(len(urls[name]) for name in unknown) > AT_ONCE:
                unknown = await self._write("data_urls/find_missing", encode({"names": unknown}))
            for parts in _parts({name: urls[name] for name in unknown}):
                await self._write("data_urls/add_parts", body_of(parts))
        with self._lock:
            self._known.update(dict.fromkeys(urls))
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return renamed(content, names), len(urls)

    async def put_in(self, answer: bytes) -> bytes:
        """Return an answer with data URLs in the place of their marks; what PocketBase has not stays a mark."""
        urls: dict[str, bytes] = {}
        names = await _computed(len(answer) > AT_ONCE, lambda: sorted({name.decode() for name in MARK.findall(answer)}))
        for at in range(0, len(names), NAMES):
            urls |= await self._get(names[at : at + NAMES])
        is_much = len(answer) + sum(map(len, urls.values())) > AT_ONCE
        made: bytes = await _computed(
            is_much, lambda: MARK.sub(lambda found: urls.get(found[1].decode(), found[0]), answer)
        )
        return made

    def _name(self, url: str) -> str:
        # With a key: otherwise people could find out, and have shown to them, what others have.
        return hashlib.blake2b(url.encode(), key=self._key, digest_size=20).hexdigest()

    async def _get(self, names: list[str]) -> dict[str, bytes]:
        # One after the other: whoever waits for the same ones has them then, and PocketBase has not all in memory.
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            with self._lock:
                found = {name: self._cache[name] for name in names if name in self._cache}
                for name in found:
                    self._cache.move_to_end(name)
            if missing := [name for name in names if name not in found]:
                fetched = await self._fetch(missing)
                found |= fetched
                self._keep(fetched)
        return found

    async def _fetch(self, names: list[str]) -> dict[str, bytes]:
        pieces: dict[str, list[str]] = {}
        complete: set[str] = set()
        after = ["", -1]
        while len(complete) < len(names):
            parameters = {"names": names, "after": after[0], "after_part": after[1], "bytes": ANSWER}
            answer = await self._read("data_urls/get_parts", parameters)
            parts = await _computed(len(answer) > AT_ONCE, lambda a=answer: orjson.loads(a))  # type: ignore[misc]
            if not parts:
                break  # it has not all of them
            for name, _, count, piece in parts:
                pieces.setdefault(name, []).append(piece)
                if len(pieces[name]) == count:
                    complete.add(name)
            after = parts[-1][:2]
        return {name: "".join(pieces[name]).encode() for name in complete}

    def _keep(self, urls: Mapping[str, bytes]) -> None:
        with self._lock:
            for name, url in urls.items():
                if name not in self._cache:
                    self._cache[name] = url
                    self._size += len(url)
            while self._size > CACHE_BYTES:
                _, oldest = self._cache.popitem(last=False)
                self._size -= len(oldest)


async def _computed(in_thread: bool, function: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(function) if in_thread else function()


def body_of(parts: Iterable[tuple[str, int, int, str]]) -> bytes:
    """Return the body of ``data_urls/add_parts``.

    The texts are JSON without having been encoded, and PocketBase finds them by their lengths without parsing them.

    Args:
        parts: Name of the data URL, number of the part, how many there are, and its text.
    """
    heads, texts = [], []
    for name, part, count, text in parts:
        heads.append({"name": name, "part": part, "parts": count, "length": len(text)})
        texts.append(text)
    head = encode({"parts": heads})[:-1]
    return b"".join((head, b',\n"text":"', *(text.encode("ascii") for text in texts), b'"}'))


def _parts(urls: Mapping[str, str]) -> Iterator[list[tuple[str, int, int, str]]]:
    """Yield data URLs as `body_of` takes them, some megabytes at a time, the last part of each last."""
    parts: list[tuple[str, int, int, str]] = []
    size = 0
    for piece in _pieces(urls.items()):
        if parts and size + len(piece[-1]) > PART:
            yield parts
            parts, size = [], 0
        parts.append(piece)
        size += len(piece[-1])
    if parts:
        yield parts


def _pieces(urls: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, int, str]]:
    for name, url in urls:
        count = -(-len(url) // PART)
        for number in range(count):
            yield name, number, count, url[number * PART : (number + 1) * PART]
