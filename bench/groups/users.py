"""Users: 10,000 with credentials, every tenth with an API key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.data import LOADED_AT, SCRATCH, SCRATCH_USERS, TOTAL_USERS, document, identifier
from bench.operations import HOT, Group, Item, Operation, Row, one_of_each

PEOPLE = tuple(identifier(f"user {number}") for number in range(TOTAL_USERS - len(SCRATCH_USERS)))
"""Everybody but the scratch users, who are users, too: memberships refer to them."""

IDS = (*PEOPLE, *SCRATCH_USERS)
IN_A_FAMILY = 100
FAMILIES = TOTAL_USERS // IN_A_FAMILY
WITH_KEY = range(0, TOTAL_USERS, 10)

PAGE = 30
PAGES = min(100, TOTAL_USERS // PAGE)
PASSWORD = "$2b$12$" + "x" * 53


def _user(number: int) -> Item:
    id_, family = IDS[number], f"family{number % FAMILIES:02}"
    email = f"given{number // FAMILIES:02}.{family}@example.com"
    user: Row = {
        "id": id_,
        "email": email,
        "role": "user",
        "name": f"Given{number // FAMILIES:02} {family.title()}",
        "profile_image_url": "/user.png",
        "timezone": "Europe/Berlin",
        "settings": {"ui": document(f"the interface of {family}")},
        "last_active_at": LOADED_AT,
        "updated_at": LOADED_AT,
        "created_at": LOADED_AT + number,
    }
    user |= dict.fromkeys(("username", "profile_banner_image_url", "bio", "gender", "date_of_birth", "presence_state"))
    user |= dict.fromkeys(("status_emoji", "status_message", "status_expires_at"))
    user |= dict.fromkeys(("info", "variables", "oauth", "scim"))
    auth = {"id": id_, "email": email, "password": PASSWORD, "active": True, "mfa": None}
    auth["session_stamp"] = identifier(f"session of {id_}")
    return {"user": [user], "auth": [auth]}


def _key(number: int) -> str:
    return f"sk-{identifier(f'key {number}')}"


def _api_key(number: int) -> Item:
    row: Row = {"id": f"key_{IDS[number]}", "user_id": IDS[number], "key": _key(number)}
    row |= dict.fromkeys(("data", "expires_at", "last_used_at"))
    return {"api_key": [{**row, "created_at": LOADED_AT, "updated_at": LOADED_AT}]}


def _items() -> Iterator[Item]:
    yield from map(_user, range(TOTAL_USERS))
    yield from map(_api_key, WITH_KEY)


def _id(number: int) -> str:
    return IDS[number % TOTAL_USERS]


def _by_id(number: int) -> tuple[str]:
    return (_id(number),)


def _by_key(number: int) -> tuple[str]:
    return (_key(WITH_KEY[number % len(WITH_KEY)]),)


def _page(number: int) -> tuple[None, None, int, int]:
    return None, None, number % PAGES * PAGE, PAGE


def _search(number: int) -> tuple[dict[str, str], dict[str, None], int, int]:
    """Return what the host's list of users asks when somebody searches in it."""
    return {"query": f"family{number % FAMILIES:02}"}, {"order_by": None, "direction": None}, 0, PAGE


def _settings(number: int) -> tuple[str, dict[str, Any]]:
    return _id(number), {"ui": {"system": f"Answer number {number}.", "chatBubble": number % 2 == 0}}


def _role(number: int) -> tuple[str, str]:
    return _id(number), ("admin", "user")[number // TOTAL_USERS % 2]


def _new(number: int) -> tuple[str, str, str]:
    return f"{SCRATCH}{number}@example.com", PASSWORD, f"Newcomer {number}"


def _found(row: Any) -> bool:
    return row is not None


def _is_page(total: int) -> Any:
    return lambda found: found["total"] == total and len(found["users"]) == PAGE


GROUP = Group(
    name="users",
    scratch={"auth": "email", "user": "email"},
    writes={
        ("user", "auth"): one_of_each("auths/insert_new_auth"),
        ("api_key",): one_of_each("users/update_user_api_key_by_id"),
    },
    items=_items,
    operations=(
        Operation("Users.get_user_by_id", "read", _by_id, _found, limits=HOT),
        Operation("Auths.get_auth_by_id", "read", _by_id, _found, limits=HOT),
        Operation("Users.get_user_by_api_key", "read", _by_key, _found, limits=HOT),
        Operation("Users.get_users", "read", _page, _is_page(TOTAL_USERS)),
        Operation(
            "Users.get_users", "read", _search, _is_page(IN_A_FAMILY), case="searching", limits={"p50_ratio": 0.7}
        ),
        Operation("Users.update_user_settings_by_id", "write", _settings, _found),
        Operation("Users.update_user_role_by_id", "write", _role, _found),
        Operation("Users.update_last_active_by_id", "write", _by_id, lambda answer: answer is None),
        Operation("Auths.insert_new_auth", "write", _new, _found),
    ),
)
