"""Messages of channels in PocketBase, with their reactions; the hooks are in ``owui/messages``."""

from open_webui.models.messages import MessageModel, MessageTable

from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["PocketBaseMessages"]


class PocketBaseMessages(PocketBaseRepository, MessageTable):
    """`open_webui.models.messages.MessageTable` with its rows in PocketBase."""

    route = "messages"
    table = "message"
    model = MessageModel
