"""Without configuration the plugin changes nothing of the host, and what it changes can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.driver import Driver
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

STOCK = {"Folders": "open_webui.models.folders", "Tags": "open_webui.models.tags"}


def test_nothing_is_changed_without_configuration(driver: Driver) -> None:
    found = driver.inert
    assert found["backends"] == STOCK
    assert found["attributes"] == []
    assert found["search"] == "open_webui.routers.search"
    assert [module.partition(".")[0] for module in found["lifespan"]] == ["fastapi", "starlette"]
    assert found["handlers"] == []
    assert found["finders"] == []


def test_next_to_nothing_is_imported_without_configuration(driver: Driver) -> None:
    assert driver.inert["modules"] == ["openwebui_pocketbase.host.activation"]


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"STORAGE_BACKEND": ""},
        {"STORAGE_BACKEND": "sqlalchemy"},
        {"OPENWEBUI_POCKETBASE_GROUPS_TAGS": "sqlalchemy"},
        # A server alone is no wish to store anything there; it would not even be reachable.
        {"OPENWEBUI_POCKETBASE_URL": "http://127.0.0.1:9", "OPENWEBUI_POCKETBASE_TOKEN": "x"},
    ],
    ids=str,
)
def test_settings_without_another_backend_change_nothing(driver: Driver, env: dict[str, str]) -> None:
    start = driver.start(env, [{"method": "GET", "url": "/api/v1/folders/"}])
    assert start.backends == STOCK
    assert start.answers == [(200, [])]
    assert start.stock
    assert not (driver.data_dir / "pocketbase").exists()


def test_a_stock_instance_has_no_trace_of_the_plugin(stock: OpenWebUI) -> None:
    assert "pocketbase" not in stock.log.lower().replace(str(stock.data_dir), "")
    assert not (stock.data_dir / "pocketbase").exists()
