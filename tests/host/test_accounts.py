"""Accounts: signing up, profiles, settings, lists of users, deletion. The same answers wherever the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Step, configure, permit, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTHS = "/api/v1/auths"
USERS = "/api/v1/users"
CHATS = "/api/v1/chats"
HUGE = 2**62
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def account(name: str, email: str = "", **members: Any) -> dict[str, Any]:
    """Return the body that makes a user."""
    address = email or f"{name}.$here@example.com"
    return {"name": name, "email": address, "password": "$password", **members}


def add(name: str, email: str = "", status: int = 200, *, sqlite_only: str = "", **members: Any) -> Step:
    """Return the step in which the admin adds a user."""
    body = account(name, email, **({"role": "user"} | members))
    return step("admin", status, f"POST {AUTHS}/add", body, save=name, sqlite_only=sqlite_only)


def sign_in(status: int, email: str, password: str = "$password", **more: Any) -> Step:
    body = {"email": email, "password": password}
    return step("", status, f"POST {AUTHS}/signin", body, **({"take": "token"} | more))


def profile(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "profile_image_url": "/user.png", **members}


def search(query: str, **more: Any) -> list[Step]:
    """Return a search by the admin, who sees everything, and by a user."""
    return [
        step(user, 200, f"GET {USERS}/{path}?{query}", mine=True, **more)
        for user, path in (("admin", ""), ("ann", "search"))
    ]


ORDERS = ("name", "email", "group_id:$team", "group_id:")

SETTINGS: list[dict[str, Any]] = [
    {"ui": {"z": 1, "a": {"deep": [1, 1.0, 2**53 + 1, -0.0]}, "": None}},
    {"ui": {"a": {"other": True}, "m": "ö\"'\\"}},
    {"ui": {"z": None, "never": None}},
    {"ui": {}},
    {"other": {"x": 1}, "id": "x"},
    {"other": {"y": 2}},
    {"other": None},
    {"ui": {"models": ["m"], "fontFamily": "x", "textScale": 1.5}},
    {},
]

SCENARIOS: dict[str, list[Step]] = {
    "sign up": [
        step("", 403, f"POST {AUTHS}/signup", account("early")),
        configure(ENABLE_SIGNUP=True, DEFAULT_USER_ROLE="pending"),
        step("", 200, f"POST {AUTHS}/signup", account("New"), save="new", take="token"),
        step("=new", 200, f"GET {AUTHS}/"),
        step("=new", 401, f"GET {USERS}/user/settings"),
        step("=new", 401, f"GET {CHATS}/"),
        step("", 400, f"POST {AUTHS}/signup", account("Twice", "new.$here@example.com")),
        step("", 400, f"POST {AUTHS}/signup", account("Twice", "NEW.$here@Example.COM")),
        *[
            step("", 400, f"POST {AUTHS}/signup", account("Wrong", email))
            for email in ("no-at.$here", "@$here", "a b@", "a@b@$here.com", " ")
        ],
        step("", 400, f"POST {AUTHS}/signup", account("Long", password="p" * 73)),
        *[
            step("", 422, f"POST {AUTHS}/signup", account("Odd") | members)
            for members in ({"name": None}, {"email": 1}, {"password": None}, {"profile_image_url": "javascript:x"})
        ],
        step("", 200, f"POST {AUTHS}/signup", account("Größe", "GRÖSSE.$here@Example.COM"), save="umlaut"),
        step("", 400, f"POST {AUTHS}/signup", account("Again", "größe.$here@example.com".replace("ß", "SS"))),
        step("", 200, f"POST {AUTHS}/signup", account("", "nameless.$here@example.com")),
        step("", 200, f"POST {AUTHS}/signup", account("n" * 1_000_000, "long.$here@example.com"), save="long"),
        step("", 200, f"POST {AUTHS}/signup", account("nul\0", "nul.$here@example.com"), sqlite_only="NUL"),
        step("", 500, f"POST {AUTHS}/signup", account("\ud83d", "half.$here@example.com")),
        step("", 200, f"POST {AUTHS}/signup", account("o'Neill \\ \" % _ 🦜", "quoted.$here@example.com")),
        configure(DEFAULT_USER_ROLE="user"),
        step("", 200, f"POST {AUTHS}/signup", account("User", profile_image_url=PICTURE), save="user", take="token"),
        step("=user", 200, f"GET {USERS}/user/settings"),
        step("admin", 200, "POST /api/v1/groups/create", {"name": "Default $here", "description": ""}, save="team"),
        configure(DEFAULT_GROUP_ID="$team"),
        step("", 200, f"POST {AUTHS}/signup", account("Member"), save="member", take="token"),
        step("=member", 200, f"GET {USERS}/groups"),
        configure(DEFAULT_GROUP_ID=MISSING),
        step("", 200, f"POST {AUTHS}/signup", account("Lonely"), save="lonely", take="token"),
        step("=lonely", 200, f"GET {USERS}/groups"),
        configure(DEFAULT_GROUP_ID="", ENABLE_SIGNUP=False, DEFAULT_USER_ROLE="pending"),
        step("", 403, f"POST {AUTHS}/signup", account("late")),
        step("admin", 200, f"GET {USERS}/?query=.$here", mine=True, sort=True),
    ],
    "add": [
        step("", 401, f"POST {AUTHS}/add", account("x")),
        step("ann", 401, f"POST {AUTHS}/add", account("x")),
        *[
            step("admin", 200, f"POST {AUTHS}/add", account(role, role=role), save=role)
            for role in ("user", "pending", "emperor")
        ],
        step("admin", 200, f"POST {AUTHS}/add", account("Boss", role="admin"), save="boss", take="token"),
        step("=boss", 200, f"POST {AUTHS}/add", account("By the boss"[:2]), save="other"),
        step("admin", 500, f"POST {AUTHS}/add", account("None", role=None)),
        step("admin", 400, f"POST {AUTHS}/add", account("Twice", "user.$here@example.com")),
        step("admin", 400, f"POST {AUTHS}/add", account("Twice", "USER.$here@EXAMPLE.com")),
        step("admin", 400, f"POST {AUTHS}/add", account("Wrong", "no address")),
        step("admin", 422, f"POST {AUTHS}/add", account("Wrong", role=7)),
        *[step("admin", 200, f"GET {USERS}/{path}") for path in ("$user", "$user/info", "$emperor", "$pending/active")],
        *[step("ann", 401, f"GET {USERS}/{path}") for path in ("$user", "$user/groups", "$user/oauth/sessions")],
        step("ann", 200, f"GET {USERS}/$user/info"),
        step("ann", 200, f"GET {USERS}/$user/active"),
        step("ann", 200, f"GET {USERS}/$user/profile/image"),
        *[step("admin", 400, f"GET {USERS}/{odd}") for odd in (MISSING, "x", "a'b", "ö")],
        step("admin", 400, f"GET {USERS}/%00", sqlite_only="NUL"),
        *[step("ann", 400, f"GET {USERS}/{MISSING}/{path}") for path in ("info", "profile/image")],
        step("ann", 200, f"GET {USERS}/{MISSING}/active"),
        step("admin", 400, f"GET {USERS}/{MISSING}/oauth/sessions"),
        step("admin", 404, f"GET {USERS}/{MISSING}/preview"),
        step("admin", 200, f"GET {USERS}/{MISSING}/groups"),
        step("ann", 200, f"GET {AUTHS}/admin/details"),
    ],
    "sign in": [
        add("ada"),
        sign_in(200, "ada.$here@example.com", save="one"),
        sign_in(200, "ADA.$here@example.COM", save="two"),
        sign_in(400, "ada.$here@example.com", "wrong"),
        sign_in(400, "ada.$here@example.com", ""),
        sign_in(400, "nobody.$here@example.com"),
        sign_in(400, " ada.$here@example.com"),
        sign_in(400, "%"),
        sign_in(400, "ad_.$here@example.com"),
        sign_in(400, "nul\0.$here@example.com", sqlite_only="NUL"),
        step("", 422, f"POST {AUTHS}/signin", {"email": "ada"}),
        *[step(user, 200, f"GET {AUTHS}/") for user in ("=one", "=two")],
        step("=one", 200, f"POST {AUTHS}/signout"),
        step("=one", 200, f"GET {AUTHS}/"),  # without Redis, a token outlives that
        step("", 200, f"POST {AUTHS}/signout"),
        step("", 401, f"GET {AUTHS}/"),
        step("", 401, f"GET {AUTHS}/", headers={"Authorization": "Bearer nonsense"}),
        step("ann", 401, f"POST {USERS}/$ada/sessions/revoke"),
        step("admin", 404, f"POST {USERS}/{MISSING}/sessions/revoke"),
        step("admin", 200, f"POST {USERS}/$ada/sessions/revoke"),
        *[step(user, 401, f"GET {AUTHS}/") for user in ("=one", "=two")],
        sign_in(200, "ada.$here@example.com", save="three"),
        step("=three", 200, f"GET {AUTHS}/"),
        *[sign_in(400, "flood.$here@example.com", "wrong") for _ in range(15)],
        sign_in(429, "flood.$here@example.com"),
    ],
    "passwords": [
        add("ada"),
        *[sign_in(200, "ada.$here@example.com", save=name) for name in ("one", "two")],
        step("", 401, f"POST {AUTHS}/update/password", {"password": "$password", "new_password": "second"}),
        step("=one", 400, f"POST {AUTHS}/update/password", {"password": "wrong", "new_password": "second"}),
        step("=one", 400, f"POST {AUTHS}/update/password", {"password": "$password", "new_password": "p" * 73}),
        step("=one", 422, f"POST {AUTHS}/update/password", {"password": "$password"}),
        step("=two", 200, f"GET {AUTHS}/"),
        step("=one", 200, f"POST {AUTHS}/update/password", {"password": "$password", "new_password": "zweites ✓"}),
        *[step(user, 401, f"GET {AUTHS}/") for user in ("=one", "=two")],
        sign_in(400, "ada.$here@example.com"),
        sign_in(200, "ada.$here@example.com", "zweites ✓", save="three"),
        step("=three", 200, f"GET {AUTHS}/"),
        # by the admin
        step("admin", 400, f"POST {USERS}/$ada/update", {"password": "p" * 73}),
        step("=three", 200, f"GET {AUTHS}/"),
        step("admin", 200, f"POST {USERS}/$ada/update", {"password": "third"}),
        step("=three", 401, f"GET {AUTHS}/"),
        sign_in(400, "ada.$here@example.com", "zweites ✓"),
        sign_in(200, "ada.$here@example.com", "third", save="four"),
        step("admin", 200, f"POST {USERS}/$ada/update", {"password": ""}),
        step("=four", 200, f"GET {AUTHS}/"),
        step("admin", 400, f"POST {USERS}/{MISSING}/update", {"password": "x"}),
    ],
    "changed by the admin": [
        add("ada"),
        add("bea"),
        step("ann", 401, f"POST {USERS}/$ada/update", {"name": "x"}),
        step("admin", 200, f"POST {USERS}/$ada/update", {"name": "Ada L."}),
        step("admin", 200, f"POST {USERS}/$ada/update", {}),
        step("admin", 200, f"POST {USERS}/$ada/update", {"email": "ADA2.$here@example.com"}),
        sign_in(400, "ada.$here@example.com"),
        sign_in(200, "ada2.$here@example.com", save="one"),
        step("admin", 400, f"POST {USERS}/$ada/update", {"email": "bea.$here@example.com"}),
        step("admin", 400, f"POST {USERS}/$ada/update", {"email": "BEA.$here@example.com"}),
        step("admin", 200, f"POST {USERS}/$ada/update", {"email": "ada2.$here@example.com"}),
        step("admin", 200, f"POST {USERS}/$ada/update", {"email": "no address $here"}),
        sign_in(200, "no address $here", save="one"),
        step("admin", 200, f"POST {USERS}/$ada/update", {"email": "ada.$here@example.com"}),
        *[
            each
            for role, status in (("pending", 401), ("user", 200), ("admin", 200), ("emperor", 401), ("", 401))
            for each in (
                step("admin", 200, f"POST {USERS}/$ada/update", {"role": role}),
                step("=one", status, f"GET {USERS}/user/settings"),
                step("=one", 200 if role == "admin" else 401, f"GET {USERS}/?query=$here", mine=True, sort=True),
                step("=one", 200, f"GET {AUTHS}/"),
            )
        ],
        step("admin", 200, f"POST {USERS}/$ada/update", {"profile_image_url": PICTURE, "role": "user", "name": "Ada"}),
        step("ann", 200, f"GET {USERS}/$ada/profile/image"),
        step("admin", 200, f"POST {USERS}/$ada/update", {"profile_image_url": "https://example.com/a.png"}),
        step("admin", 422, f"POST {USERS}/$ada/update", {"profile_image_url": "javascript:alert(1)"}),
        step("admin", 200, f"POST {USERS}/$ada/update", {"name": "nul\0"}, sqlite_only="NUL"),
        step("admin", 200, f"POST {USERS}/$ada/update", {"name": "N" * 1_000_000}),
        step("admin", 400, f"POST {USERS}/{MISSING}/update", {"name": "x"}),
        # the first admin
        add("second", role="admin"),
        step("admin", 200, f"POST {USERS}/$second/update", {"role": "admin"}),
        sign_in(200, "second.$here@example.com", save="boss"),
        step("=boss", 403, f"POST {USERS}/$admin/update", {"name": "x"}),
        step("=boss", 403, f"POST {USERS}/$admin/sessions/revoke"),
        step("=boss", 403, f"DELETE {USERS}/$admin"),
        step("admin", 403, f"POST {USERS}/$admin/update", {"role": "user"}),
        step("admin", 403, f"DELETE {USERS}/$admin"),
        step("=boss", 403, f"DELETE {USERS}/$second"),
        step("admin", 200, f"POST {USERS}/$second/update", {"role": "user"}),
        step("=boss", 401, f"GET {USERS}/?query=$here"),
    ],
    "profile": [
        step("ann", 200, f"POST {AUTHS}/update/profile", profile("Ann A.")),
        step("ann", 200, f"GET {AUTHS}/"),
        step(
            "ann",
            200,
            f"POST {AUTHS}/update/profile",
            profile("Änn", bio="I\nam \u0001 'x' 🦜", gender="", date_of_birth="1970-01-01"),
        ),
        step("ann", 200, f"GET {AUTHS}/"),
        *[
            step("ann", 200, f"POST {AUTHS}/update/profile", profile("Ann", date_of_birth=day))
            for day in ("0001-01-01", "9999-12-31", "2000-02-29", None)
        ],
        *[
            step("ann", 422, f"POST {AUTHS}/update/profile", profile("Ann", date_of_birth=day))
            for day in ("1999-02-29", "", "1.1.1970", True)
        ],
        step("ann", 422, f"POST {AUTHS}/update/profile", {"name": "x"}),
        step("ann", 200, f"POST {AUTHS}/update/profile", profile("Ann", bio="", gender="g" * 70_000)),
        step("ann", 200, f"POST {AUTHS}/update/profile", profile("")),
        step("ann", 200, f"POST {AUTHS}/update/profile", profile("nul\0", bio="\0"), sqlite_only="NUL"),
        step("ann", 200, f"POST {AUTHS}/update/profile", profile("Ann", profile_image_url=PICTURE)),
        step("bob", 200, f"GET {USERS}/$ann/profile/image"),
        step("ann", 200, f"POST {AUTHS}/update/timezone", {"timezone": "Europe/Berlin"}),
        step("ann", 200, f"POST {AUTHS}/update/timezone", {"timezone": "Nowhere/ö'"}),
        step("ann", 422, f"POST {AUTHS}/update/timezone", {"timezone": None}),
        *[
            step("ann", 200, f"POST {USERS}/user/status/update", body)
            for body in (
                {"status_emoji": "🦜", "status_message": "Parrot", "status_expires_at": 2**53 - 1},
                {"status_message": ""},
                {"status_emoji": None},
                {"status_expires_at": -1},
                {},
            )
        ],
        step("ann", 422, f"POST {USERS}/user/status/update", {"status_expires_at": "soon"}),
        step("ann", 200, f"GET {USERS}/user/status"),
        step("bob", 200, f"GET {USERS}/$ann/info"),
        configure(ENABLE_USER_STATUS=False),
        step("ann", 403, f"POST {USERS}/user/status/update", {"status_message": "x"}),
        step("ann", 403, f"GET {USERS}/user/status"),
        configure(ENABLE_USER_STATUS=True),
        step("admin", 200, f"GET {USERS}/$ann"),
    ],
    "settings": [
        step("ann", 200, f"GET {USERS}/user/settings"),
        step("ann", 200, f"GET {USERS}/user/settings?raw=true"),
        *[step("ann", 200, f"POST {USERS}/user/settings/update", body) for body in SETTINGS],
        step("ann", 200, f"GET {USERS}/user/settings"),
        step("ann", 200, f"POST {USERS}/user/settings/update", {"ui": {"toolServers": [{}], "kept": 1}}),
        step("ann", 200, f"POST {USERS}/user/settings/update", {"notifications": {"webhook_url": "http://x"}}),
        step("ann", 422, f"POST {USERS}/user/settings/update", {"ui": []}),
        step("ann", 200, f"POST {USERS}/user/settings/update", {"ui": {"n": "\0"}}, sqlite_only="NUL"),
        permit("settings", interface=False),
        step("ann", 200, f"POST {USERS}/user/settings/update", {"ui": {"chatBubble": True, "free": 1}}),
        permit("settings", interface=True),
        step("bob", 200, f"POST {USERS}/user/settings/update", {"ui": None}),
        step("bob", 200, f"GET {USERS}/user/settings"),
        configure(DEFAULT_INTERFACE_SETTINGS={"a": {"from": "admin"}, "b": 1}),
        *[step(user, 200, f"GET {USERS}/user/settings") for user in ("ann", "bob", "carl")],
        configure(DEFAULT_INTERFACE_SETTINGS={}),
        *[
            step("ann", 200, f"POST {USERS}/user/info/update", body)
            for body in ({"b": 1.0, "a": {"x": 1}}, {"a": {"y": None}, "c": [2**63]}, {"b": None}, {}, {"": "ö"})
        ],
        step("ann", 422, f"POST {USERS}/user/info/update", []),
        step("ann", 200, f"GET {USERS}/user/info"),
        step("bob", 200, f"GET {USERS}/user/info"),
        step("ann", 200, f"GET {USERS}/user/variables"),
        *[
            step("ann", 200, f"POST {USERS}/user/variables/update", {"variables": variables})
            for variables in ({"b": "2", "a": "x'\"\\"}, {"a": ""}, {})
        ],
        step("ann", 400, f"POST {USERS}/user/variables/update", {"variables": {"a b": "1"}}),
        step("ann", 200, f"GET {USERS}/user/variables"),
        step("ann", 200, f"GET {USERS}/permissions"),
        step("admin", 200, f"GET {USERS}/permissions"),
        step("ann", 200, f"GET {USERS}/usage?start_date=1&end_date=864000"),
        step("admin", 200, f"GET {USERS}/$ann"),
    ],
    "api keys": [
        step("admin", 200, f"POST {AUTHS}/api_key", save="admin_key", take="api_key"),
        step("=admin_key", 200, f"GET {AUTHS}/api_key"),
        step("=admin_key", 403, f"GET {AUTHS}/"),
        step("", 200, f"GET {CHATS}/?page=1", headers={"x-api-key": "$admin_key"}),
        step("admin", 200, f"DELETE {AUTHS}/api_key"),
        step("admin", 404, f"GET {AUTHS}/api_key"),
        step("ann", 403, f"POST {AUTHS}/api_key"),
        permit("features", api_keys=True),
        step("ann", 404, f"GET {AUTHS}/api_key"),
        step("ann", 200, f"DELETE {AUTHS}/api_key"),
        step("ann", 200, f"POST {AUTHS}/api_key", save="first", take="api_key"),
        step("=first", 200, f"GET {USERS}/user/settings"),
        step("ann", 200, f"POST {AUTHS}/api_key", save="second", take="api_key"),
        step("=first", 401, f"GET {USERS}/user/settings"),
        step("=second", 200, f"GET {USERS}/user/settings"),
        step("ann", 200, f"GET {AUTHS}/api_key"),
        step("bob", 200, f"POST {AUTHS}/api_key", save="bobs", take="api_key"),
        step("=second", 200, f"GET {USERS}/$bob/info"),
        permit("features", api_keys=False),
        step("=second", 403, f"GET {USERS}/user/settings"),
        step("=admin_key", 401, f"GET {USERS}/user/settings"),
        permit("features", api_keys=True),
        step("ann", 200, f"DELETE {AUTHS}/api_key"),
        step("=second", 401, f"GET {USERS}/user/settings"),
        step("admin", 200, f"DELETE {USERS}/$bob"),
        step("=bobs", 401, f"GET {USERS}/user/settings"),
        step("", 401, f"GET {USERS}/user/settings", headers={"Authorization": "Bearer sk-nonsense"}),
        permit("features", api_keys=False),
    ],
    "search": [
        step("admin", 200, "POST /api/v1/groups/create", {"name": "Team $here", "description": ""}, save="team"),
        *[
            step("admin", 200, f"POST {AUTHS}/add", account(name, email, role="user"), save="last")
            for name, email in (
                ("Zoë", "zoe.$here@example.com"),
                ("zoe", "ZOE2.$here@example.com"),
                ("Ärger", "per%cent.$here@example.com"),
                ("ärger", "under_score.$here@example.com"),
                ("A%b_c", "quote'd.$here@example.com"),
            )
        ],
        step("admin", 200, "POST /api/v1/groups/id/$team/users/add", {"user_ids": ["$last"]}),
        *[
            each
            for text in (
                *("zoë", "ZOË", "ärger", "ÄRGER", "zoe", "%25cent", "r_s", "_score", "A%25b_c", "'", "ö", "%"),
                *(".$here", "zoe.$here", "ZOE2", " ", "nobody at all", "n" * 5_000),
            )
            for each in search(f"query={text}&order_by=email")
        ],
        *[
            each
            for order in ORDERS
            for direction in ("asc", "desc", "sideways")
            for each in search(f"query=.$here&order_by={order}&direction={direction}")
        ],
        *search("query=%00", sqlite_only="NUL"),
        *search("query=İ&order_by=email", sqlite_only="folding"),
        # Who has the same role, or was seen in the same second.
        *[
            each
            for order in ("role", "updated_at", "last_active_at", "nope")
            for each in search(f"query=.$here&order_by={order}", sort=True)
        ],
        *[each for query in ("", "query=.$here&page=0", "query=.$here&page=-5") for each in search(query, sort=True)],
        *[
            each
            for query in ("direction=asc", "order_by=")
            for each in search(f"query=.$here&{query}", sqlite_only="ties")
        ],
        step("ann", 401, f"GET {USERS}/"),
        step("ann", 401, f"GET {USERS}/all"),
        step("", 401, f"GET {USERS}/search"),
        step("admin", 200, f"GET {USERS}/all", mine=True, sort=True),
    ],
    "latest first": [
        *[each for name in ("b", "c", "a") for each in (TO_NEXT_SECOND, add(name))],
        *[
            each
            for direction in ("asc", "desc", "")
            for each in search(f"query=.$here&order_by=created_at&direction={direction}")
        ],
    ],
    "pages": [
        *[add(f"p{number:02}") for number in range(32)],
        *[
            step("admin", 200, f"GET {USERS}/{path}?query=.$here&order_by=name&direction={direction}&page={page}")
            for path in ("", "search")
            for direction in ("asc", "desc")
            for page in (1, 2, 3, 0, -1)
        ],
        step("admin", 200, f"GET {USERS}/?query=.$here&order_by=name&page={HUGE // 30}"),
        step("admin", 422, f"GET {USERS}/?query=.$here&page=x"),
    ],
    "delete": [
        step("admin", 200, "POST /api/v1/groups/create", {"name": "Team $here", "description": ""}, save="team"),
        add("ada"),
        step("admin", 200, "POST /api/v1/groups/id/$team/users/add", {"user_ids": ["$ada", "$ann"]}),
        sign_in(200, "ada.$here@example.com", save="token"),
        step("=token", 200, f"POST {CHATS}/new", {"chat": {"title": "Hers"}}, save="chat"),
        step("=token", 200, f"POST {CHATS}/$chat/tags", {"name": "Hers"}),
        step("=token", 200, "POST /api/v1/folders/", {"name": "Hers"}, save="folder"),
        step("ann", 401, f"DELETE {USERS}/$ada"),
        step("admin", 200, f"DELETE {USERS}/{MISSING}"),
        step("admin", 200, f"DELETE {USERS}/$ada"),
        step("=token", 401, f"GET {AUTHS}/"),
        step("=token", 401, f"GET {CHATS}/"),
        sign_in(400, "ada.$here@example.com"),
        step("admin", 400, f"GET {USERS}/$ada"),
        step("admin", 401, f"GET {CHATS}/$chat"),
        step("admin", 200, "GET /api/v1/groups/id/$team/export"),
        step("admin", 200, f"GET {USERS}/$ada/groups"),
        step("admin", 400, f"POST {USERS}/$ada/update", {"name": "x"}),
        step("admin", 404, f"POST {USERS}/$ada/sessions/revoke"),
        step("admin", 200, f"DELETE {USERS}/$ada"),
        add("ada"),
        sign_in(200, "ada.$here@example.com", save="token"),
        step("=token", 200, f"GET {CHATS}/"),
        step("=token", 200, f"GET {USERS}/groups"),
        step("=token", 200, "GET /api/v1/folders/"),
        step("=token", 200, f"GET {CHATS}/all/tags"),
        step("admin", 200, f"GET {USERS}/?query=.$here", mine=True, sort=True),
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(contestants, scenario, SCENARIOS[scenario])
