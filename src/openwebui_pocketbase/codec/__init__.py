"""Between the host's rows and objects and PocketBase's records."""

from __future__ import annotations

from openwebui_pocketbase.codec.json import NULL, Json, JsonFormat
from openwebui_pocketbase.codec.rows import Codec

__all__ = ["NULL", "Codec", "Json", "JsonFormat"]
