"""Chats in PocketBase, with the rows of their messages and their snapshots; the hooks are in ``owui/chats``.

A method stands in the room of the noun that its name has (message, tag, file, shared chat), otherwise in that of its
verb. Each room is a mixin over `ChatRepository`, and the hooks and the contract tests have rooms of the same names.

| Room | Methods |
| --- | --- |
| `get` | one chat, and facts about chats whose ids are given |
| `lists` | chats of a user, a folder, a note, a model |
| `counts` | how many chats there are |
| `search` | chats that contain a text |
| `insert` | creating and importing chats |
| `update` | title, parameters, marks, places |
| `delete` | deleting chats |
| `messages` | the messages of a chat, with their files and status |
| `tags`, `files`, `shares` | what chats are tagged with, have attached, and show to others |
| `message_rows`, `analytics` | the host's table ``chat_message``: its rows, and what they say about usage |
| `snapshots` | the host's table ``shared_chat`` |

What they have in common: `_base` (reading, listing), `_transaction` (writing without losing what others write),
`_draft` and `_changes` (what a write begins with, and what it changes), `_rows` (rows of messages as the host makes
them), `_cache` (what this process knows of chats), `_lazy` (what a write returns), `_tidy` (which chats can be written
message by message), `_parts` (new chats on their way), `_codecs` (with the host's JSON encoder), `_orders` (of lists),
`_calendar` (days and time zones), `_names` (of users).
"""

from __future__ import annotations

from openwebui_pocketbase.repositories.chats.counts import CountChats
from openwebui_pocketbase.repositories.chats.delete import DeleteChats
from openwebui_pocketbase.repositories.chats.files import FilesOfChats
from openwebui_pocketbase.repositories.chats.get import GetChats
from openwebui_pocketbase.repositories.chats.insert import InsertChats
from openwebui_pocketbase.repositories.chats.lists import ListChats
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.chats.messages import MessagesOfChats
from openwebui_pocketbase.repositories.chats.search import SearchChats
from openwebui_pocketbase.repositories.chats.shares import SharesOfChats
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.repositories.chats.tags import TagsOfChats
from openwebui_pocketbase.repositories.chats.update import UpdateChats

__all__ = ["PocketBaseChatMessages", "PocketBaseChats", "PocketBaseSharedChats"]


class PocketBaseChats(
    GetChats,
    ListChats,
    CountChats,
    SearchChats,
    InsertChats,
    UpdateChats,
    DeleteChats,
    MessagesOfChats,
    TagsOfChats,
    FilesOfChats,
    SharesOfChats,
):
    """`open_webui.models.chats.ChatTable` with its rows in PocketBase."""
