"""Talking to PocketBase: asynchronously on the hot path, synchronously for rare administration."""

from openwebui_pocketbase.client.admin import AdminClient
from openwebui_pocketbase.client.auth import Authenticator
from openwebui_pocketbase.client.http import PocketBaseClient
from openwebui_pocketbase.client.trust import Trust
from openwebui_pocketbase.client.wire import Reply, encode

__all__ = ["AdminClient", "Authenticator", "PocketBaseClient", "Reply", "Trust", "encode"]
