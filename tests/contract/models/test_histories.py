"""Versions of models: what the stock class does, ours does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import HTTPException
from open_webui.models.models import ModelForm
from open_webui.models.users import User

from tests.support.contracts import MODEL_HISTORIES
from tests.support.differential import START, Opened, Pair, public_methods

MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def pair(oracle: str, opened: Opened) -> AsyncIterator[Pair]:
    async with opened(MODEL_HISTORIES, oracle) as pair:
        yield pair


def form(id: str, name: str, **more: Any) -> ModelForm:
    return ModelForm(id=id, name=name, base_model_id="gpt", meta={}, params={}, **more)


async def versions(pair: Pair, model: str, number: int, user_id: str = "u1") -> list[str]:
    """Make a model with so many versions; return their ids, oldest first."""
    made = await pair.call("Models.insert_new_model", form(model, "0"), user_id, rows=False)
    ids = [made.version_id]
    for name in range(1, number):
        save = ("Models.update_model_by_id", model, form(model, f"{name}", commit_message=f"c{name}"), None, user_id)
        ids.append((await pair.call(*save, rows=False)).version_id)
    return ids


@pytest.mark.parametrize("in_pocketbase", [True, False], ids=["users in PocketBase", "users in SQL"])
async def test_reading(pair: Pair, *, in_pocketbase: bool) -> None:
    if in_pocketbase:
        await pair.call("Users.insert_new_user", "u1", "Ann", "a@x", "", "user", rows=False)
        await pair.call("Users.insert_new_user", "u2", "", "b@x", "", "user", rows=False)
    else:
        bound = {name: kind for name, kind in pair.contract.bound.items() if name != "Users"}
        pair.contract = replace(pair.contract, bound=bound, tables=pair.contract.tables[:-1])
        times = {"last_active_at": START, "created_at": START, "updated_at": START}
        for key, name, email in (("u1", "Ann", "a@x"), ("u2", "", "b@x")):
            await pair.database.add(User(id=key, name=name, email=email, role="user", profile_image_url="", **times))
    pair.step = 0  # versions of one second are in the order of their ids
    ids = await versions(pair, "m", 23)
    unnamed = await versions(pair, "n", 2, "u2")
    gone = await versions(pair, "o", 1, "u3")
    for page in (1, 2, 3, 0, -5):
        await pair.call("get_history_by_model_id", "m", page)
    for model in ("n", "o", "nope", "", None):
        await pair.call("get_history_by_model_id", model)
    there: list[tuple[str | None, str | None]] = [("m", ids[0]), ("m", ids[5]), ("n", unnamed[1]), ("o", gone[0])]
    for model, version in [*there, ("n", ids[0]), ("m", MISSING), ("m", ""), ("m", None), (None, ids[0])]:
        await pair.call("get_history_by_id", model, version)


async def test_deletion(pair: Pair) -> None:
    """Those which were made from a deleted version get its parent, and keep what else they do not have."""
    first, second, third, current = await versions(pair, "m", 4)
    (other,) = await versions(pair, "n", 1)
    for model, version in [("m", other), ("nope", first), ("m", MISSING), ("m", current), ("n", other)]:
        result = await pair.call("delete_history_entry", model, version)
        assert result is False or isinstance(result, HTTPException)
    await pair.call("Models.update_model_by_id", "m", form("m", "1"), None, "u1", second)
    await pair.call("Models.update_model_by_id", "m", form("m", "branch"), None, "u1")
    await pair.call("delete_history_entry", "m", second)
    await pair.call("delete_history_entry", "m", first)
    await pair.call("delete_history_entry", "m", third)
    await pair.call("delete_history_entry", "m", third)
    await pair.call("Models.update_model_by_id", "m", form("m", "1"), None, "u1", second)
    await pair.call("get_history_by_model_id", "m")


async def test_the_current_version_stays(pair: Pair) -> None:
    ours = pair.subject
    (current,) = await versions(pair, "m", 1)
    with pytest.raises(HTTPException) as refused:
        await ours.delete_history_entry("m", current)
    assert (refused.value.status_code, refused.value.detail) == (400, "Cannot delete the current version")


def test_every_method_is_called() -> None:
    called = {"delete_history_entry", "get_history_by_id", "get_history_by_model_id", "new_entry"}
    assert called == public_methods("ModelHistories")  # the last one makes what the others store
