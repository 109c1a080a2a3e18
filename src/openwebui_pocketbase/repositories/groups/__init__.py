"""Groups of users in PocketBase, with their members; the hooks are in ``owui/groups/``."""

from openwebui_pocketbase.repositories.groups.groups import PocketBaseGroups

__all__ = ["PocketBaseGroups"]
