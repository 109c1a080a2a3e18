"""Between the host's rows and objects and PocketBase's records."""

from __future__ import annotations

from openwebui_pocketbase.codec.json import Json, JsonFormat
from openwebui_pocketbase.codec.rows import Codec

__all__ = ["Codec", "Json", "JsonFormat"]
