"""Groups of users in PocketBase, with their members; the hooks are in ``owui/groups``.

| Room | Methods |
| --- | --- |
| `groups` | the host's table ``group``: reading, creating, changing and deleting groups |
| `members` | the host's table ``group_member``: who is in which group |

What they have in common is in `_base`.
"""

from openwebui_pocketbase.repositories.groups.groups import PocketBaseGroups

__all__ = ["PocketBaseGroups"]
