"""A channel whose messages are compared: who is in it, what is said, and looking at it from all sides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import orjson
from open_webui.models.apps import App
from open_webui.models.channels import Channel, ChannelMember, ChannelWebhook
from open_webui.models.messages import Message, MessageForm
from open_webui.models.users import User
from open_webui.utils import apps
from sqlalchemy import null, update

from openwebui_pocketbase.schema.tables import TABLES
from tests.support.contracts import MESSAGES
from tests.support.differential import START, Opened, Pair
from tests.support.records import put

__all__ = ["APP", "CHANNEL", "NS", "OTHER", "USERS", "WEBHOOK", "Talk", "talking"]

CHANNEL, OTHER = "c0000000-0000-4000-8000-000000000001", "c0000000-0000-4000-8000-000000000002"
APP, WEBHOOK = "app-1", "d0000000-0000-4000-8000-000000000001"
USERS = ("ann", "bob", "carl")

NS = START * 10**9
"""When the channel was made, in nanoseconds."""


@dataclass
class Talk:
    """Two channels with three members, an app and a webhook, in stock and in ours.

    Attributes:
        pair: Both repositories.
        ids: The messages so far, of deleted ones as well.
        told: What apps were told, call by call, of stock and ours in turn.
    """

    pair: Pair
    ids: list[str] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method on both; apps are told the same as well."""
        self.told.clear()
        result = await self.pair.call(method, *args, **kwargs)
        half = len(self.told) // 2
        assert self.told[:half] == self.told[half:], (method, args)
        return result

    async def post(
        self, content: str, user: str = "ann", channel: str = CHANNEL, *, rows: bool = True, **more: Any
    ) -> str:
        """Post a message; return its id."""
        form = MessageForm(content=content, **more)
        message = await self.call("insert_new_message", form, channel, user, rows=rows)
        self.ids.append(message.id)
        return str(message.id)

    async def look(self, ids: Iterable[str] = ()) -> None:
        """Compare what each reading method says."""
        messages = [*(ids or self.ids), "nobody", ""]
        for message in messages:
            await self.call("get_message_by_id", message, rows=False)
            await self.call("get_message_by_id", message, False, rows=False)
            for method in (
                "get_thread_replies_by_message_id",
                "get_reply_user_ids_by_message_id",
                "get_reactions_by_message_id",
            ):
                await self.call(method, message, rows=False)
            await self.call("get_messages_by_parent_id", CHANNEL, message, rows=False)
        await self.call("get_reactions_by_message_ids", messages, rows=False)
        await self.call("get_thread_reply_counts_by_message_ids", messages, rows=False)
        for channel in (CHANNEL, OTHER, "nowhere"):
            await self.call("get_messages_by_channel_id", channel, rows=False)
            await self.call("get_last_message_by_channel_id", channel, rows=False)
            await self.call("get_pinned_messages_by_channel_id", channel, rows=False)
            for user in ("ann", "nobody", ""):
                await self.call("get_unread_message_count", channel, user, rows=False)

    async def empty(self, message_id: str, *columns: str) -> None:
        """Have columns of a message be NULL, as in one that was not made by the host."""
        kinds = {column.name: column.type for column in TABLES["message"].columns}
        for name in columns:
            none = "NULL" if kinds[name] == "json" else f"'', nulls = json_insert(nulls, '$[#]', '{name}')"
            await _sql(self.pair, f"UPDATE owui_messages SET {name} = {none} WHERE id = '{message_id}'")
        async with self.pair.database.sessions() as session:
            await session.execute(update(Message).filter_by(id=message_id).values(dict.fromkeys(columns, null())))
            await session.commit()

    async def remove(self, table: str, id: str) -> None:
        """Delete a row that no method of these repositories deletes."""
        if table in self.pair.contract.tables or table not in ("user", "app"):
            await _sql(self.pair, f"DELETE FROM {TABLES[table].collection} WHERE id = '{id}'")
        model = {"user": User, "app": App, "channel_webhook": ChannelWebhook, "channel": Channel}[table]
        async with self.pair.database.sessions() as session:
            await session.delete(await session.get(model, id))
            await session.commit()


@asynccontextmanager
async def talking(opened: Opened, oracle: str, *, with_users: bool = True) -> AsyncIterator[Talk]:
    """Give a talk.

    Args:
        opened: Opens pairs.
        oracle: The stock database.
        with_users: Whether ours has users in PocketBase; else they are in the SQL database.
    """
    contract = MESSAGES
    if not with_users:
        tables = tuple(table for table in contract.tables if table != "user")
        bound = {name: kind for name, kind in contract.bound.items() if name != "Users"}
        contract = replace(contract, tables=tables, bound=bound)
    async with opened(contract, oracle) as pair:
        talk = Talk(pair)

        async def tell(message: Any, kind: str) -> None:
            data = apps.get_app_message_data(message)
            if kind == "channel.message.deleted":
                data = {name: data[name] for name in ("id", "channel_id", "parent_id", "author", "updated_at")}
            talk.told.append((kind, data))

        with patch.object(apps, "publish_app_message_event", tell):
            await fill(pair)
            yield talk


async def fill(pair: Pair) -> None:
    """Make the channels and who is in them."""
    stamps = {"created_at": NS, "updated_at": NS}
    times = {"last_active_at": 0, "created_at": 0, "updated_at": 0}
    people = [
        User(id=name, name=name.title(), email=f"{name}@example.org", role="user", profile_image_url="", **times)
        for name in USERS
    ]
    if "user" in pair.contract.tables:
        await _seed(pair, people)
    else:
        await pair.database.add(*people)
    manifest = {"manifest": {"profile_image_url": "https://example.org/a.png"}}
    await pair.database.add(App(id=APP, slug="app", name="An app", is_active=True, data=manifest, **stamps))
    channels = [Channel(id=channel, user_id="ann", name="talk", **stamps) for channel in (CHANNEL, OTHER)]
    await pair.database.add(*channels)
    members = [
        ChannelMember(
            id=f"{channel}-{number}",
            channel_id=channel,
            user_id=user,
            is_active=True,
            is_channel_muted=False,
            is_channel_pinned=False,
            status="joined",
            joined_at=NS,
            **stamps,
        )
        for number, user in enumerate(USERS)
        for channel in (CHANNEL, OTHER)
    ]
    await _seed(pair, members)
    webhook = ChannelWebhook(id=WEBHOOK, channel_id=CHANNEL, user_id="ann", name="Hook", token="t", **stamps)
    await _seed(pair, [webhook])


async def _seed(pair: Pair, objects: list[Any]) -> None:
    put(pair.server.data_dir, objects)
    await pair.database.add(*objects)


async def _sql(pair: Pair, statement: str) -> None:
    await pair.client._send("POST", "/api/sql", orjson.dumps({"query": statement}), "")
