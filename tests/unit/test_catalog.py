from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from openwebui_pocketbase import interfaces
from openwebui_pocketbase.catalog import (
    CATALOG,
    REPOSITORIES,
    RepositorySpec,
    Seam,
    seams_of,
    spec_of,
    together_with,
)
from openwebui_pocketbase.host.binding import load, storing_methods
from openwebui_pocketbase.schema.tables import TABLES
from openwebui_pocketbase.settings import GROUPS

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


def test_the_groups_are_those_of_the_settings() -> None:
    assert list(CATALOG) == GROUPS
    assert all(group.name == name for name, group in CATALOG.items())
    for group in CATALOG.values():
        assert CATALOG.keys() >= group.together.keys() | group.requires.keys()


def test_repositories_are_found_by_name() -> None:
    assert spec_of("Tags").stock_class == "TagTable"
    with pytest.raises(KeyError, match="nothing"):
        spec_of("nothing")


def test_groups_that_belong_together_are_found_from_each() -> None:
    assert together_with("groups") == together_with("access") == ("groups", "access")
    assert together_with("chats") == ("chats",)


def test_a_group_is_stored_with_all_of_its_repositories() -> None:
    for group in CATALOG.values():
        assert group.ours.keys() == group.stock.keys() == {spec.name for spec in group.all_repositories}
        assert bool(group.repositories) != bool(group.written_through)


def test_what_is_written_through_stays_the_hosts() -> None:
    for group in CATALOG.values():
        declared = {name: TABLES[name].through for name in group.tables}
        assert set(declared.values()) == {bool(group.written_through)}
        for spec in group.written_through:
            assert load(spec.stock) is type(getattr(import_module(spec.module), spec.name))


@every_repository
def test_our_class_extends_the_stock_one(spec: RepositorySpec) -> None:
    if spec.is_class:
        assert {*storing_methods(load(spec.stock))} <= {*storing_methods(load(spec.ours))}
    else:
        assert issubclass(load(spec.ours), load(spec.stock))


def test_a_function_that_serves_two_groups_is_replaced_once() -> None:
    both = seams_of(["folders", "chats"])
    assert len(both) == len(set(both)) == len(seams_of(["chats"]))
    assert seams_of([]) == []


@pytest.mark.parametrize("seam", seams_of(GROUPS), ids=lambda seam: f"{seam.module}:{seam.function}")
def test_a_replacement_is_there(seam: Seam) -> None:
    assert callable(load(seam.replacement))


@every_repository
def test_repository_is_as_in_the_host(spec: RepositorySpec) -> None:
    module = import_module(spec.module)
    assert module.__file__ is not None
    assert module.__file__.endswith(spec.source)
    singleton = getattr(module, spec.name)
    assert (singleton if spec.is_class else type(singleton)) is getattr(module, spec.stock_class)
    mapped = {
        value.__tablename__
        for value in vars(module).values()
        if hasattr(value, "__tablename__") and value.__module__ == spec.module
    }
    assert mapped == set(spec.tables)


@every_repository
def test_repository_has_an_interface(spec: RepositorySpec) -> None:
    assert spec.interface in interfaces.__all__


def test_the_host_is_not_imported() -> None:
    modules = ("catalog", "interfaces", "host.contract")
    program = "\n".join(
        [
            *(f"import openwebui_pocketbase.{module}" for module in modules),
            "import sys",
            "from openwebui_pocketbase.host.contract import check_contract, installed_open_webui",
            "package_dir, version = installed_open_webui()",
            "check_contract(['chats'], package_dir=package_dir, version=version)",
            "sys.exit('open_webui' in sys.modules)",
        ]
    )
    subprocess.run([sys.executable, "-c", program], check=True)
