"""The configuration in PocketBase; the hooks are in ``owui/config``.

| Room | Methods |
| --- | --- |
| `config` | the host's table ``config``: all methods |

Reads use a copy in this process, see `_copy`; what the host repairs at its start is in `_repairs`.
"""

from openwebui_pocketbase.repositories.config.config import PocketBaseConfig

__all__ = ["PocketBaseConfig"]
