from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    log as log,
    API_CONFIG_KEYS as API_CONFIG_KEYS,
    DICT_CONFIG_KEY_ALIASES as DICT_CONFIG_KEY_ALIASES,
    DICT_CONFIG_KEYS as DICT_CONFIG_KEYS,
    API_CONFIG_FIELDS as API_CONFIG_FIELDS,
)
from openwebui_pocketbase.interfaces import IConfigRepo

def __getattr__(name: str) -> Any: ...

class Config(IConfigRepo, metaclass=ABCMeta):
    __tablename__: Any
    key: Any
    value: Any
    updated_at: Any
