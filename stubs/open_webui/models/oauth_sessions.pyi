from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    OAuthSession as OAuthSession,
    OAuthSessionModel as OAuthSessionModel,
    OAuthSessionResponse as OAuthSessionResponse,
    log as log,
)
from openwebui_pocketbase.interfaces import IOAuthSessionsRepo

def __getattr__(name: str) -> Any: ...

class OAuthSessionTable(IOAuthSessionsRepo, metaclass=ABCMeta):
    __init__: Any
    _encrypt_token: Any
    _decrypt_token: Any
