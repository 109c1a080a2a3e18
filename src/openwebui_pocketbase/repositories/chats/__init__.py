"""Chats in PocketBase, with the rows of their messages and their snapshots; the hooks are in ``owui/chats``."""

from __future__ import annotations

from openwebui_pocketbase.repositories.chats.bodies import ChatBodies
from openwebui_pocketbase.repositories.chats.counts import ChatFigures
from openwebui_pocketbase.repositories.chats.delete import ChatDeletion
from openwebui_pocketbase.repositories.chats.files import ChatFiles
from openwebui_pocketbase.repositories.chats.get import ChatReading
from openwebui_pocketbase.repositories.chats.lists import ChatLists
from openwebui_pocketbase.repositories.chats.message_rows import PocketBaseChatMessages
from openwebui_pocketbase.repositories.chats.search import ChatSearch
from openwebui_pocketbase.repositories.chats.shares import ChatShares
from openwebui_pocketbase.repositories.chats.snapshots import PocketBaseSharedChats
from openwebui_pocketbase.repositories.chats.state import ChatState
from openwebui_pocketbase.repositories.chats.tags import ChatTags

__all__ = ["PocketBaseChatMessages", "PocketBaseChats", "PocketBaseSharedChats"]


class PocketBaseChats(
    ChatReading,
    ChatDeletion,
    ChatLists,
    ChatFigures,
    ChatState,
    ChatTags,
    ChatFiles,
    ChatShares,
    ChatSearch,
    ChatBodies,
):
    """`open_webui.models.chats.ChatTable` with its rows in PocketBase."""
