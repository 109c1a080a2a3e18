"""Many who post in a channel at once, two workers, and a PocketBase that dies meanwhile: nothing is lost or doubled."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

CHANNELS = "/api/v1/channels"
WRITERS = 8
EACH = 25
PAGE = 40


@dataclass(frozen=True)
class Sent:
    """What one of the writers has sent, and what it was answered."""

    writer: int
    number: int
    status: int
    answer: dict[str, Any]


def new_channel(instance: OpenWebUI, name: str) -> str:
    """Return the path of the messages of a group with another member than the admin."""
    form = {"type": "group", "name": name, "user_ids": [instance.user("reader").id]}
    made = instance.request("admin", "POST", f"{CHANNELS}/create", json=form).raise_for_status().json()
    return f"{CHANNELS}/{made['id']}/messages"


def pages(instance: OpenWebUI, path: str) -> list[dict[str, Any]]:
    """Return all messages as whoever scrolls back sees them, each page through a connection of its own."""
    found: list[dict[str, Any]] = []
    while True:
        with instance.client() as client:
            query = {"skip": len(found), "limit": PAGE}
            page = client.get(path, params=query, headers=instance.headers("reader")).raise_for_status().json()
        found += page
        if len(page) < PAGE:
            return found


def together(instance: OpenWebUI, path: str, sent: list[Sent], go_on: Callable[[int], bool]) -> None:
    """Have several clients post, each one message after the other, and keep what they sent."""
    headers = instance.headers("admin")

    def write(writer: int) -> None:
        with instance.client() as client:
            for number in itertools.takewhile(go_on, itertools.count()):
                answer = client.post(f"{path}/post", json={"content": f"{writer}-{number}"}, headers=headers)
                sent.append(Sent(writer, number, answer.status_code, answer.json()))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def check(found: list[dict[str, Any]], sent: list[Sent]) -> None:
    """Check that what was acknowledged is there once, as it was answered, in the order of each writer."""
    assert [content for content, times in Counter(each["content"] for each in found).items() if times > 1] == []
    by_id = {each["id"]: (each["content"], each["created_at"]) for each in found}
    acknowledged = [each.answer for each in sent if each.status == 200]
    assert [each for each in acknowledged if by_id.get(each["id"]) != (each["content"], each["created_at"])] == []
    times = [each["created_at"] for each in found]
    assert times == sorted(times, reverse=True)
    for writer in range(WRITERS):
        mine = [int(each["content"].partition("-")[2]) for each in found if each["content"].startswith(f"{writer}-")]
        assert mine == sorted(mine, reverse=True)


def test_hundreds_at_once_are_all_there(two_workers: OpenWebUI) -> None:
    instance = two_workers
    path = new_channel(instance, "busy")
    sent: list[Sent] = []
    together(instance, path, sent, lambda number: number < EACH)
    assert {each.status for each in sent} == {200}
    found = pages(instance, path)
    check(found, sent)
    assert len(found) == len({each["etag"] for each in found}) == WRITERS * EACH
    with instance.client() as client:
        listed = client.get(f"{CHANNELS}/", headers=instance.headers("reader")).raise_for_status().json()
    (mine,) = [each for each in listed if each["id"] in path]
    assert (mine["unread_count"], mine["last_message_at"]) == (len(found), found[0]["created_at"])


def test_a_killed_pocketbase_loses_no_message(embedded: OpenWebUI, poll: Callable[..., Any]) -> None:
    path = new_channel(embedded, "interrupted")
    sent: list[Sent] = []
    over = threading.Event()

    def goes_on() -> None:
        before = len(sent)
        poll(lambda: posting.done() or len(sent) > before + 2 * WRITERS, "messages are posted")

    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(together, embedded, path, sent, lambda _: not over.is_set())
        try:
            for _ in range(2):
                goes_on()
                embedded.kill_pocketbase()
            goes_on()
        finally:
            over.set()
        posting.result()
    # Whoever gets no answer within the time for which requests are repeated is told so; to try again is their part.
    assert {each.status for each in sent} <= {200, 400, 503}
    assert sum(each.status == 200 for each in sent) > WRITERS
    check(pages(embedded, path), sent)
