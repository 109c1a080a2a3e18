from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    Channel as Channel,
    ChannelModel as ChannelModel,
    ChannelMember as ChannelMember,
    ChannelMemberModel as ChannelMemberModel,
    ChannelFile as ChannelFile,
    ChannelFileModel as ChannelFileModel,
    ChannelWebhook as ChannelWebhook,
    ChannelWebhookModel as ChannelWebhookModel,
    ChannelResponse as ChannelResponse,
    ChannelForm as ChannelForm,
    CreateChannelForm as CreateChannelForm,
    ChannelWebhookForm as ChannelWebhookForm,
)
from openwebui_pocketbase.interfaces import IChannelsRepo

def __getattr__(name: str) -> Any: ...

class ChannelTable(IChannelsRepo, metaclass=ABCMeta):
    _get_access_grants: Any
    _to_channel_model: Any
    _collect_unique_user_ids: Any
    _create_membership_models: Any
    _has_permission: Any
