"""Apps, written through: what they do on a database of their own."""

from __future__ import annotations

from typing import Any

from open_webui.models.apps import App
from open_webui.models.channels import Channel, ChannelMember

from tests.support.differential import START
from tests.support.written_through import Compared

GROUPS = ("apps",)
NOW = START * 10**9

READ_BY_GROUP = {"principal_type": "group", "principal_id": "g", "permission": "read"}


def installed() -> list[Any]:
    """The routers insert apps past the repository."""
    times = {"created_at": NOW, "updated_at": NOW + 2**53 + 1}
    secrets = {"connection_token": "t", "installation_id": "i", "manifest": {"id": "x", "name": "ü"}}
    return [
        App(id="a", slug="a", name="A", user_id="u1", is_active=True, data=secrets, api_key="secret", **times),
        App(id="b", slug="b", name="B", is_active=True, data={}, **times),
    ]


def channel() -> list[Any]:
    return [Channel(id="c", user_id="u1", type="", name="C", created_at=NOW, updated_at=NOW)]


def members() -> list[Any]:
    common = {"channel_id": "c", "is_active": True, "joined_at": NOW, "created_at": NOW}
    return [ChannelMember(id=app, app_id=app, updated_at=NOW, **common) for app in ("a", "b")]


async def test_apps(both: Compared) -> None:
    for make in (installed, channel, members):
        await both.seed(make)
    await both.compare("the start")
    for app in ("a", "unknown"):
        await both.call("Apps.get_app_by_id", app)
    for before in (NOW - 1, NOW):
        await both.call("Apps.get_app_ids_by_channel_id", "c", before, sort=True)
    for data, grants in (
        ({"name": "New", "data": {"settings": [1, None]}, "updated_at": NOW + 1}, None),
        ({"is_active": False}, [READ_BY_GROUP]),
        ({"is_active": True, "api_key": None}, []),
        ({"slug": "b"}, [READ_BY_GROUP]),  # is taken
    ):
        await both.call("Apps.update_app_by_id", "a", data, grants)
    await both.call("Apps.update_app_by_id", "unknown", {"name": "x"})
    for app in ("a", "a", "b", "unknown"):
        await both.call("Apps.uninstall_app_by_id", app)
    await both.call("Apps.get_app_ids_by_channel_id", "c", NOW)
