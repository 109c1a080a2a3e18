"""Channels in PocketBase, with their members, files and webhooks; the hooks are in ``owui/channels``."""

from open_webui.models.channels import ChannelModel, ChannelTable

from openwebui_pocketbase.repositories.base import PocketBaseRepository

__all__ = ["PocketBaseChannels"]


class PocketBaseChannels(PocketBaseRepository, ChannelTable):
    """`open_webui.models.channels.ChannelTable` with its rows in PocketBase."""

    route = "channels"
    table = "channel"
    model = ChannelModel
