"""Files of channels: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from open_webui.models.files import File
from open_webui.models.messages import Message

from openwebui_pocketbase.exceptions import UnavailableError
from openwebui_pocketbase.repositories.channels import PocketBaseChannels
from tests.support.channels import NS, World, open_world
from tests.support.differential import SURROGATES, Opened, share_of_hostile_names
from tests.support.stock import skip_postgresql

MESSAGE = "e0000000-0000-4000-8000-000000000001"


@pytest.fixture
async def world(oracle: str, opened: Opened) -> AsyncIterator[World]:
    async with open_world(opened, oracle) as world:
        files = [File(id=key, user_id="ann", filename="f", created_at=1, updated_at=1) for key in ("f", "g")]
        stamps = {"created_at": NS, "updated_at": NS}
        await world.pair.database.add(*files, Message(id=MESSAGE, user_id="ann", content="c", **stamps))
        yield world


async def test_add_show_and_remove(world: World) -> None:
    one, other = await world.make("one"), await world.make("other")
    for channel, file in ((one, "f"), (one, "g"), (other, "f")):
        assert await world.call("add_file_to_channel_by_id", channel, file, "ann")
    assert await world.call("add_file_to_channel_by_id", one, "f", "bob") is None
    assert await world.call("set_file_message_id_in_channel_by_id", one, "f", MESSAGE) is True
    assert await world.call("set_file_message_id_in_channel_by_id", one, "f", None) is True
    assert await world.call("set_file_message_id_in_channel_by_id", other, "g", MESSAGE) is False
    assert await world.call("set_file_message_id_in_channel_by_id", None, "f", MESSAGE) is False
    for _ in range(2):
        assert await world.call("remove_file_from_channel_by_id", one, "f") is True
    assert await world.call("remove_file_from_channel_by_id", None, None) is True
    assert await world.call("add_file_to_channel_by_id", one, "f", "bob")
    await world.call("get_channels_by_file_id", "f")


async def test_what_is_not_there(world: World) -> None:
    """Neither a channel nor a file nor a message has to be there."""
    skip_postgresql(world.pair.database, "foreign keys")
    for channel, file in (("nowhere", "f"), ("nowhere", "nothing")):
        await world.call("add_file_to_channel_by_id", channel, file, "ann")
        await world.call("set_file_message_id_in_channel_by_id", channel, file, "nothing")
    await world.call("get_channels_by_file_id", "nothing")


@pytest.mark.parametrize("args", [(None, "f", "ann"), ("c", None, "ann"), ("c", "f", None)])
async def test_a_link_needs_all_of_them(world: World, args: tuple[str, str, str]) -> None:
    assert isinstance(await world.call("add_file_to_channel_by_id", *args), ValueError)


NAMES = share_of_hostile_names(3, 4)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_hostile_ids(world: World, name: str) -> None:
    skip_postgresql(world.pair.database, "foreign keys")
    assert await world.call("add_file_to_channel_by_id", name, name, name)
    await world.call("add_file_to_channel_by_id", name, name, "ann")
    await world.call("set_file_message_id_in_channel_by_id", name, name, name)
    await world.call("get_channels_by_file_id", name)
    await world.call("remove_file_from_channel_by_id", name, name)


@pytest.mark.parametrize("text", SURROGATES.values(), ids=SURROGATES)
async def test_surrogates(world: World, text: str) -> None:
    """They cannot be sent to any database; nothing is stored."""
    await world.call("add_file_to_channel_by_id", "c", text, "ann")
    await world.call("set_file_message_id_in_channel_by_id", "c", "f", text)
    await world.call("remove_file_from_channel_by_id", text, "f")


class Down:
    """A client whose server is down."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*_args: Any, **_kwargs: Any) -> Any:
            raise UnavailableError("down", url="http://pocketbase")

        return fail


async def test_an_outage_is_not_swallowed() -> None:
    channels = PocketBaseChannels()
    channels.pocketbase = Down()
    for method, *args in (
        ("add_file_to_channel_by_id", "c", "f", "ann"),
        ("set_file_message_id_in_channel_by_id", "c", "f", "m"),
        ("remove_file_from_channel_by_id", "c", "f"),
        ("get_channel_by_id", "c"),
    ):
        with pytest.raises(UnavailableError):
            await getattr(channels, method)(*args)
