"""Any sequence of calls on messages does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test
from open_webui.models.messages import MessageForm
from open_webui.utils import apps

from tests.support.contracts import MESSAGES
from tests.support.differential import blocking_pair
from tests.support.machines import machine
from tests.support.messages import APP, CHANNEL, OTHER, WEBHOOK, fill
from tests.support.pocketbase import PocketBaseProcess

contents = st.sampled_from(["", "a", "Größe", '{"x": 1}', "a\0b"])
people = st.sampled_from(["ann", "bob", "gone"])
channels = st.sampled_from([CHANNEL, OTHER])
documents = st.none() | st.fixed_dictionaries(
    {}, optional={"a": st.integers(0, 1), "files": st.just([]), "b": st.none()}
)
metas = st.none() | st.fixed_dictionaries(
    {}, optional={"webhook": st.sampled_from([{"id": WEBHOOK}, {"id": "gone"}, {}]), "model_id": st.just("m")}
)


async def nobody_listens(_message: Any, _kind: str) -> None:
    pass


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    with (
        asyncio.Runner() as runner,
        blocking_pair(runner, MESSAGES, pocketbase, tmp_path) as (pair, reset),
        patch.object(apps, "publish_app_message_event", nobody_listens),
    ):

        class Machine(RuleBasedStateMachine):
            made = Bundle("made")  # messages, of deleted ones as well

            def __init__(self) -> None:
                super().__init__()
                reset()
                runner.run(fill(pair))
                self.depth: dict[str, int] = {}

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                return runner.run(pair.call(method, *args, **kwargs))

            @rule(target=made)
            def nothing(self) -> str:
                return "nobody"

            def form(self, content: str, reply_to: str | None, **more: Any) -> MessageForm:
                # The stock class opens a session for each link of a chain of quotes.
                quoted = reply_to if self.depth.get(reply_to or "", 0) < 5 else None
                return MessageForm(content=content, reply_to_id=quoted, **more)

            def noted(self, message: Any, quoted: str | None) -> str:
                self.depth[message.id] = self.depth.get(quoted or "", 0) + 1
                return str(message.id)

            @rule(
                target=made,
                content=contents,
                user=people,
                channel=channels,
                reply_to=st.none() | made,
                parent=st.none() | made,
                data=documents,
                meta=metas,
            )
            def post(
                self, content: str, user: str, channel: str, reply_to: Any, parent: Any, data: Any, meta: Any
            ) -> str:
                form = self.form(content, reply_to, parent_id=parent, data=data, meta=meta)
                self.call("Channels.join_channel", channel, user, rows=False)
                return self.noted(self.call("insert_new_message", form, channel, user), form.reply_to_id)

            @rule(
                target=made,
                content=contents,
                app=st.sampled_from([APP, "gone"]),
                parent=st.none() | made,
                data=documents,
            )
            def post_of_app(self, content: str, app: str, parent: Any, data: Any) -> str:
                form = self.form(content, None, parent_id=parent, data=data)
                return self.noted(self.call("insert_new_app_message", app, CHANNEL, form), None)

            @rule(message=made, content=contents, data=documents, meta=metas)
            def change(self, message: str, content: str, data: Any, meta: Any) -> None:
                self.call("update_message_by_id", message, MessageForm(content=content, data=data, meta=meta))

            @rule(message=made, content=contents, data=documents, is_known=st.booleans())
            def change_of_app(self, message: str, content: str, data: Any, *, is_known: bool) -> None:
                found = self.call("get_message_by_id", message, rows=False)
                at = found.updated_at + (not is_known) if found else 1
                self.call("update_app_message_by_id", message, APP, at, MessageForm(content=content, data=data))

            @rule(message=made, is_pinned=st.booleans())
            def pin(self, message: str, *, is_pinned: bool) -> None:
                self.call("update_is_pinned_by_id", message, is_pinned, "ann")

            @rule(message=made, user=people, name=st.sampled_from(["ok", "no"]), is_added=st.booleans())
            def react(self, message: str, user: str, name: str, *, is_added: bool) -> None:
                method = "add_reaction_to_message" if is_added else "remove_reaction_by_id_and_user_id_and_name"
                self.call(method, message, user, name)

            @rule(message=made, method=st.sampled_from(["delete_message_by_id", "delete_replies_by_id"]))
            def delete(self, message: str, method: str) -> None:
                self.call(method, message)

            @rule(message=made, other=made, limit=st.integers(0, 4), is_before=st.booleans(), user=people)
            def look(self, message: str, other: str, limit: int, user: str, *, is_before: bool) -> None:
                anchor = {"before" if is_before else "around": other}
                for method, *args in (
                    ("get_message_by_id", message),
                    ("get_thread_replies_by_message_id", message),
                    ("get_messages_by_channel_id", CHANNEL, 1, limit),
                    ("get_messages_by_parent_id", CHANNEL, message, 1, limit),
                    ("get_last_message_by_channel_id", OTHER),
                    ("get_pinned_messages_by_channel_id", CHANNEL),
                    ("get_reactions_by_message_ids", [message, other]),
                    ("get_thread_reply_counts_by_message_ids", [message, other]),
                    ("get_unread_message_count", CHANNEL, user, 0),
                ):
                    self.call(method, *args, rows=False)
                self.call("get_messages_by_parent_id", CHANNEL, message, 0, limit, rows=False, **anchor)

        run_state_machine_as_test(Machine, settings=machine(12, 25))
