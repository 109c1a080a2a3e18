"""Webhooks of channels: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from open_webui.models.channels import ChannelWebhookForm

from tests.support.channels import World, open_world
from tests.support.differential import IDS, SURROGATES, Opened, share_of_hostile_names
from tests.support.stock import skip_postgresql

PICTURE = "https://example.org/a.png"


@pytest.fixture
async def world(oracle: str, opened: Opened) -> AsyncIterator[World]:
    async with open_world(opened, oracle) as world:
        yield world


def form(name: str = "Hook", picture: str | None = None) -> ChannelWebhookForm:
    return ChannelWebhookForm(name=name, profile_image_url=picture)


async def test_webhooks(world: World) -> None:
    one, other = await world.make("one"), await world.make("other")
    first = await world.call("insert_webhook", one, "ann", form())
    second = await world.call("insert_webhook", one, "bob", form("", PICTURE))
    await world.call("insert_webhook", other, "bob", form("other"))
    for channel in (one, other, "nowhere", "", None):
        await world.call("get_webhooks_by_channel_id", channel, rows=False)
    for key in (first.id, second.id, IDS[4000], "", None):
        await world.call("get_webhook_by_id", key, rows=False)
        for token in (first.token, first.token.upper(), second.token, "", None):
            await world.call("get_webhook_by_id_and_token", key, token, rows=False)
    await world.call("update_webhook_by_id", first.id, form("Changed", PICTURE))
    await world.call("update_webhook_by_id", second.id, form("", None))
    await world.call("update_webhook_by_id", IDS[4000], form())
    assert await world.call("update_webhook_last_used_at", first.id) is True
    assert await world.call("update_webhook_last_used_at", IDS[4000]) is False
    await world.call("get_webhooks_by_channel_id", one)
    assert await world.call("delete_webhook_by_id", first.id) is True
    assert await world.call("delete_webhook_by_id", first.id) is False
    assert await world.call("delete_webhook_by_id", None) is False
    await world.call("get_webhooks_by_channel_id", one)


async def test_of_no_channel(world: World) -> None:
    skip_postgresql(world.pair.database, "foreign keys")
    hook = await world.call("insert_webhook", "nowhere", "ann", form())
    await world.call("get_webhooks_by_channel_id", "nowhere")
    await world.call("get_webhook_by_id_and_token", hook.id, hook.token)


NAMES = share_of_hostile_names(1, 4)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_texts(world: World, name: str) -> None:
    skip_postgresql(world.pair.database, "NUL", when="\x00" in name)
    channel = await world.make("c")
    hook = await world.call("insert_webhook", channel, name, form(name))
    await world.call("update_webhook_by_id", hook.id, form(f"{name}x"))
    await world.call("get_webhook_by_id_and_token", hook.id, name)
    await world.call("get_webhooks_by_channel_id", name)
    await world.call("update_webhook_last_used_at", name)
    await world.call("delete_webhook_by_id", name)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(world: World, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    channel = await world.make("c")
    await world.call("insert_webhook", channel, text, form())
    await world.call("get_webhook_by_id", text)
    await world.call("update_webhook_by_id", text, form())
    await world.call("delete_webhook_by_id", text)
