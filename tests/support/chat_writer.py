"""A process that writes to one chat, many tasks at once, and says of each message when it was written."""

from __future__ import annotations

import asyncio
import itertools
import sys

from open_webui.models import chat_messages
from open_webui.models.chats import Chat

from openwebui_pocketbase.client import Authenticator, PocketBaseClient
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats import PocketBaseChats, _transaction
from openwebui_pocketbase.settings import PoolSettings, TimeoutSettings

LEASE = 1500
"""Milliseconds for which a chat stays locked when its holder is killed."""


async def write(chats: PocketBaseChats, chat_id: str, task: str) -> None:
    for number in itertools.count():
        message_id = f"{task}.{number}"
        message: dict[str, object] = {"id": message_id, "parentId": "root", "role": "assistant", "content": message_id}
        if number % 4 == 3:
            async with chats._chat_transaction(chat_id) as (_, chat):
                assert chat is not None
                add(chat, message)
                await asyncio.sleep(0.002)  # the host's code looks elsewhere meanwhile
        else:
            saved = await chats.upsert_message_to_chat_by_id_and_message_id(chat_id, message_id, message)
            assert saved is not None
            await chats.add_message_status_to_chat_by_id_and_message_id(chat_id, message_id, {"action": "done"})
        print(message_id, flush=True)


def add(chat: Chat, message: dict[str, object]) -> None:
    history = chat.chat["history"]
    messages = {**history["messages"], message["id"]: {**message, "childrenIds": [], "timestamp": 1}}
    root = messages["root"]
    messages["root"] = {**root, "childrenIds": [*root["childrenIds"], message["id"]]}
    chat.chat = {**chat.chat, "history": {**history, "messages": messages}}


async def main(url: str, token: str, chat_id: str, name: str, tasks: int) -> None:
    _transaction.LEASE = LEASE
    client = PocketBaseClient(timeouts=TimeoutSettings(retry=10.0), pool=PoolSettings())
    client.connect(url, Authenticator(lambda: token))
    repository = "openwebui_pocketbase.repositories.chats.message_rows:PocketBaseChatMessages"
    bind(chat_messages, "ChatMessages", repository, {"pocketbase": client})
    chats = PocketBaseChats()
    chats.pocketbase = client
    print("ready", flush=True)
    await asyncio.gather(*(write(chats, chat_id, f"{name}-{task}") for task in range(tasks)))


if __name__ == "__main__":
    url, token, chat_id, name, tasks = sys.argv[1:6]
    asyncio.run(main(url, token, chat_id, name, int(tasks)))
