from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    InterfaceTitleSettings as InterfaceTitleSettings,
    InterfaceImageCompressionSize as InterfaceImageCompressionSize,
    InterfaceFloatingActionButton as InterfaceFloatingActionButton,
    InterfaceSettings as InterfaceSettings,
    UserSettings as UserSettings,
    User as User,
    UserModel as UserModel,
    UserStatusModel as UserStatusModel,
    ApiKey as ApiKey,
    ApiKeyModel as ApiKeyModel,
    UpdateProfileForm as UpdateProfileForm,
    UserGroupIdsModel as UserGroupIdsModel,
    UserModelResponse as UserModelResponse,
    UserListResponse as UserListResponse,
    UserGroupIdsListResponse as UserGroupIdsListResponse,
    UserStatus as UserStatus,
    UserInfoResponse as UserInfoResponse,
    UserIdNameResponse as UserIdNameResponse,
    UserIdNameStatusResponse as UserIdNameStatusResponse,
    UserInfoListResponse as UserInfoListResponse,
    UserIdNameListResponse as UserIdNameListResponse,
    UserNameResponse as UserNameResponse,
    UserResponse as UserResponse,
    UserProfileImageResponse as UserProfileImageResponse,
    UserRoleUpdateForm as UserRoleUpdateForm,
    UserUpdateForm as UserUpdateForm,
    _DEFAULT_PROFILE_IMAGE_URL as _DEFAULT_PROFILE_IMAGE_URL,
)
from openwebui_pocketbase.interfaces import IUsersRepo

def __getattr__(name: str) -> Any: ...

class UsersTable(IUsersRepo, metaclass=ABCMeta): ...
