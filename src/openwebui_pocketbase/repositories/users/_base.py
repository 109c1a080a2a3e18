"""What the modules of users share: a user's row, creating users, and deleting them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from open_webui.models.users import UserModel
from open_webui.utils.validate import validate_image_url

from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of
from openwebui_pocketbase.repositories.errors import integrity_errors
from openwebui_pocketbase.repositories.neighbours import neighbour

__all__ = ["UserRows", "delete_belongings", "image_url", "new_user", "user_of", "wire_of"]


class UserRows(PocketBaseRepository):
    """The table of users."""

    route = "users"
    table = "user"
    model = UserModel
    _host_errors = staticmethod(integrity_errors)


def user_of(wire: Sequence[Any]) -> UserModel:
    """Return the user of a row which came from PocketBase."""
    return UserModel.model_validate(codec_of("user").decode(wire))


def wire_of(user: UserModel) -> dict[str, Any]:
    """Return the row of a new user as it goes to PocketBase."""
    return codec_of("user").encode({**user.model_dump(), "variables": None})


def new_user(
    id: str,
    name: str,
    email: str,
    profile_image_url: str,
    role: str,
    username: str | None = None,
    oauth: dict[str, Any] | None = None,
) -> UserModel:
    """Return a user who begins now, with the default image if theirs is not acceptable."""
    return UserModel(
        id=id,
        email=email,
        name=name,
        role=role,
        profile_image_url=image_url(profile_image_url),
        last_active_at=int(time.time()),
        created_at=int(time.time()),
        updated_at=int(time.time()),
        username=username,
        oauth=oauth,
    )


async def delete_belongings(user_id: str) -> bool:
    """Delete what the repositories of groups and chats keep of a user; False if the chats could not be deleted.

    It may be repeated, whatever comes after it.
    """
    await neighbour("Groups").remove_user_from_all_groups(user_id)
    return bool(await neighbour("Chats").delete_chats_by_user_id(user_id))


def image_url(url: str) -> str:
    """Return the address of a user's image, or that of the default image if the host does not accept it."""
    try:
        valid: str = validate_image_url(url)
    except ValueError:
        return "/user.png"
    return valid
