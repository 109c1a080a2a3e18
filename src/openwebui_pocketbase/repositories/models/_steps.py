"""What becomes of a model when a form is saved: the stock rules, with pydantic, on what PocketBase has."""

from __future__ import annotations

import time
import uuid
from copy import deepcopy

from open_webui.models.access_grants import normalize_access_grants
from open_webui.models.model_history import ModelHistories, ModelHistory, model_snapshot
from open_webui.models.models import ModelForm, ModelMeta, ModelParams

from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.repositories.models._base import Row

__all__ = ["change", "changes_to_version", "creation"]

_VERSION_COLUMNS = [column.name for column in ModelHistory.__table__.columns]


def creation(form: ModelForm, user_id: str) -> Row:
    """Return a new model with its first version and its grants, as PocketBase takes them."""
    data = _data(form)
    version = ModelHistories.new_entry(form.id, model_snapshot(data), user_id, commit_message=form.commit_message)
    row = {"user_id": user_id, "version_id": version.id}
    row |= {"created_at": int(time.time()), "updated_at": int(time.time())}
    return {
        "id": form.id,
        "model": codec_of("model").encode({**data, **row}),
        "history": _encoded(version),
        "grants": _grants(form),
    }


def change(form: ModelForm, user_id: str, current: Row) -> Row:
    """Return what changes of a model, as PocketBase takes it: a new version only if the configuration is another one.

    Args:
        form: The form.
        user_id: Who saves it.
        current: The model's row; PocketBase refuses the change if it has another version by then.
    """
    data = _data(form)
    values = _values(form, data)
    snapshot = model_snapshot(data)
    history = None
    if snapshot != _snapshot_of(current):
        version = ModelHistories.new_entry(current["id"], snapshot, user_id, current["version_id"], form.commit_message)
        values["version_id"] = version.id
        history = _encoded(version)
    values["updated_at"] = int(time.time())
    changes = codec_of("model").encode(values)
    return {"id": current["id"], "version_id": current["version_id"], "changes": changes, "history": history}


def changes_to_version(form: ModelForm) -> Row:
    """Return what changes of a model that goes back to a version, but for what stays as the live model has it."""
    values = _values(form, _data(form))
    values.pop("is_active", None)
    values["meta"].pop("hidden", None)
    return codec_of("model").encode({**values, "updated_at": int(time.time())})


def _data(form: ModelForm) -> Row:
    data: Row = form.model_dump(exclude={"access_grants", "commit_message"})
    data["meta"].pop("chat_variables_schema", None)
    return data


def _values(form: ModelForm, data: Row) -> Row:
    # A form that says nothing about it must not enable a disabled model.
    left_out = {"id"} if "is_active" in form.model_fields_set else {"id", "is_active"}
    return {key: value for key, value in data.items() if key not in left_out}


def _snapshot_of(current: Row) -> Row:
    snapshot: Row = model_snapshot(
        {
            "name": current["name"],
            "base_model_id": current["base_model_id"],
            "params": ModelParams.model_validate(current["params"] or {}),
            "meta": ModelMeta.model_validate(deepcopy(current["meta"] or {})),
        }
    )
    return snapshot


def _encoded(version: ModelHistory) -> Row:
    return codec_of("model_history").encode({name: getattr(version, name) for name in _VERSION_COLUMNS})


def _grants(form: ModelForm) -> list[Row]:
    now = int(time.time())
    resource = {"resource_type": "model", "resource_id": form.id, "created_at": now}
    grants = normalize_access_grants(form.access_grants)
    return [codec_of("access_grant").encode({**grant, **resource, "id": str(uuid.uuid4())}) for grant in grants]
