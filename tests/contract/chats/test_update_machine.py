"""Any sequence of writes to several chats leaves what is read of them the same on stock and on ours."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from open_webui.models.chats import ChatForm

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.repositories.tags import PocketBaseTags
from tests.support.chats import body, key
from tests.support.differential import Contract, blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

CHATS = Contract(
    name="Chats",
    tables=("chat", "chat_message", "chat_file", "shared_chat", "tag"),
    subject=PocketBaseChats,
    bound={
        "ChatMessages": PocketBaseChatMessages,
        "SharedChats": PocketBaseSharedChats,
        "Tags": PocketBaseTags,
    },
)

KEYS = [key(number) for number in range(1, 5)]
USERS = ["u1", "u2"]
FOLDERS = ["f1", "f2"]
NAMES = ["a", "Machine Learning", "ü"]
SEARCHES = [
    "apple",
    "ap",
    "green apple",
    "TAG",
    "tag:a",
    "tag:none",
    "archived:true apple",
    "pinned:true",
    "shared:true",
]

chats = st.sampled_from(KEYS)
users = st.sampled_from(USERS)
folders = st.sampled_from(FOLDERS)
messages = st.sampled_from(["a", "b", "c", "d"])
texts = st.sampled_from(["an apple", "GREEN APPLE", "pineapple\x00", "Straße", "tag", "", "x" * 300])


def owner(user_id: str) -> SimpleNamespace:
    return SimpleNamespace(id=user_id, name=user_id, role="user")


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path, may_create_chats: None) -> None:  # noqa: C901
    with asyncio.Runner() as runner, blocking_pair(runner, CHATS, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                # Each side gets its own: the host changes what it is given.
                return runner.run(pair.call(method, *deepcopy(args), **kwargs))

            def read(self, method: str, *args: Any, **kwargs: Any) -> None:
                self.call(method, *args, rows=False, **kwargs)

            @initialize(lengths=st.lists(st.integers(0, 3), min_size=1, max_size=3))
            def begin(self, lengths: list[int]) -> None:
                for number, length in enumerate(lengths):
                    form = ChatForm(chat=body(*"abc"[:length]), folder_id="f1" if number else None)
                    self.call("insert_new_chat", KEYS[number], USERS[number % 2], form)

            @rule(chat=chats, user=users, text=texts)
            def add(self, chat: str, user: str, text: str) -> None:
                if runner.run(pair.subject.get_chat_title_by_id(chat)) is None:
                    self.call("insert_new_chat", chat, user, ChatForm(chat=body("a", title=text)))

            @rule(chat=chats, user=users, answer=messages, text=texts)
            def turn(self, chat: str, user: str, answer: str, text: str) -> None:
                question = {"id": f"to-{answer}", "parentId": None, "content": text}
                entries = [{"message_id": answer, "model_id": "m", "modelIdx": 0}]
                self.call("insert_chat_turn", chat, owner(user), question, entries)

            @rule(chat=chats, id=messages, parent=st.none() | messages, text=texts, done=st.booleans())
            def message(self, chat: str, id: str, parent: str | None, text: str, done: bool) -> None:
                entry = {"parentId": parent, "role": "assistant", "content": text, "done": done, "model": "m"}
                self.call("upsert_message_to_chat_by_id_and_message_id", chat, id, entry)

            @rule(chat=chats, id=messages)
            def delete_message(self, chat: str, id: str) -> None:
                self.call("delete_message_from_chat_by_id_and_message_id", chat, id)

            @rule(chat=chats, id=messages)
            def status(self, chat: str, id: str) -> None:
                self.call("add_message_status_to_chat_by_id_and_message_id", chat, id, {"action": "x"})

            @rule(chat=chats, id=messages, user=users)
            def files(self, chat: str, id: str, user: str) -> None:
                self.call("add_message_files_by_id_and_message_id", chat, id, [{"id": "f"}])
                self.call("insert_chat_files", chat, id, ["f"], user)

            @rule(chat=chats, title=texts)
            def rename(self, chat: str, title: str) -> None:
                self.call("update_chat_title_by_id", chat, title)

            @rule(chat=chats, tags=st.lists(st.sampled_from([*NAMES, "none"]), max_size=3, unique=True), user=users)
            def replace_tags(self, chat: str, tags: list[str], user: str) -> None:
                self.call("update_chat_tags_by_id", chat, tags, owner(user))

            @rule(chat=chats, tag=st.sampled_from(NAMES), user=users)
            def toggle_tag(self, chat: str, tag: str, user: str) -> None:
                """Several tags would get an order that the hash of texts makes."""
                found = runner.run(pair.subject.get_chat_by_id(chat))
                tags = (found and found.meta.get("tags")) or []
                if not tags:
                    self.call("add_chat_tag_by_id_and_user_id_and_tag_name", chat, user, tag)
                elif len(tags) == 1:
                    self.call("delete_tag_by_id_and_user_id_and_tag_name", chat, user, tag)

            @rule(chat=chats, user=users, folder=st.none() | folders)
            def move(self, chat: str, user: str, folder: str | None) -> None:
                self.call("update_chat_folder_id_by_id_and_user_id", chat, user, folder)

            @rule(folder=folders, to=st.none() | folders)
            def move_all(self, folder: str, to: str | None) -> None:
                self.call("move_chats_by_folder_id", folder, to)

            @rule(chat=chats)
            def archive(self, chat: str) -> None:
                self.call("toggle_chat_archive_by_id", chat)

            @rule(user=users, back=st.booleans())
            def archive_all(self, user: str, back: bool) -> None:
                self.call("unarchive_all_chats_by_user_id" if back else "archive_all_chats_by_user_id", user)

            @rule(chat=chats)
            def pin(self, chat: str) -> None:
                self.call("toggle_chat_pinned_by_id", chat)

            @rule(chat=chats, user=users, unread=st.booleans())
            def mark(self, chat: str, user: str, unread: bool) -> None:
                self.call("mark_chat_unread_by_id" if unread else "update_chat_last_read_at_by_id", chat, user)

            @rule(user=users, folder=st.none() | folders)
            def mark_all(self, user: str, folder: str | None) -> None:
                if folder:
                    self.call("mark_chats_read_by_folder_ids", user, [folder])
                else:
                    self.call("mark_chats_read_by_user_id", user)

            @rule(chat=chats, change=st.sampled_from(["insert", "update", "delete"]))
            def share(self, chat: str, change: str) -> None:
                self.call(f"{change}_shared_chat_by_chat_id", chat)

            @rule(chat=chats, tasks=st.lists(st.fixed_dictionaries({"id": messages}), max_size=2))
            def tasks(self, chat: str, tasks: list[dict[str, Any]]) -> None:
                self.call("update_chat_tasks_by_id", chat, tasks)
                self.call("update_chat_variables_by_id", chat, {"number": len(tasks)})

            @rule(chat=chats, user=st.none() | users)
            def delete(self, chat: str, user: str | None) -> None:
                if user:
                    self.call("delete_chat_by_id_and_user_id", chat, user)
                else:
                    self.call("delete_chat_by_id", chat)

            @rule(user=users, folder=folders)
            def delete_folder(self, user: str, folder: str) -> None:
                self.call("delete_chats_by_user_id_and_folder_id", user, folder)

            @invariant()
            def chats_are_equal(self) -> None:
                for chat in KEYS:
                    self.read("get_chat_by_id", chat)
                    self.read("get_messages_map_by_chat_id", chat)
                    self.read("get_chat_tasks_by_id", chat)
                    self.read("ChatMessages.has_unfinished_assistant_by_chat_id", chat)
                    self.read("SharedChats.get_by_chat_id", chat)

            @invariant()
            def lists_are_equal(self) -> None:
                for user in USERS:
                    self.read("get_chat_title_id_list_by_user_id", user)
                    self.read("get_chat_title_id_list_by_user_id", user, True, True, True, limit=2)
                    self.read("get_archived_chat_list_by_user_id", user)
                    self.read("get_pinned_chats_by_user_id", user)
                    self.read("get_shared_chat_list_by_user_id", user)
                    for name in NAMES:
                        self.read("get_chat_list_by_user_id_and_tag_name", user, name)
                for folder in FOLDERS:
                    self.read("get_all_chats_by_folder_id", folder, unread_for_user_id="u1")

            @invariant()
            def numbers_are_equal(self) -> None:
                for user in USERS:
                    self.read("count_chats_by_tag_ids_and_user_id", [*NAMES, "none"], user)
                    self.read("count_unread_by_folder_ids", user, FOLDERS)
                    self.read("count_chats_by_folder_ids_and_user_id", FOLDERS, user)
                    self.read("count_archived_chats_by_user_id", user)
                    self.read("ChatMessages.get_user_usage_summary", user)
                self.read("ChatMessages.get_message_count_by_model")

            @invariant()
            def what_is_found_is_equal(self) -> None:
                for user in USERS:
                    for text in SEARCHES:
                        self.read("get_chats_by_user_id_and_search_text", user, text)

        run_state_machine_as_test(Machine, settings=machine(12, 16))
