"""Channels and their messages: members, threads, reactions, pins, webhooks, files, search. The same answers wherever
the data are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES, with_and_without_users
from tests.support.scenarios import MISSING, Step, Upload, grant, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import Fleet, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

CHANNELS = "/api/v1/channels"
FILES = "/api/v1/files"
GROUPS = "/api/v1/groups"
SEARCH = "/api/v1/search"


@pytest.fixture
def instances(fleet: Fleet, database: str) -> dict[str, OpenWebUI]:
    """A stock instance, and one for each set of groups that messages can be with."""
    names = with_and_without_users("messages", database)
    return dict(zip(names, fleet.start(*((name, database) for name in names)), strict=True))


def create(name: str, user: str = "admin", status: int = 200, **form: Any) -> Step:
    """Return a step that makes a channel, and saves its id by that name."""
    return step(user, status, f"POST {CHANNELS}/create", {"name": f"{name} $here", **form}, save=name)


def open_to(*who: dict[str, str]) -> dict[str, Any]:
    """Return who may read and write a channel, besides Ann."""
    grants = [*who, grant("$ann", "read"), grant("$ann", "write")]
    return {"access_grants": grants}


def post(user: str, channel: str, text: str, save: str = "", status: int = 200, **form: Any) -> Step:
    body = {"content": f"{text} $here", **form}
    return step(user, status, f"POST {CHANNELS}/${channel}/messages/post", body, save=save)


def message(user: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Step:
    """Return a step that sends a body to a message, or reads it: ``channel/message/what``, or ``channel?limit=...``."""
    channel, rest = re.fullmatch(r"(\w+)(.*)", path).groups()  # type: ignore[union-attr]
    method = "GET" if body is None else "POST"
    return step(user, status, f"{method} {CHANNELS}/${channel}/messages{rest}", body, **more)


def delete(user: str, channel: str, name: str, status: int = 200) -> Step:
    return step(user, status, f"DELETE {CHANNELS}/${channel}/messages/${name}/delete")


def react(user: str, channel: str, name: str, reaction: str, change: str = "add", status: int = 200) -> Step:
    return message(user, f"{channel}/${name}/reactions/{change}", {"name": reaction}, status)


def lists(*users: str) -> list[Step]:
    """Return steps that look at all channels."""
    return [step(user, 200, f"GET {CHANNELS}/{path}", mine=True, sort=True) for user in users for path in ("", "list")]


def members(user: str, channel: str, query: str = "", status: int = 200) -> Step:
    return step(user, status, f"GET {CHANNELS}/${channel}/members?query=$here{query}", sort=not query)


def looks(user: str, channel: str, *names: str) -> list[Step]:
    """Return steps that look at a channel: itself, its pages, its pins, and some of its messages and their threads."""
    return [
        step(user, 200, f"GET {CHANNELS}/${channel}", sort=True),
        message(user, channel),
        message(user, f"{channel}/pinned"),
        *[message(user, f"{channel}/${name}") for name in names],
        *[message(user, f"{channel}/${name}/thread") for name in names],
    ]


SCENARIOS: dict[str, list[Step]] = {
    "channels": [
        step("admin", 200, f"POST {GROUPS}/create", {"name": "top $here", "description": ""}, save="top"),
        step(
            "admin",
            200,
            f"POST {GROUPS}/create",
            {"name": "team $here", "description": "", "parent_group_id": "$top"},
            save="team",
        ),
        step("admin", 200, f"POST {GROUPS}/id/$team/users/add", {"user_ids": ["$bob"]}),
        create("Mine", user="ann", status=401),
        create(
            "General", description="All", data={"a": 1.0}, meta={"b": [1]}, **open_to(grant("$top", "read", "group"))
        ),
        create("Secret", is_private=True),
        create("Group", user="ann", type="group", user_ids=["$bob"], group_ids=["$top"], access_grants=[]),
        create("Direct", user="ann", type="dm", user_ids=["$bob"]),
        step("bob", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$ann", "$ann"]}),
        step("carl", 200, f"GET {CHANNELS}/users/$ann", save="found"),
        step("ann", 200, f"GET {CHANNELS}/users/$carl"),
        step("ann", 200, f"GET {CHANNELS}/users/$bob"),
        *lists("admin", "ann", "bob", "carl"),
        *[step(user, 200, f"GET {CHANNELS}/$General", sort=True) for user in ("admin", "ann", "bob")],
        step("carl", 403, f"GET {CHANNELS}/$General"),
        step("carl", 403, f"GET {CHANNELS}/$Group"),
        step("ann", 404, f"GET {CHANNELS}/{MISSING}"),
        step("ann", 200, f"GET {CHANNELS}/$Group", sort=True),
        members("ann", "General"),
        members("ann", "General", "&order_by=name&direction=desc"),
        members("ann", "Group", "&order_by=name&direction=asc"),
        members("bob", "Direct"),
        members("carl", "Group", status=403),
        # Members come and go.
        step("ann", 200, f"POST {CHANNELS}/$Group/update/members/add", {"user_ids": ["$carl", "$bob"]}, sort=True),
        step("ann", 200, f"POST {CHANNELS}/$Group/update/members/add", {"user_ids": ["$carl"]}),
        step("bob", 403, f"POST {CHANNELS}/$Group/update/members/add", {"user_ids": ["$bob"]}),
        step("ann", 403, f"POST {CHANNELS}/$Direct/update/members/add", {"user_ids": ["$carl"]}),
        step("admin", 200, f"POST {CHANNELS}/$General/update/members/add", {"group_ids": ["$top"]}, sort=True),
        step("ann", 200, f"POST {CHANNELS}/$Group/update/members/remove", {"user_ids": ["$bob", MISSING]}),
        step("bob", 403, f"GET {CHANNELS}/$Group"),
        step("carl", 200, f"POST {CHANNELS}/$Group/members/active", {"is_active": False}),
        step("carl", 404, f"POST {CHANNELS}/$Group/members/active", {"is_active": True}),
        step("carl", 403, f"POST {CHANNELS}/$Group/members/mute", {"is_channel_muted": True}),
        members("ann", "Group", "&order_by=name&direction=asc"),
        *[
            step("ann", 200, f"POST {CHANNELS}/${name}/members/mute", {"is_channel_muted": True})
            for name in ("Group", "General")
        ],
        step("carl", 403, f"POST {CHANNELS}/$General/members/mute", {"is_channel_muted": True}),
        *lists("ann", "bob", "carl"),
        post("ann", "Group", "Whoever is away comes back"),
        *lists("carl"),
        # Channels change.
        step("ann", 403, f"POST {CHANNELS}/$General/update", {"name": "Ann's $here"}),
        step("ann", 200, f"POST {CHANNELS}/$Group/update", {"name": "New Name $here", "meta": {"c": None}}),
        step("admin", 200, f"POST {CHANNELS}/$General/update", {"name": "Other $here", "is_private": False}),
        step("ann", 403, f"POST {CHANNELS}/$Group/access/update", {"access_grants": []}),
        step(
            "admin",
            200,
            f"POST {CHANNELS}/$General/access/update",
            {"access_grants": [grant("$carl", "read"), grant("$ann", "read")]},
            sort=True,
        ),
        step("bob", 403, f"GET {CHANNELS}/$General"),
        step("carl", 200, f"GET {CHANNELS}/$General", sort=True),
        post("carl", "General", "May I?", status=403),
        *lists("admin", "ann", "bob", "carl"),
        step("bob", 403, f"DELETE {CHANNELS}/$Direct/delete"),
        step("ann", 200, f"DELETE {CHANNELS}/$Group/delete"),
        step("admin", 200, f"DELETE {CHANNELS}/$Secret/delete"),
        step("ann", 404, f"GET {CHANNELS}/$Group"),
        *lists("admin", "ann", "bob", "carl"),
    ],
    "messages": [
        create("c", **open_to(grant("$bob", "read"), grant("$bob", "write"), grant("$carl", "read"))),
        create("other", **open_to()),
        post("ann", "c", "One", "one", data={"files": [], "x": {"y": 1.0}}, temp_id="t"),
        post("bob", "c", "Two", "two", reply_to_id="$one"),
        post("bob", "c", "A reply", "reply", parent_id="$one"),
        post("ann", "c", "A quote in the thread", "quote", parent_id="$one", reply_to_id="$reply"),
        post("admin", "c", "A chain", "chain", reply_to_id="$quote", data={"embeds": [1]}),
        post("carl", "c", "I only read", status=403),
        post("ann", "other", "A reply to elsewhere", parent_id="$one", status=400),
        post("ann", "c", "A reply to nothing", reply_to_id=MISSING, status=400),
        post("ann", "other", "Elsewhere", "elsewhere"),
        *looks("ann", "c", "one", "two", "chain"),
        message("carl", "c/$one/data"),
        message("carl", "c/$two/data"),
        message("carl", "c/$elsewhere/data", status=400),
        message("carl", f"c/{MISSING}", status=404),
        message("carl", "c/$elsewhere/thread"),
        step("carl", 200, f"GET {CHANNELS}/$c", sort=True),
        # Pages.
        *[post("bob", "c", f"Number {number}", f"n{number}") for number in range(4)],
        *[post("ann", "c", f"In the thread {number}", f"t{number}", parent_id="$one") for number in range(13)],
        *[
            message("ann", f"c?{query}")
            for query in (
                "limit=3",
                "skip=2&limit=3",
                "skip=50",
                "limit=0",
            )
        ],
        *[
            message("ann", f"c/$one/thread?{query}")
            for query in (
                "limit=4",
                "skip=4&limit=4",
                "skip=14&limit=3",
                "limit=0",
                "around=$reply&limit=4",
                "around=$t1&limit=5",
                "around=$one&limit=3",
                "before=$t3&limit=2",
                "before=$reply",
                "before=$two",
                f"around={MISSING}",
            )
        ],
        message("ann", f"c/{MISSING}/thread"),
        # Changes.
        message("ann", "c/$one/update", {"content": "One changed", "data": {"z": None}, "meta": {"webhook": {}}}),
        message("bob", "c/$one/update", {"content": "No"}, status=403),
        message("admin", "c/$one/update", {"content": "By the admin", "reply_to_id": "$two"}),
        message("ann", f"c/{MISSING}/update", {"content": "No"}, status=404),
        *[message("ann", f"c/${name}/pin", {"is_pinned": True}) for name in ("two", "t1", "one")],
        message("ann", "c/$elsewhere/pin", {"is_pinned": True}, status=400),
        message("carl", "c/$one/pin", {"is_pinned": True}, status=403),
        message("bob", "c/$two/pin", {"is_pinned": False}),
        message("ann", "c/pinned?page=2"),
        *looks("ann", "c", "one"),
        # What is deleted is quoted no more, and takes its thread along, except for what quotes that.
        react("bob", "c", "reply", "smile"),
        delete("bob", "c", "one", status=403),
        delete("ann", "c", "reply", status=403),
        delete("bob", "c", "reply"),
        *looks("ann", "c", "one", "quote", "chain"),
        delete("ann", "c", "one"),
        delete("ann", "c", "one", status=404),
        delete("carl", "c", "two", status=403),
        *looks("ann", "c", "two", "chain"),
        *lists("ann", "carl"),
    ],
    "reactions": [
        create("c", **open_to(grant("$bob", "write"), grant("$bob", "read"), grant("$carl", "write"))),
        post("ann", "c", "React!", "m"),
        post("ann", "c", "To this as well", "n", parent_id="$m"),
        react("ann", "c", "m", "+1"),
        react("bob", "c", "m", "+1"),
        react("bob", "c", "m", "+1"),
        react("bob", "c", "m", "🎉"),
        react("carl", "c", "m", "🎉"),
        react("carl", "c", "n", "+1"),
        react("dora", "c", "m", "+1", status=403),
        react("ann", "c", "m", "never", "remove"),
        *looks("ann", "c", "m"),
        message("ann", "c/$m/pin", {"is_pinned": True}),
        react("bob", "c", "m", "+1", "remove"),
        react("bob", "c", "m", "+1"),
        *looks("ann", "c", "m", "n"),
        step("admin", 200, "DELETE /api/v1/users/$carl"),
        *looks("ann", "c", "m", "n"),
        step("admin", 200, "DELETE /api/v1/users/$bob"),
        *looks("ann", "c", "m"),
        delete("ann", "c", "m"),
        *looks("ann", "c"),
    ],
    "people who go": [
        step("ann", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$bob", "$carl"]}, save="three"),
        step("bob", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$carl", "$ann"]}),
        post("bob", "three", "Before I go", "bobs"),
        post("ann", "three", "A reply", "anns", parent_id="$bobs"),
        post("carl", "three", "A quote", "carls", reply_to_id="$bobs"),
        message("bob", "three/$anns/pin", {"is_pinned": True}),
        message("bob", "three/$bobs/pin", {"is_pinned": True}),
        step("bob", 200, f"POST {CHANNELS}/$three/members/active", {"is_active": False}),
        step("bob", 403, f"GET {CHANNELS}/$three"),
        post("ann", "three", "Come back"),
        *looks("bob", "three", "bobs"),
        step("admin", 200, "DELETE /api/v1/users/$bob"),
        *looks("ann", "three", "bobs", "anns", "carls"),
        *lists("ann", "carl"),
        members("ann", "three"),
        # The two who are left have this channel between them.
        step("carl", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$ann"]}),
        step("carl", 200, f"GET {CHANNELS}/users/$ann"),
        step("ann", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$carl", "$dora"]}),
        step("ann", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": []}),
        *lists("ann", "dora"),
        step("ann", 200, f"GET {SEARCH}?kind=message", mine=True, sort=True),
    ],
    "webhooks": [
        create("c", user="ann", type="group", user_ids=["$bob"]),
        create("other", user="ann", type="group"),
        step("bob", 403, f"POST {CHANNELS}/$c/webhooks/create", {"name": "No $here"}),
        step(
            "ann", 200, f"POST {CHANNELS}/$c/webhooks/create", {"name": "Hook $here"}, save="w token", take="id token"
        ),
        step(
            "admin",
            200,
            f"POST {CHANNELS}/$c/webhooks/create",
            {"name": "Picture $here", "profile_image_url": "data:image/png;base64,iVBORw0KGgo="},
            save="p",
        ),
        step(
            "",
            200,
            f"POST {CHANNELS}/webhooks/$w/$token",
            {"content": "By the hook $here"},
            save="m",
            take="message_id",
        ),
        step("", 401, f"POST {CHANNELS}/webhooks/$p/$token", {"content": "x"}),
        step("", 401, f"POST {CHANNELS}/webhooks/$w/x", {"content": "x"}),
        post("bob", "c", "A quote", "q", reply_to_id="$m"),
        post("bob", "c", "A reply", "r", parent_id="$m"),
        message("bob", "c/$m/pin", {"is_pinned": True}),
        message("bob", "c/$m/update", {"content": "No"}, status=403),
        *looks("bob", "c", "m", "q"),
        step("ann", 200, f"GET {CHANNELS}/$c/webhooks", sort=True),
        step("bob", 403, f"GET {CHANNELS}/$c/webhooks"),
        step("ann", 200, f"POST {CHANNELS}/$c/webhooks/$w/update", {"name": "Renamed $here"}),
        step("ann", 404, f"POST {CHANNELS}/$other/webhooks/$w/update", {"name": "x"}),
        step("bob", 200, f"GET {CHANNELS}/webhooks/$p/profile/image"),
        *looks("bob", "c", "m"),
        step("ann", 404, f"DELETE {CHANNELS}/$other/webhooks/$w/delete"),
        step("ann", 200, f"DELETE {CHANNELS}/$c/webhooks/$w/delete"),
        step("ann", 404, f"DELETE {CHANNELS}/$c/webhooks/$w/delete"),
        step("", 401, f"POST {CHANNELS}/webhooks/$w/$token", {"content": "x"}),
        *looks("bob", "c", "m", "q"),
        step("ann", 200, f"GET {CHANNELS}/$c/webhooks", sort=True),
    ],
    "files": [
        create("c", **open_to(grant("$bob", "read"))),
        create("g", user="ann", type="group", user_ids=["$carl"]),
        *[
            step(
                user,
                200,
                f"POST {FILES}/?process=false",
                Upload(f"{name}.txt", name.encode(), metadata=where),
                save=name,
            )
            for user, name, where in (
                ("ann", "one", {"channel_id": "$c"}),
                ("ann", "two", {"channel_id": "$g"}),
                ("bob", "three", {"channel_id": "$g"}),
            )
        ],
        post("ann", "c", "A file", "m", data={"files": [{"type": "file", "id": "$one", "name": "one.txt"}]}),
        post("ann", "g", "A file", "n", data={"files": [{"id": "$two"}, {"id": "$one"}, {"id": MISSING}]}),
        message("bob", "c/$m/data"),
        *looks("ann", "c", "m"),
        *[
            step(user, status, f"GET {FILES}/${name}/content")
            for user, name, status in (
                ("bob", "one", 200),
                ("carl", "one", 404),
                ("carl", "two", 200),
                ("bob", "two", 404),
                ("ann", "three", 404),
            )
        ],
        step("bob", 404, f"DELETE {FILES}/$one"),
        step("admin", 200, f"POST {CHANNELS}/$c/access/update", {"access_grants": [grant("$carl", "read")]}),
        step("ann", 200, f"POST {CHANNELS}/$g/update/members/remove", {"user_ids": ["$carl"]}),
        *[
            step(user, status, f"GET {FILES}/${name}")
            for user, name, status in (("bob", "one", 404), ("carl", "one", 200), ("carl", "two", 404))
        ],
        delete("ann", "g", "n"),
        step("ann", 200, f"DELETE {FILES}/$one"),
        step("carl", 404, f"GET {FILES}/$one"),
        step("admin", 200, f"DELETE {CHANNELS}/$c/delete"),
        step("ann", 200, f"DELETE {FILES}/$two"),
    ],
    "search": [
        create("Rivers", **open_to(grant("*", "read"), grant("*", "write"))),
        create("Lakes", user="ann", type="group", user_ids=["$bob"]),
        step("ann", 200, f"POST {CHANNELS}/create", {"type": "dm", "user_ids": ["$bob"]}, save="dm"),
        post("ann", "Rivers", "The Danube is LONG", "danube"),
        post("bob", "Rivers", "Größe: 100% of x_y"),
        post("ann", "Rivers", "Long, in a thread", parent_id="$danube"),
        post("bob", "Lakes", "A long shore"),
        post("ann", "dm", "So long, Bob " * 30),
        *[
            step(user, 200, f"GET {SEARCH}?{query}&q=" + text, mine=True, sort=True)
            for user in ("ann", "carl")
            for query, text in (
                ("kind=message", "long"),
                ("kind=message", "long danube"),
                ("kind=message", "100%25"),
                ("kind=message", "x_y"),
                ("kind=message", "GR%C3%96%C3%9FE"),
                ("kind=message", "nothing"),
                ("kind=all", "long"),
                ("kind=message&sharing=mine", "$here"),
                ("kind=message&sharing=shared", "$here"),
                ("kind=message&scope=channel:$Rivers", "$here"),
                ("scope=channel:$Lakes", ""),
                ("scope=channel:$dm", "bob"),
                ("kind=message&page=2", "$here"),
            )
        ],
        step("admin", 200, "DELETE /api/v1/users/$bob"),
        step("ann", 200, f"GET {SEARCH}?kind=message&q=$here", mine=True, sort=True),
        step("admin", 200, f"DELETE {CHANNELS}/$Rivers/delete"),
        step("ann", 200, f"GET {SEARCH}?kind=message&q=$here", mine=True, sort=True),
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(instances: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(instances, scenario, SCENARIOS[scenario])
