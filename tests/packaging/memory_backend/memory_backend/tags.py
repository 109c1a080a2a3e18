"""The repository of the backend; imported when the host's own is there."""

from __future__ import annotations

from typing import Any

from open_webui.models.tags import TagModel, TagTable


class MemoryTags(TagTable):
    """Tags in a dict."""

    rows: dict[tuple[str, str], TagModel]

    async def insert_new_tag(self, name: str, user_id: str, db: Any = None) -> TagModel | None:
        tag = TagModel(id=name.replace(" ", "_").lower(), name=name, user_id=user_id, meta=None)
        return self.rows.setdefault((user_id, tag.id), tag)

    async def get_tags_by_user_id(self, user_id: str, db: Any = None) -> list[TagModel]:
        return [tag for (owner, _), tag in self.rows.items() if owner == user_id]
