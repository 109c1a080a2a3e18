from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    ModelHistory as ModelHistory,
    ModelHistoryResponse as ModelHistoryResponse,
    ModelHistoryModel as ModelHistoryModel,
)
from openwebui_pocketbase.interfaces import IModelHistoriesRepo

def __getattr__(name: str) -> Any: ...

class ModelHistoryTable(IModelHistoriesRepo, metaclass=ABCMeta): ...
