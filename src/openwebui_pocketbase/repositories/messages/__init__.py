"""Messages of channels in PocketBase, with their reactions; the hooks are in ``owui/messages``.

| Room | Methods |
| --- | --- |
| `messages` | the host's table ``message``: one message |
| `pages` | a channel as a whole: its messages by page, the last one, pinned and unread ones |
| `threads` | the replies in the thread of a message |
| `reactions` | the host's table ``message_reaction`` |
| `search` | messages that contain a text |

What they have in common is in `_base`: most methods return messages with what they quote, and who sent all these.
"""

from open_webui.models.messages import MessageTable

from openwebui_pocketbase.repositories.messages.messages import MessageWrites
from openwebui_pocketbase.repositories.messages.pages import MessagePages
from openwebui_pocketbase.repositories.messages.search import MessageSearch
from openwebui_pocketbase.repositories.messages.threads import MessageThreads

__all__ = ["PocketBaseMessages"]


class PocketBaseMessages(MessageWrites, MessagePages, MessageThreads, MessageSearch, MessageTable):
    """`open_webui.models.messages.MessageTable` with its rows in PocketBase."""
