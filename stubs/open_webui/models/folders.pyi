from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    Folder as Folder,
    FolderModel as FolderModel,
    FolderMetadataResponse as FolderMetadataResponse,
    FolderNameIdResponse as FolderNameIdResponse,
    SharedFolderResponse as SharedFolderResponse,
    FolderForm as FolderForm,
    FolderUpdateForm as FolderUpdateForm,
    log as log,
)
from openwebui_pocketbase.interfaces import IFoldersRepo

def __getattr__(name: str) -> Any: ...

class FolderTable(IFoldersRepo, metaclass=ABCMeta): ...
