from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    AccessGrant as AccessGrant,
    AccessGrantModel as AccessGrantModel,
    AccessGrantResponse as AccessGrantResponse,
    log as log,
    PRINCIPAL_TYPE_ANYONE as PRINCIPAL_TYPE_ANYONE,
    PRINCIPAL_TYPE_GROUP as PRINCIPAL_TYPE_GROUP,
    PRINCIPAL_TYPE_USER as PRINCIPAL_TYPE_USER,
    WILDCARD_PRINCIPAL_ID as WILDCARD_PRINCIPAL_ID,
)
from openwebui_pocketbase.interfaces import IAccessRepo

def __getattr__(name: str) -> Any: ...

class AccessGrantsTable(IAccessRepo, metaclass=ABCMeta):
    _has_read_only_permission_filter: Any
