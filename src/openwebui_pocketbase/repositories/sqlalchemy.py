"""The host's own repositories, for what stays in SQL or has to be read from there.

A stock class is the SQLAlchemy implementation of its interface already, so nothing wraps its
methods. What is needed is an instance of it: the host's singleton may be of another class by now.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, overload

from openwebui_pocketbase.catalog import repository

if TYPE_CHECKING:
    from openwebui_pocketbase.interfaces import (
        IAccessRepo,
        IAuthsRepo,
        IChannelsRepo,
        IChatMessagesRepo,
        IChatsRepo,
        IFilesRepo,
        IFoldersRepo,
        IGroupsRepo,
        IMessagesRepo,
        IModelHistoriesRepo,
        IModelsRepo,
        IOAuthSessionsRepo,
        ISharedChatsRepo,
        ITagsRepo,
        IUsersRepo,
    )

__all__ = ["stock_repository"]


@overload
def stock_repository(name: Literal["Users"]) -> IUsersRepo: ...
@overload
def stock_repository(name: Literal["Auths"]) -> IAuthsRepo: ...
@overload
def stock_repository(name: Literal["OAuthSessions"]) -> IOAuthSessionsRepo: ...
@overload
def stock_repository(name: Literal["Chats"]) -> IChatsRepo: ...
@overload
def stock_repository(name: Literal["ChatMessages"]) -> IChatMessagesRepo: ...
@overload
def stock_repository(name: Literal["SharedChats"]) -> ISharedChatsRepo: ...
@overload
def stock_repository(name: Literal["Messages"]) -> IMessagesRepo: ...
@overload
def stock_repository(name: Literal["Channels"]) -> IChannelsRepo: ...
@overload
def stock_repository(name: Literal["Tags"]) -> ITagsRepo: ...
@overload
def stock_repository(name: Literal["Files"]) -> IFilesRepo: ...
@overload
def stock_repository(name: Literal["Groups"]) -> IGroupsRepo: ...
@overload
def stock_repository(name: Literal["Folders"]) -> IFoldersRepo: ...
@overload
def stock_repository(name: Literal["Models"]) -> IModelsRepo: ...
@overload
def stock_repository(name: Literal["ModelHistories"]) -> IModelHistoriesRepo: ...
@overload
def stock_repository(name: Literal["AccessGrants"]) -> IAccessRepo: ...
@overload
def stock_repository(name: str) -> Any: ...
def stock_repository(name: str) -> Any:
    """Return a new, unmodified stock repository, which keeps its data in SQL.

    Taking a repository over changes the class of the host's singleton. The class in the module
    stays as it is, and an instance holds nothing but what its constructor makes, so another one is
    as good as the singleton was. Its calls to *other* repositories go where those are now, because
    stock code names their singletons.

    Args:
        name: Name of the singleton, such as ``Tags``.

    Raises:
        KeyError: No repository has this name.
    """
    spec = repository(name)
    return getattr(import_module(spec.module), spec.stock_class)()
