from __future__ import annotations

from importlib import import_module

import pytest

from openwebui_pocketbase import interfaces
from openwebui_pocketbase.catalog import REPOSITORIES, RepositorySpec
from openwebui_pocketbase.repositories.sqlalchemy import stock_repository

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


@every_repository
def test_the_instance_is_new_and_of_the_stock_class(spec: RepositorySpec) -> None:
    module = import_module(spec.module)
    instance = stock_repository(spec.name)
    assert type(instance) is getattr(module, spec.stock_class)
    assert instance is not getattr(module, spec.name)
    assert isinstance(instance, getattr(interfaces, spec.interface))


@every_repository
def test_the_instance_is_set_up_like_the_singleton(spec: RepositorySpec) -> None:
    singleton = getattr(import_module(spec.module), spec.name)
    assert vars(stock_repository(spec.name)).keys() == vars(singleton).keys()


@every_repository
def test_a_singleton_that_was_taken_over_does_not_matter(spec: RepositorySpec, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(spec.module)
    singleton, stock_class = getattr(module, spec.name), getattr(module, spec.stock_class)
    name = next(name for name in vars(stock_class) if not name.startswith("_"))
    replacement = type("Replacement", (stock_class,), {name: lambda self: "replaced"})
    monkeypatch.setattr(singleton, "__class__", replacement)
    assert getattr(singleton, name)() == "replaced"

    instance = stock_repository(spec.name)

    assert type(instance) is stock_class
    assert getattr(type(instance), name) is vars(stock_class)[name]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="Nothing"):
        stock_repository("Nothing")
