"""Messages of channels in PocketBase, with their reactions; the hooks are in ``owui/messages``.

| Room | Methods |
| --- | --- |
| `search` | messages that contain a text |
"""

from open_webui.models.messages import MessageModel, MessageTable

from openwebui_pocketbase.repositories.messages.search import MessageSearch

__all__ = ["PocketBaseMessages"]


class PocketBaseMessages(MessageSearch, MessageTable):
    """`open_webui.models.messages.MessageTable` with its rows in PocketBase."""

    route = "messages"
    table = "message"
    model = MessageModel
