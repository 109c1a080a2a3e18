"""A backend which keeps tags in the memory of the process."""

from __future__ import annotations

from openwebui_pocketbase import RepositoryBinding, Settings, hookimpl


@hookimpl
def openwebui_register_repositories(settings: Settings) -> list[RepositoryBinding]:
    return [RepositoryBinding("tags", "memory", {"Tags": "memory_backend.tags:MemoryTags"}, {"rows": {}})]
