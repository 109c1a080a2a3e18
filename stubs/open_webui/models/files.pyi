from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    File as File,
    FileModel as FileModel,
    FileMeta as FileMeta,
    FileModelResponse as FileModelResponse,
    FileMetadataResponse as FileMetadataResponse,
    FileListResponse as FileListResponse,
    FileForm as FileForm,
    FileUpdateForm as FileUpdateForm,
    log as log,
)
from openwebui_pocketbase.interfaces import IFilesRepo

def __getattr__(name: str) -> Any: ...

class FilesTable(IFilesRepo, metaclass=ABCMeta):
    _glob_to_like_pattern: Any
