"""Talking to PocketBase: asynchronously on the hot path, synchronously for rare administration."""

from openwebui_pocketbase.client.admin import AdminClient
from openwebui_pocketbase.client.auth import Authenticator
from openwebui_pocketbase.client.filters import quote
from openwebui_pocketbase.client.http import PocketBaseClient, encode

__all__ = ["AdminClient", "Authenticator", "PocketBaseClient", "encode", "quote"]
