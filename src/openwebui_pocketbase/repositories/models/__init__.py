"""Models in PocketBase, with their versions; the hooks are in ``owui/models``.

| Room | Methods |
| --- | --- |
| `models` | the host's table ``model``: one model, creating, changing and deleting models |
| `lists` | several models at once: lists, a search, their tags |
| `histories` | the host's table ``model_history``: the versions of models |

What they have in common is in `_base`, what becomes of a model when a form is saved is in `_steps`, and texts without
case are compared by `_patterns`.
"""

from openwebui_pocketbase.repositories.models.histories import PocketBaseModelHistories
from openwebui_pocketbase.repositories.models.models import PocketBaseModels

__all__ = ["PocketBaseModelHistories", "PocketBaseModels"]
