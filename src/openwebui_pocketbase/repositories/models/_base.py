"""What the modules of models share: a model with its grants, and what the host expects if a change is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException
from open_webui.models.models import ModelModel

from openwebui_pocketbase.exceptions import ResponseError
from openwebui_pocketbase.repositories.base import PocketBaseRepository, codec_of, list_of
from openwebui_pocketbase.repositories.errors import integrity_errors

__all__ = ["ModelRows", "Row", "refusals"]

Row = dict[str, Any]

_REFUSALS: dict[str, tuple[int, Any]] = {
    "version_conflict": (409, {"code": "version_conflict"}),
    "version_not_found": (404, "Model version not found"),
    "current_version": (400, "Cannot delete the current version"),
}
"""Code of a hook -> status and detail of the stock repository's exception."""


@contextmanager
def refusals(method: str) -> Iterator[None]:
    """Raise what the stock repositories of models and versions raise if a change is refused."""
    with integrity_errors(method):
        try:
            yield
        except ResponseError as error:
            if error.code not in _REFUSALS:
                raise
            raise HTTPException(*_REFUSALS[error.code]) from error


class ModelRows(PocketBaseRepository):
    """The table of models; a model comes from PocketBase as its row and the rows of its grants."""

    route = "models"
    table = "model"
    model = ModelModel
    _host_errors = staticmethod(refusals)

    def _decoded(self, row: Sequence[Any]) -> Row:
        model, grants = row
        decode_grant = codec_of("access_grant").decode
        return {**codec_of("model").decode(model), "access_grants": [decode_grant(grant) for grant in grants]}

    def _models_of(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        return list_of(ModelModel).validate_python([self._decoded(row) for row in rows])
