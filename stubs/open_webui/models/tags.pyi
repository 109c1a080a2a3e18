from abc import ABCMeta
from typing import Any

from open_webui.untyped import Tag as Tag, TagModel as TagModel, TagChatIdForm as TagChatIdForm, log as log
from openwebui_pocketbase.interfaces import ITagsRepo

def __getattr__(name: str) -> Any: ...

class TagTable(ITagsRepo, metaclass=ABCMeta): ...
