"""What the repositories on PocketBase have in common."""

from __future__ import annotations

from functools import partial

from open_webui.utils.json_codec import JSONCodec

from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec import Codec
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["PocketBaseRepository", "codec_of"]


class PocketBaseRepository:
    """Mixed into a stock repository class, whose storing methods it replaces.

    The host's singleton becomes an instance by a change of its class, so there is no ``__init__``.

    Attributes:
        pocketbase: The client; set when the repository is bound.
    """

    pocketbase: PocketBaseClient


def codec_of(table: str) -> Codec:
    """Return the codec of a host table, with the host's own JSON encoder for its JSON columns."""
    return Codec(TABLES[table], dumps=partial(JSONCodec.dumps, ensure_ascii=False), loads=JSONCodec.loads)
