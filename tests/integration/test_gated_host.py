"""The host's own repositories and storage behind the gate: what of them waits, and that ours can take their place."""

from __future__ import annotations

import asyncio
import inspect
from importlib import import_module
from typing import Any

import pytest

from openwebui_pocketbase.catalog import CATALOG, REPOSITORIES, RepositorySpec, Seam, seams_of
from openwebui_pocketbase.hookspecs import RepositoryBinding
from openwebui_pocketbase.host.binding import above, load
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.gated import GatedFunction, GatedObject
from openwebui_pocketbase.host.gates import Gates, InForce
from tests.support.stock import stock_class

SINGLETONS = [spec for spec in REPOSITORIES if not spec.is_class]
"""Of classes that are used without an instance see tests/unit/test_gate.py."""

IDS = [spec.name for spec in SINGLETONS]


def implementations(spec: RepositorySpec) -> list[type[Any]]:
    import_module(spec.ready_with or spec.module)
    return [stock_class(spec.name), load(spec.ours)]


@pytest.mark.parametrize("spec", SINGLETONS, ids=IDS)
def test_every_method_that_stores_is_behind_the_gate(spec: RepositorySpec) -> None:
    stock, ours = implementations(spec)
    gated = GatedObject(Gate(), stock(), spec.name)
    for implementation in (stock, ours):
        made = gated.prepare(implementation)
        waits = {name for name, value in vars(made).items() if inspect.isfunction(value)}
        stored = {
            name
            for name, value in inspect.getmembers(stock, inspect.isfunction)
            if inspect.iscoroutinefunction(value) and not name.startswith("_")
        }
        managers = {
            name
            for name, value in inspect.getmembers(stock, inspect.isfunction)
            if inspect.isasyncgenfunction(inspect.unwrap(value))
        }
        assert stored | managers <= waits
        assert not any(inspect.isasyncgenfunction(value) for _, value in inspect.getmembers(stock))


@pytest.mark.parametrize("spec", SINGLETONS, ids=IDS)
async def test_a_singleton_becomes_ours_and_is_the_hosts_again(spec: RepositorySpec) -> None:
    stock, ours = implementations(spec)
    singleton = stock()
    before = dict(vars(singleton))
    gated = GatedObject(Gate(), singleton, spec.name)
    gated.use(stock, {})
    assert isinstance(singleton, stock)
    assert not isinstance(singleton, ours)
    gated.use(ours, {"pocketbase": "a client"})
    assert isinstance(singleton, ours)
    assert singleton.pocketbase == "a client"
    gated.use(stock, {})
    gated.undo()
    assert type(singleton) is stock
    assert vars(singleton) == before


def test_what_is_written_through_knows_its_pocketbase_behind_the_gate_as_well() -> None:
    """Its class is the stock one with either backend."""
    group = CATALOG["notes"]
    stock = InForce([RepositoryBinding("notes", "sqlalchemy", group.stock)], (), ())
    ours = InForce([RepositoryBinding("notes", "pocketbase", group.ours, {"pocketbase": "a mirror"})], (), ())
    gates = Gates(stock, Gate())
    module = import_module("open_webui.models.notes")
    undo = [step(module) for name, step in gates.steps() if name == module.__name__]
    try:
        gates.use(ours)
        assert module.Notes.pocketbase == "a mirror"
        gates.use(stock)
        assert not hasattr(module.Notes, "pocketbase")
    finally:
        for each in undo:
            each()


def test_the_storage_is_behind_the_gate_with_and_without_ours() -> None:
    provider: Any = import_module("open_webui.storage.provider")
    (extended,) = (each for group in CATALOG.values() for each in group.extended)
    storage = provider.LocalStorageProvider()
    gated = GatedObject(Gate(), storage, "Storage")
    for implementation in (provider.LocalStorageProvider, above(provider.LocalStorageProvider, extended.ours)):
        waits = {*vars(gated.prepare(implementation))}
        assert {"upload_file", "get_file", "delete_file", "delete_all_files"} <= waits


@pytest.mark.parametrize("seam", seams_of(CATALOG), ids=lambda seam: f"{seam.module}:{seam.function}")
def test_a_function_behind_the_gate_is_called_as_before(seam: Seam) -> None:
    stock = import_module(seam.module)
    for name in seam.function.split("."):
        stock = getattr(stock, name)
    dispatch = GatedFunction(Gate(), stock, seam.function).dispatch  # type: ignore[arg-type]  # it is a function
    assert inspect.signature(dispatch) == inspect.signature(stock)  # type: ignore[arg-type]
    assert asyncio.iscoroutinefunction(dispatch)
