"""Makes an Open WebUI of the tests start and hash faster; Python runs this when it starts."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

import bcrypt

for name in ("sentence_transformers", "torch", "transformers"):
    # Libraries import these if they can, which is 40 % of the start; none of the tests runs a model.
    sys.modules[name] = None  # type: ignore[assignment]

# Modules stay: to look for garbage among them after every 700 new objects is a sixth of the start.
gc.set_threshold(50_000, 20, 50)

_salt = bcrypt.gensalt


def gensalt(rounds: int = 4, prefix: bytes = b"2b") -> bytes:
    """Return a salt for the cheapest hash: the stock one takes a quarter of a second."""
    return _salt(rounds, prefix)


bcrypt.gensalt = gensalt


class NotThereError(Exception):
    """What the vector store says of a collection."""


class NoCollections:
    """A vector store that is empty: nothing in the tests is embedded."""

    def __init__(self, **_: Any) -> None:
        pass

    def get_collection(self, **_: Any) -> None:
        """Find none."""
        raise NotThereError

    delete_collection = get_collection

    def reset(self) -> bool:
        """Leave it as empty as it is."""
        return True


def stand_in(name: str, **attributes: Any) -> None:
    """Have a module that has only these attributes, and a package where there is none above."""
    package, _, own = name.rpartition(".")
    module = sys.modules.setdefault(name, ModuleType(name))
    module.__path__ = getattr(module, "__path__", [])
    vars(module).update(attributes)
    if package:
        if package not in sys.modules:
            stand_in(package)
        setattr(sys.modules[package], own, module)


# A third of what remains of the start is modules that no test needs more of than their names.
if "VECTOR_DB" not in os.environ:  # who names the store has it
    stand_in(
        "chromadb",
        DEFAULT_TENANT="default_tenant",
        DEFAULT_DATABASE="default_database",
        Settings=dict,
        PersistentClient=NoCollections,
        HttpClient=NoCollections,
    )
    stand_in("chromadb.errors", NotFoundError=NotThereError)
    stand_in("chromadb.utils.batch_utils", create_batches=None)
stand_in("azure.core.exceptions", ResourceNotFoundError=NotThereError)
stand_in("azure.identity", DefaultAzureCredential=None)
stand_in("azure.storage.blob", BlobServiceClient=None)
stand_in("langchain_classic.retrievers", ContextualCompressionRetriever=None, EnsembleRetriever=None)
_mcp = importlib.util.find_spec("mcp")
stand_in("mcp", Client=None)
if _mcp is not None and _mcp.submodule_search_locations:
    sys.modules["mcp"].__path__ = [*_mcp.submodule_search_locations]  # for mcp.shared, which is soon read
stand_in("mcp.client.streamable_http", streamable_http_client=None)
stand_in("mcp.types", ElicitRequestFormParams=None, ElicitResult=None)
