"""The host's unified search, whose SQL names the tables ``folder``, ``chat``, ``shared_chat`` and those of channels.

The stock function runs as it is, except that global names of its module mean something else: the tables are
subqueries over rows from the repositories. Of chats and of messages these are only the rows which its page can show;
what it says of chats' messages is filled in afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from types import FunctionType
from typing import Any

from open_webui.models.access_grants import AccessGrant
from open_webui.models.chats import Chat, Chats
from open_webui.models.folders import Folder, Folders
from open_webui.models.groups import Groups
from open_webui.models.messages import Messages
from open_webui.models.shared_chats import SharedChat
from sqlalchemy import and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from openwebui_pocketbase.repositories.chats import PocketBaseChats
from openwebui_pocketbase.repositories.chats._codecs import CHAT
from openwebui_pocketbase.repositories.chats.search import parts_of
from openwebui_pocketbase.repositories.folders import PocketBaseFolders
from openwebui_pocketbase.repositories.messages import PocketBaseMessages
from openwebui_pocketbase.seams._entities import as_entity
from openwebui_pocketbase.seams._rebind import rebound
from openwebui_pocketbase.seams.workspace_messages import of_messages

__all__ = ["over_repositories"]

Search = Callable[..., Awaitable[Any]]

_CHAT = ("id", "user_id", "title", "updated_at", "pinned", "folder_id", "share_id")
_SNAPSHOT = ("id", "chat_id", "user_id", "title", "updated_at")


def over_repositories(stock: FunctionType) -> Search:
    """Return `search_workspace` with rows of those repositories which are not in the SQL database."""

    async def search_workspace(
        db: AsyncSession,
        user: Any,
        query: str = "",
        kind: str = "all",
        sharing: str = "all",
        scope: str = "",
        page: int = 1,
        enabled: tuple[str, ...] = ("chat", "message", "note"),
    ) -> Any:
        groups = {g.id for g in await Groups.get_groups_by_member_id(user.id, db=db, include_inherited=True)}
        bound: dict[str, Any] = {}
        if isinstance(Folders, PocketBaseFolders):
            shared = await Folders.get_shared_folder_ids_for_user(user.id, groups, db=db)
            rows = await Folders.get_reachable_rows(user.id, list(shared))
            bound["Folder"] = as_entity(Folder, rows, db)
        chats = isinstance(Chats, PocketBaseChats) and "chat" in enabled and kind in ("all", "chat")
        if chats:
            bound |= await _chats(stock, db, user, groups, bound.get("Folder", Folder), query, sharing, scope, page)
        if isinstance(Messages, PocketBaseMessages) and "message" in enabled:
            bound |= await of_messages(stock.__globals__, db, user, query, kind, sharing, scope, page)
        # A copy per call: two searches at once must not see each other's rows.
        found = await rebound(stock, **bound)(db, user, query, kind, sharing, scope, page, enabled)
        if chats:
            await _fill_in(stock, found, query.strip())
        return found

    return search_workspace


async def _chats(
    stock: FunctionType,
    db: AsyncSession,
    user: Any,
    groups: Iterable[str],
    folder: Any,
    query: str,
    sharing: str,
    scope: str,
    page: int,
) -> dict[str, Any]:
    """Return what the stock function's names mean: the chats and snapshots that its page can show."""
    host = stock.__globals__
    principal = or_(
        and_(AccessGrant.principal_type == "user", AccessGrant.principal_id == user.id),
        and_(AccessGrant.principal_type == "group", AccessGrant.principal_id.in_(groups)),
    )
    folders = await _reachable_folders(db, user, principal, folder)
    granted = _granted("shared_chat", principal)
    folded = query.strip().lower()
    chats, snapshots = await Chats.pocketbase.read(
        "chats/search_workspace",
        {
            "user_id": user.id,
            "folder_ids": [*folders],
            "scope": _below(folders, scope.removeprefix("folder:")) if scope else None,
            "granted": [*(await db.execute(granted)).scalars()],
            "query": folded,
            **parts_of(host["terms_for"](folded)),
            "sharing": sharing,
            "folds_all": db.bind.dialect.name != "sqlite",
            "number": page * host["PAGE_SIZE"] + 1,
        },
    )
    chat_rows = [{"archived": False, **dict(zip(_CHAT, row, strict=False))} for row in chats]
    # The stock function looks for the shares by which chats are reached; what it takes for one stays out of sight.
    continued = [{"id": row[0], "chat_id": row[0], "chat": {"share_mode": "continue"}} for row in chats if row[-1]]
    snapshot_rows = [dict(zip(_SNAPSHOT, row, strict=True)) for row in snapshots]
    return {
        "Chat": as_entity(Chat, chat_rows, db),
        "SharedChat": as_entity(SharedChat, [*snapshot_rows, *continued], db),
        "message_match_sql": lambda *_: true(),
        "chat_passage": lambda *_: ("", None),
    }


def _granted(resource: str, principal: Any) -> Any:
    """Return the statement of the ids that somebody may read."""
    return select(AccessGrant.resource_id).where(
        AccessGrant.resource_type == resource, AccessGrant.permission == "read", principal
    )


async def _reachable_folders(db: AsyncSession, user: Any, principal: Any, folder: Any) -> dict[str, str | None]:
    """Return the folders that a user owns or may read, and all below them: id -> parent's id."""
    everyone = and_(AccessGrant.principal_type == "user", AccessGrant.principal_id == "*")
    granted = _granted("folder", or_(principal, everyone))
    found = select(folder.id).where(or_(folder.user_id == user.id, folder.id.in_(granted))).cte(recursive=True)
    found = found.union(select(folder.id).join(found, folder.parent_id == found.c.id))
    rows = await db.execute(select(folder.id, folder.parent_id).where(folder.id.in_(select(found.c.id))))
    return dict(rows.tuples().all())


def _below(folders: dict[str, str | None], root: str) -> list[str]:
    """Return a folder and all below it."""
    found = {root} & folders.keys()
    while more := {each for each, parent in folders.items() if parent in found} - found:
        found |= more
    return sorted(found)


async def _fill_in(stock: FunctionType, found: Any, query: str) -> None:
    """Add the passages of those chats and snapshots which are shown, and the links to these."""
    host = stock.__globals__
    items = [item for item in found.items if item.kind == "chat"]
    if not items:
        return
    ids: dict[str, list[str]] = {"chat": [], "shared": []}
    for item in items:
        source, _, own_id = item.id.partition(":")
        ids[source].append(own_id)
    wanted = {"chats": ids["chat"], "snapshots": ids["shared"]}
    chats, snapshots = await Chats.pocketbase.read("chats/get_passages", wanted)
    decoded = [(f"chat:{chat['id']}", chat["chat"]) for chat in map(CHAT.decode_whole, chats)]
    bodies = dict([*decoded, *((f"shared:{own_id}", body) for own_id, body in snapshots)])
    for item in items:
        # What has gone meanwhile is shown as the stock function shows a chat without messages.
        content, message_id = host["chat_passage"](bodies.get(item.id) or {}, query)
        item.snippet = host["excerpt"](content, query)
        item.preview = host["excerpt"](content, query, 2400)
        if message_id:
            item.url += "?" + host["urlencode"]({"message": message_id})
