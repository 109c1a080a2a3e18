"""Channels in PocketBase, with their members, files and webhooks; the hooks are in ``owui/channels``.

| Room | Methods |
| --- | --- |
| `channels` | the host's table ``channel``: creating, changing and deleting channels, and who sees which |
| `members` | the host's table ``channel_member``: users and apps in channels |
| `files` | the host's table ``channel_file``: files that are shown in channels |
| `webhooks` | the host's table ``channel_webhook``: where other programs post |

What they have in common is in `_base`. The host's list of channels asks of each one what a seam reads of all at once,
see `openwebui_pocketbase.seams.channel_list`.
"""

from openwebui_pocketbase.repositories.channels.channels import ChannelRows
from openwebui_pocketbase.repositories.channels.files import ChannelFiles
from openwebui_pocketbase.repositories.channels.members import ChannelMembers
from openwebui_pocketbase.repositories.channels.webhooks import ChannelWebhooks

__all__ = ["PocketBaseChannels"]


class PocketBaseChannels(ChannelRows, ChannelMembers, ChannelFiles, ChannelWebhooks):
    """`open_webui.models.channels.ChannelTable` with its rows in PocketBase."""
