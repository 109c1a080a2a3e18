"""What callers use of the stock repositories, as protocols: one module per group.

The stock classes satisfy them as they are; so must everything that replaces one.
"""
# Generated from Open WebUI 0.12.4; to renew, run: python tools/generate_interfaces.py

from openwebui_pocketbase.interfaces.access import IAccessRepo
from openwebui_pocketbase.interfaces.chats import IChatMessagesRepo, IChatsRepo, ISharedChatsRepo
from openwebui_pocketbase.interfaces.config import IConfigRepo
from openwebui_pocketbase.interfaces.files import IFilesRepo
from openwebui_pocketbase.interfaces.folders import IFoldersRepo
from openwebui_pocketbase.interfaces.groups import IGroupsRepo
from openwebui_pocketbase.interfaces.messages import IChannelsRepo, IMessagesRepo
from openwebui_pocketbase.interfaces.models import IModelHistoriesRepo, IModelsRepo
from openwebui_pocketbase.interfaces.tags import ITagsRepo
from openwebui_pocketbase.interfaces.users import IAuthsRepo, IOAuthSessionsRepo, IUsersRepo

__all__ = [
    "IAccessRepo",
    "IAuthsRepo",
    "IChannelsRepo",
    "IChatMessagesRepo",
    "IChatsRepo",
    "IConfigRepo",
    "IFilesRepo",
    "IFoldersRepo",
    "IGroupsRepo",
    "IMessagesRepo",
    "IModelHistoriesRepo",
    "IModelsRepo",
    "IOAuthSessionsRepo",
    "ISharedChatsRepo",
    "ITagsRepo",
    "IUsersRepo",
]
