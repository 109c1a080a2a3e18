from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    Group as Group,
    GroupModel as GroupModel,
    GroupMember as GroupMember,
    GroupMemberModel as GroupMemberModel,
    GroupResponse as GroupResponse,
    GroupInfoResponse as GroupInfoResponse,
    GroupForm as GroupForm,
    UserIdsForm as UserIdsForm,
    GroupUpdateForm as GroupUpdateForm,
    GroupListResponse as GroupListResponse,
    GroupHierarchyError as GroupHierarchyError,
    log as log,
)
from openwebui_pocketbase.interfaces import IGroupsRepo

def __getattr__(name: str) -> Any: ...

class GroupTable(IGroupsRepo, metaclass=ABCMeta):
    _ensure_default_share_config: Any
