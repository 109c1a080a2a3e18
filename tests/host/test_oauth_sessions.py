"""Stored sessions of identity providers, as far as they can be seen without a provider."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from tests.support.openwebui import DATABASES
from tests.support.processes import SECRET_KEY
from tests.support.scenarios import Step, insert, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

AUTHS = "/api/v1/auths"
USERS = "/api/v1/users"


def encrypted(token: dict[str, Any], secret: str = SECRET_KEY) -> str:
    """Return a token as the host stores it."""
    key = base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())
    return Fernet(key).encrypt(json.dumps(token).encode()).decode()


def session(id: str, user: str, provider: str, token: str) -> Step:
    """Return the step that stores a session, as the callback of a provider would."""
    now = int(time.time())
    times = {"expires_at": now + 3600, "created_at": now, "updated_at": now}
    return insert("oauth_session", id=id, user_id=f"${user}", provider=provider, token=token, **times)


TOKEN = encrypted({"access_token": "a", "id_token": "ö", "expires_in": 3600, "scope": ["x", 1.0]})
FOREIGN = encrypted({"access_token": "a"}, "the secret key of another installation")
IDS = [str(uuid.uuid4()) for _ in range(5)]

SCENARIO = [
    step("admin", 400, f"GET {USERS}/$ann/oauth/sessions"),
    step("ann", 404, f"DELETE {AUTHS}/oauth/sessions/oidc"),
    session(IDS[0], "ann", "oidc", TOKEN),
    session(IDS[1], "ann", "mcp:a/b c", TOKEN),
    session(IDS[2], "bob", "oidc", TOKEN),
    step("admin", 200, f"GET {USERS}/$ann/oauth/sessions", sort=True),
    step("ann", 401, f"GET {USERS}/$ann/oauth/sessions"),
    step("ann", 200, f"DELETE {AUTHS}/oauth/sessions/mcp:a/b%20c"),
    step("ann", 404, f"DELETE {AUTHS}/oauth/sessions/mcp:a/b%20c"),
    step("ann", 404, f"DELETE {AUTHS}/oauth/sessions/OIDC"),
    step("admin", 200, f"GET {USERS}/$ann/oauth/sessions"),
    step("ann", 200, f"DELETE {AUTHS}/oauth/sessions/oidc"),
    step("admin", 400, f"GET {USERS}/$ann/oauth/sessions"),
    step("admin", 200, f"GET {USERS}/$bob/oauth/sessions"),
    # What cannot be read is deleted.
    session(IDS[3], "ann", "oidc", FOREIGN),
    session(IDS[4], "ann", "mcp:x", "nonsense"),
    step("admin", 400, f"GET {USERS}/$ann/oauth/sessions"),
    step("ann", 404, f"DELETE {AUTHS}/oauth/sessions/mcp:x"),
    # Signing out reads the session, and keeps it.
    *[
        step("bob", 200, f"POST {AUTHS}/signout", headers={"Cookie": f"oauth_session_id={known}"})
        for known in (IDS[2], "unknown", "a'b")
    ],
    step("admin", 200, f"GET {USERS}/$bob/oauth/sessions"),
    step("", 403, f"POST {AUTHS}/oauth/oidc/token/exchange", {"token": "x"}),
]


@pytest.mark.parametrize("database", DATABASES)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI]) -> None:
    assert not play_together(contestants, "oauth sessions", SCENARIO)
