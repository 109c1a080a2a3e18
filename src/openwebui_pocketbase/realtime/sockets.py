"""Telling browsers, by the host's own socket functions and events; what they are shown is read by its repositories.

Each public method is a kind of event, see `openwebui_pocketbase.realtime.events`. Everybody gets what the host's own
routes would send them, and only who may read it: lists are read anew by the browsers themselves, messages go to the
channel's room, whose members are checked when access changes.

This module imports the host, so it is imported when that has started.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from open_webui.models.channels import ChannelModel, Channels
from open_webui.models.groups import Groups, refresh_group_sessions
from open_webui.models.messages import Messages
from open_webui.models.users import UserNameResponse, Users
from open_webui.routers.channels import get_channel_users_with_access
from open_webui.socket import main as host

__all__ = ["Sockets", "is_open", "online", "online_of"]

LIST = {"data": {"type": "channel:created"}}
"""Has a browser read its list of channels anew."""

OWN = ("group", "dm")
"""Types of channels that only members see; others are seen by whom they are granted to."""


class Sockets:
    """The open browsers of this process, and of all others if the host's sockets run on Redis."""

    def __init__(self) -> None:
        self._channels: dict[str, ChannelModel | None] = {}
        self._authors: dict[str, dict[str, Any]] = {}

    @staticmethod
    def is_here(user: str) -> bool:
        """Return whether a user has a socket of this process."""
        return bool(host.get_session_ids_from_room(_user_room(user)))

    def begin(self) -> None:
        """Forget what was read: channels and authors are read once for what is told at a time."""
        self._channels.clear()
        self._authors.clear()

    async def everything(self) -> None:
        """Have all browsers connect anew: they read all lists again, and everybody's access is checked."""
        await host.disconnect_sessions_for_users(list(online()), refresh_access=True)

    async def chat_list(self, user: str) -> None:
        """Have a user's browsers read the list of chats and the folders anew."""
        await _emit_chat(user, None, "chat:list")

    async def chat(self, chat: str, user: str) -> None:
        """Have a chat read anew where its owner has it open."""
        await _emit_chat(user, chat, "chat:reload")

    async def chat_access(self, chat: str) -> None:
        """Check who else may have a chat open, and have it read anew there; all open chats if it is empty."""
        await host.refresh_chat_access(chat or None)

    async def tags(self, user: str) -> None:
        """Have a user's browsers read all tags anew."""
        await _emit_chat(user, None, "chat:tags")

    async def channel(self, channel: str) -> None:
        """Have the list of channels read anew by whoever sees this one; who saw it, is told by `recheck`."""
        found = await Channels.get_channel_by_id(channel)
        if found is None or found.deleted_at or found.archived_at:
            await self.channel_gone(channel, found.user_id if found else "")
            return
        seeing = await _readers(found) & online().keys() | _admins()
        await _emit_channel(LIST, *map(_user_room, seeing))

    async def recheck(self, channel: str) -> None:
        """Have this process' sockets in a channel's room that may be there, and no others."""
        found = await Channels.get_channel_by_id(channel)
        readers = await _readers(found) if found else set()
        await host.enter_room_for_users(_room(channel), list(readers & online().keys()))
        for user in await host.get_user_ids_from_room(_room(channel)) - readers:
            await self.enter(channel, user)
            if user not in _admins():  # they see it all the same
                await _emit_channel(LIST, _user_room(user))

    async def channel_gone(self, channel: str, owner: str) -> None:
        """Have the list of channels read anew by whoever saw one that is no more, and close its room."""
        inside = await host.get_user_ids_from_room(_room(channel))
        await host.encryption.invalidate(channel)
        await _emit_channel(LIST, _room(channel), *map(_user_room, (_admins() | {owner}) - inside))
        await host.sio.close_room(_room(channel))

    async def membership(self, user: str) -> None:
        """Have a user's browsers read the list of channels anew."""
        await _emit_channel(LIST, _user_room(user))

    async def enter(self, channel: str, user: str) -> None:
        """Have this process' sockets of a user in a channel's room if they may be there, and out of it if not."""
        if any(found.id == channel for found in await Channels.get_channels_by_user_id(user)):
            await host.enter_room_for_users(_room(channel), [user])
        else:
            await host.encryption.invalidate(channel)
            await host.leave_room_for_users(_room(channel), [user])

    async def message_create(self, message: str, channel: str, user: str, _parent: str) -> None:
        """Show a new message."""
        await self._show(message, channel, user, "message", temp_id=None)

    async def message_posted(self, message: str, channel: str, user: str, _parent: str) -> None:
        """Show a new message to everybody but its author, whose browser has it from the process that was asked."""
        await self._show(message, channel, user, "message", skip=user, temp_id=None)

    async def message_update(self, message: str, channel: str, user: str, _parent: str) -> None:
        """Show a message as it is now."""
        await self._show(message, channel, user, "message:update")

    async def message_delete(self, message: str, channel: str, user: str, parent: str) -> None:
        """Take a message away."""
        gone = {"id": message, "channel_id": channel, "user_id": user or None, "parent_id": parent or None}
        await self._send(message, channel, user, "message:delete", {**gone, "content": "", "data": None, "meta": None})

    async def reply(self, message: str, channel: str, user: str) -> None:
        """Show how many replies a message has now."""
        await self._show(message, channel, user, "message:reply")

    async def reaction_add(self, message: str, user: str, name: str) -> None:
        """Show a new reaction."""
        await self._show(message, "", user, "message:reaction:add", name=name)

    async def reaction_remove(self, message: str, user: str, name: str) -> None:
        """Take a reaction away."""
        await self._show(message, "", user, "message:reaction:remove", name=name)

    async def user(self, user: str) -> None:
        """Have a user's sockets connect anew if they were given for another role, or the user is no more."""
        sessions = [session for batch in host.get_session_pool_batches() for _, session in batch if session]
        roles = {session.get("role") for session in sessions if session.get("id") == user}
        if roles:
            found = await Users.get_user_by_id(user)
            if found is None or roles != {found.role}:
                await host.disconnect_user_sessions(user, refresh_access=True)

    async def group(self, group: str) -> None:
        """Have the members of a group, and of those below it, connect anew: permissions may be others."""
        below = [] if await Groups.get_group_by_id(group) else await Groups.get_all_groups()
        groups = [group, *(other.id for other in below if other.parent_group_id == group)]
        found = await Groups.get_group_user_ids_by_ids(groups, include_inherited=True)
        await refresh_group_sessions(list({user for users in found.values() for user in users}))

    async def access(self, user: str) -> None:
        """Have a user's sockets connect anew: groups are others, or a session was ended."""
        await refresh_group_sessions([user])

    async def grant(self, resource_type: str, resource: str, principal_type: str, principal: str) -> None:
        """Check what somebody was given or has lost."""
        if resource_type in ("shared_chat", "folder"):
            await host.refresh_chat_access(resource if resource_type == "shared_chat" else None)
            for user in await online_of(principal_type, principal):
                await self.chat_list(user)

    async def _show(self, message: str, channel: str, user: str, kind: str, *, skip: str = "", **more: Any) -> None:
        """Send a message as it is now to its channel, but not to one of the users."""
        if channel and not is_open(_room(channel)):
            return
        found = await Messages.get_message_by_id(message)
        if found is not None and channel in ("", found.channel_id):
            await self._send(message, str(found.channel_id), user, kind, {**found.model_dump(), **more}, skip)

    async def _send(
        self, message: str, channel: str, user: str, kind: str, data: dict[str, Any], skip: str = ""
    ) -> None:
        if not is_open(_room(channel)):
            return
        if channel not in self._channels:
            self._channels[channel] = await Channels.get_channel_by_id(channel)
        if user not in self._authors:
            author = await Users.get_user_by_id(user) if user else None
            # Always somebody: handlers of the host's frontend read "user.id" unguarded.
            by = UserNameResponse(**author.model_dump()) if author else UserNameResponse(id=user, name="", role="user")
            self._authors[user] = by.model_dump()
        found = self._channels[channel]
        if found is None:
            return
        await _emit_channel(
            {
                "channel_id": channel,
                "message_id": message,
                "data": {"type": kind, "data": data},
                "user": self._authors[user],
                "channel": found.model_dump(),
            },
            _room(channel),
            skip=host.get_session_ids_from_room(_user_room(skip)) if skip else None,
        )


async def _readers(channel: ChannelModel) -> set[str]:
    """Return who may read a channel and is in its room, as the host has it; administrators only if they are named."""
    if channel.type in OWN:
        return {member.user_id for member in await Channels.get_members_by_channel_id(channel.id) if member.is_active}
    return {channel.user_id, *(user.id for user in await get_channel_users_with_access(channel))}


def _admins() -> set[str]:
    """Return the administrators who have sockets: they see all channels in their lists."""
    return {user for user, session in online().items() if session.get("role") == "admin"}


def _room(channel: str) -> str:
    return f"channel:{channel}"


def _user_room(user: str) -> str:
    return f"user:{user}"


def is_open(room: str) -> bool:
    """Return whether anybody can be in a room: on Redis another process has to be asked."""
    return host.REDIS is not None or bool(host.get_session_ids_from_room(room))


def online() -> dict[str, dict[str, Any]]:
    """Return the users who have sockets, by id, as one of their sessions has them."""
    sessions = (session for batch in host.get_session_pool_batches() for _, session in batch if session)
    return {session["id"]: session for session in sessions}


async def online_of(principal_type: str, principal: str) -> list[str]:
    """Return the users online whom a grant concerns."""
    if principal_type == "group":
        members: Iterable[str] = await Groups.get_group_user_ids_by_id(principal, include_inherited=True)
    else:
        members = [principal]
    present = online()
    return list(present) if principal == "*" else [user for user in members if user in present]


async def _emit_chat(user: str, chat: str | None, kind: str) -> None:
    await host.sio.emit("events", {"chat_id": chat, "data": {"type": kind}}, room=_user_room(user))


async def _emit_channel(event: dict[str, Any], *rooms: str, skip: list[str] | None = None) -> None:
    for room in rooms:
        await host.sio.emit("events:channel", event, room=room, skip_sid=skip)
