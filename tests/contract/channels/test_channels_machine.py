"""Any sequence of calls on channels does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from open_webui.models.channels import Channel, ChannelForm, ChannelModel, ChannelWebhookForm, ChannelWebhookModel
from open_webui.models.users import User
from sqlalchemy import update

from openwebui_pocketbase.codec.rows import int64_text
from tests.support.channels import NS, PEOPLE, foreseeable, form, grant
from tests.support.contracts import CHANNELS
from tests.support.differential import HOSTILE_NAMES, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

names = st.sampled_from(["a", "Ä", "", *HOSTILE_NAMES.values()])
users = st.sampled_from(PEOPLE)
some_users = st.lists(users, max_size=3)
kinds = st.sampled_from([None, "", "group", "dm", "dm"])
files = st.sampled_from(["f", "g"])
grants = st.lists(st.builds(grant, st.sampled_from(["*", *PEOPLE]), st.sampled_from(["read", "write"])), max_size=2)
objects = st.none() | st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(-(2**63), 2**63 - 1), max_size=2)


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    tables = ("channel", "channel_member", "channel_file", "channel_webhook", "access_grant", "user")
    contract = replace(CHANNELS, tables=tables)
    with (
        asyncio.Runner() as runner,
        blocking_pair(runner, contract, pocketbase, tmp_path) as (pair, reset),
        foreseeable(pair),
    ):

        async def people() -> None:
            for name in PEOPLE:
                await pair.call("Users.insert_new_user", name, name, f"{name}@x", rows=False)

        async def forget(user: str) -> None:
            """Delete a user's row."""
            await pair.client.write("users/delete_user_by_id", {"id": user})
            async with pair.database.sessions() as session:
                if (row := await session.get(User, user)) is not None:
                    await session.delete(row)
                    await session.commit()

        async def put_away(channel: str, column: str) -> None:
            """Archive or delete a channel, as no method does."""
            text = int64_text(NS + 1)
            query = f"UPDATE owui_channels SET {column} = '{text}' WHERE id = '{channel}'"
            await pair.client._send("POST", "/api/sql", orjson.dumps({"query": query}), "")
            async with pair.database.sessions() as session:
                await session.execute(update(Channel).where(Channel.id == channel).values({column: NS + 1}))
                await session.commit()

        class Machine(RuleBasedStateMachine):
            made = Bundle("made")  # ids of channels, of deleted ones as well
            hooks = Bundle("hooks")

            def __init__(self) -> None:
                super().__init__()
                reset()
                runner.run(people())

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                return runner.run(pair.call(method, *args, **kwargs))

            @initialize(target=made, user=users, others=some_users)
            def begin(self, user: str, others: list[str]) -> Any:
                forms = [form("a", type="group", user_ids=others), form("b", type="dm", user_ids=others), form("c")]
                return multiple(*(self.call("insert_new_channel", each, user).id for each in forms))

            @rule(target=made, name=names, kind=kinds, user=users, others=some_users, grants=grants, data=objects)
            def create(self, name: str, kind: Any, user: str, others: list[str], grants: Any, data: Any) -> Any:
                asked = form(name, type=kind, user_ids=others, access_grants=grants, data=data)
                channel = self.call("insert_new_channel", asked, user)
                return channel.id if isinstance(channel, ChannelModel) else multiple()

            @rule(channel=made, name=names, data=objects, is_private=st.none() | st.booleans())
            def change(self, channel: str, name: str, data: Any, is_private: bool | None) -> None:
                self.call("update_channel_by_id", channel, ChannelForm(name=name, meta=data, is_private=is_private))

            @rule(channel=made)
            def delete(self, channel: str) -> None:
                self.call("delete_channel_by_id", channel)

            @rule(channel=made, column=st.sampled_from(["archived_at", "deleted_at"]))
            def put_away(self, channel: str, column: str) -> None:
                runner.run(put_away(channel, column))

            @rule(channel=made, user=users)
            def join(self, channel: str, user: str) -> None:
                self.call("join_channel", channel, user)

            @rule(channel=made, user=users, others=some_users)
            def add(self, channel: str, user: str, others: list[str]) -> None:
                self.call("add_members_to_channel", channel, user, others)

            @rule(channel=made, others=some_users)
            def remove(self, channel: str, others: list[str]) -> None:
                self.call("remove_members_from_channel", channel, others)

            @rule(channel=made, user=users, method=st.sampled_from(["leave_channel", "update_member_last_read_at"]))
            def mark(self, channel: str, user: str, method: str) -> None:
                self.call(method, channel, user)

            @rule(
                channel=made,
                user=users,
                method=st.sampled_from(["pin_channel", "update_member_mute_status", "update_member_active_status"]),
                is_so=st.booleans(),
            )
            def switch(self, channel: str, user: str, method: str, *, is_so: bool) -> None:
                self.call(method, channel, user, is_so)

            @rule(channel=made, file=files, user=users)
            def show_file(self, channel: str, file: str, user: str) -> None:
                self.call("add_file_to_channel_by_id", channel, file, user)
                self.call("set_file_message_id_in_channel_by_id", channel, file, user)

            @rule(channel=made, file=files)
            def hide_file(self, channel: str, file: str) -> None:
                self.call("remove_file_from_channel_by_id", channel, file)

            @rule(target=hooks, channel=made, user=users, name=names)
            def hook(self, channel: str, user: str, name: str) -> Any:
                made = self.call("insert_webhook", channel, user, ChannelWebhookForm(name=name))
                return made.id if isinstance(made, ChannelWebhookModel) else multiple()

            @rule(
                hook=hooks, name=names, method=st.sampled_from(["update_webhook_last_used_at", "delete_webhook_by_id"])
            )
            def change_hook(self, hook: str, name: str, method: str) -> None:
                self.call("update_webhook_by_id", hook, ChannelWebhookForm(name=name))
                self.call(method, hook)

            @rule(user=users)
            def go(self, user: str) -> None:
                runner.run(forget(user))

            @rule(channel=made, user=users, others=some_users, file=files)
            def look(self, channel: str, user: str, others: list[str], file: str) -> None:
                for method, *args in (
                    ("get_channels_by_user_id", user),
                    ("get_channel_by_id_and_user_id", channel, user),
                    ("get_channels_by_file_id_and_user_id", file, user),
                    ("get_dm_channel_by_user_ids", [user, *others]),
                    ("get_members_by_channel_id", channel),
                    ("get_member_by_channel_and_user_id", channel, user),
                    ("get_webhooks_by_channel_id", channel),
                    ("get_channels",),
                ):
                    self.call(method, *args, rows=False)

        run_state_machine_as_test(Machine, settings=machine(12, 30))
