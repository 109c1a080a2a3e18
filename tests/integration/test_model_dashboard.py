"""Models that are made, changed and deleted in PocketBase's dashboard."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from open_webui.models.models import ModelForm

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.repositories.models import PocketBaseModels
from tests.support.pocketbase import PocketBaseProcess

RECORDS = "/api/collections/owui_models/records"
FORM = {"id": "m:1", "base_model_id": "base", "name": "Normal Ünal", "meta": {}, "params": {"temperature": 1}}
GRANT = {"principal_type": "user", "principal_id": "u2", "permission": "read"}


@pytest.fixture
def admin(own_pocketbase: PocketBaseProcess) -> Iterator[AdminClient]:
    with own_pocketbase.admin() as admin:
        yield admin


@pytest.fixture
async def models(own_pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBaseModels]:
    client = own_pocketbase.client()
    models = PocketBaseModels()
    models.pocketbase = client
    await models.insert_new_model(ModelForm(**FORM, access_grants=[GRANT]), "u1")
    yield models
    await client.aclose()


def record(admin: AdminClient) -> str:
    (row,) = admin.sql("SELECT id FROM owui_models")
    return f"{RECORDS}/{row['id']}"


async def test_a_renamed_model_is_found(admin: AdminClient, models: PocketBaseModels) -> None:
    admin.send("PATCH", record(admin), {"name": "Özal", "meta": None})
    assert admin.sql("SELECT name_folded, meta FROM owui_models") == [{"name_folded": "özal", "meta": "{}"}]
    found = await models.get_model_by_id("m:1")
    assert found is not None
    assert found.name == "Özal"


async def test_a_deleted_model_leaves_nothing(admin: AdminClient, models: PocketBaseModels) -> None:
    admin.send("DELETE", record(admin))
    for collection in ("owui_models", "owui_model_histories", "owui_access_grants"):
        assert admin.sql(f"SELECT id FROM {collection}") == []


async def test_versions_are_not_those_of_an_earlier_model(admin: AdminClient, models: PocketBaseModels) -> None:
    """Somebody has deleted the model in SQL, which leaves what belonged to it; its id is free for anybody."""
    admin.sql("DELETE FROM owui_models")
    await models.insert_new_model(ModelForm(**FORM), "u2")
    assert admin.sql("SELECT user_id FROM owui_model_histories") == [{"user_id": "u2"}]
    assert admin.sql("SELECT id FROM owui_access_grants") == []


async def test_a_model_made_there_can_be_read(admin: AdminClient, models: PocketBaseModels) -> None:
    admin.send("POST", RECORDS, {"key": "made", "name": "Made"})
    (made,) = [model for model in await models.get_base_models() if model.id == "made"]
    assert (made.name, made.params.model_dump()) == ("Made", {})
    assert abs(made.created_at - time.time()) < 60
