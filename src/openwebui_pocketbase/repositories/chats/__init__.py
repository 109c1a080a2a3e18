"""Chats in PocketBase; the hooks are in ``chats.js`` and its parts."""

from __future__ import annotations

from openwebui_pocketbase.repositories.chats.bodies import ChatBodies
from openwebui_pocketbase.repositories.chats.deletion import ChatDeletion
from openwebui_pocketbase.repositories.chats.figures import ChatFigures
from openwebui_pocketbase.repositories.chats.files import ChatFiles
from openwebui_pocketbase.repositories.chats.lists import ChatLists
from openwebui_pocketbase.repositories.chats.reading import ChatReading
from openwebui_pocketbase.repositories.chats.search import ChatSearch
from openwebui_pocketbase.repositories.chats.shares import ChatShares
from openwebui_pocketbase.repositories.chats.state import ChatState
from openwebui_pocketbase.repositories.chats.tags import ChatTags

__all__ = ["PocketBaseChats"]


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
