from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from openwebui_pocketbase import interfaces
from openwebui_pocketbase.catalog import REPOSITORIES, RepositorySpec
from openwebui_pocketbase.host.binding import load

Method = Callable[..., Any]

GENERATOR = Path(__file__).parents[2] / "tools" / "generate_interfaces.py"

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


OF_CLASS: tuple[Any, ...] = (staticmethod, classmethod)


def public_methods(cls: type) -> dict[str, Method]:
    """Name -> method as written in the class, those of the class still wrapped; in the order of the source."""
    members: dict[str, Any] = dict(vars(cls))
    return {
        name: value
        for name, value in members.items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, OF_CLASS))
    }


def as_written(method: Method) -> Method:
    """The function below the host's ``throttle``, which does not pass the signature on."""
    function: Method = inspect.unwrap(method)
    if not inspect.isfunction(function):
        return function
    hidden: Method | None = inspect.getclosurevars(function).nonlocals.get("func")
    return hidden or function


def parameters(method: Method) -> list[tuple[object, ...]]:
    signature = inspect.signature(as_written(method))
    return [(p.name, p.kind, p.default) for p in signature.parameters.values() if p.name not in ("self", "cls")]


SQL = {"get_async_db", "get_async_db_context", "hierarchy_transaction", "execute", "exists", "select"}
"""Names in the code of methods that get a session of the SQL database, or make a statement."""


def touches_sql(member: Any) -> bool:
    function = as_written(getattr(member, "__func__", member))
    return inspect.isfunction(function) and not SQL.isdisjoint(function.__code__.co_names)


def classes(spec: RepositorySpec) -> tuple[type, type]:
    return getattr(interfaces, spec.interface), getattr(import_module(spec.module), spec.stock_class)


@every_repository
def test_the_methods_are_those_of_the_stock_class_in_its_order(spec: RepositorySpec) -> None:
    interface, stock = classes(spec)
    assert list(public_methods(interface)) == list(public_methods(stock))


@every_repository
def test_the_parameters_are_those_of_the_stock_class(spec: RepositorySpec) -> None:
    interface, stock = classes(spec)
    stock_methods = public_methods(stock)
    for name, method in public_methods(interface).items():
        assert parameters(method) == parameters(stock_methods[name]), name


@every_repository
def test_the_kinds_are_those_of_the_stock_class(spec: RepositorySpec) -> None:
    interface, stock = classes(spec)
    stock_methods = public_methods(stock)
    for name, method in public_methods(interface).items():
        assert isinstance(method, OF_CLASS) == isinstance(stock_methods[name], OF_CLASS), name
        assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(stock_methods[name]), name


@every_repository
def test_a_method_says_what_the_host_says_and_no_more(spec: RepositorySpec) -> None:
    interface, stock = classes(spec)
    for name, method in public_methods(interface).items():
        said = inspect.getdoc(as_written(vars(stock)[name]))
        assert inspect.getdoc(method) == (said.splitlines()[0] if said else None), name


@every_repository
def test_every_method_is_annotated(spec: RepositorySpec) -> None:
    """Evaluates the annotations too: the type checker cannot, as the host's modules have no types."""
    interface, _ = classes(spec)
    module = sys.modules[interface.__module__]
    tree = ast.parse(inspect.getsource(module))
    guarded = next(node.body for node in tree.body if isinstance(node, ast.If))
    names = dict(vars(module))
    assert module.__file__ is not None
    exec(compile(ast.Module(guarded, type_ignores=[]), module.__file__, "exec"), names)
    for name, method in public_methods(interface).items():
        annotated = typing.get_type_hints(method, globalns=names)
        expected = {parameter for parameter, *_ in parameters(method)} | {"return"}
        assert set(annotated) == expected, name


def owner_of(cls: type, name: str) -> type | None:
    """Return the class that an attribute is written in; None if there is none."""
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def overridden(ours: type, stock: type) -> Iterator[tuple[str, Method, Method]]:
    """Name, our method and the stock one, as written in their classes, of each that our class has of its own."""
    for name, method in public_methods(stock).items():
        owner = owner_of(ours, name)
        if owner not in (stock, None):
            yield name, vars(owner)[name], method


@every_repository
def test_our_methods_are_called_like_the_stock_ones(spec: RepositorySpec) -> None:
    """The type checker compares types, by the same protocols; names, defaults and kinds are compared here."""
    for name, method, stock in overridden(load(spec.ours), load(spec.stock)):
        assert parameters(method) == parameters(stock), name
        assert spec.is_class or isinstance(method, staticmethod) == isinstance(stock, staticmethod), name
        kinds = [inspect.iscoroutinefunction(inspect.unwrap(each)) for each in (method, stock)]
        assert kinds[0] == kinds[1], name


ASKS_REPOSITORIES = "opens a session, but only asks repositories"
PART_OF_A_STATEMENT = "adds access_grant to a statement of the caller: the table is mirrored"
PART_OF_REPLACED = "is only called by methods that are replaced"
INHERITED = {
    ("AccessGrants", "get_revoked_user_ids_by_resource"): ASKS_REPOSITORIES,
    ("AccessGrants", "get_user_ids_by_access_grants"): ASKS_REPOSITORIES,
    ("AccessGrants", "has_permission_filter"): PART_OF_A_STATEMENT,
    ("AccessGrants", "_has_read_only_permission_filter"): PART_OF_A_STATEMENT,
    **{("Models", name): PART_OF_REPLACED for name in ("_delete_models", "_write_model", "_written_model")},
}
"""Methods that our classes have from the stock ones, though these touch the SQL database -> why they may."""


def test_what_ours_inherits_does_not_touch_the_sql_database() -> None:
    touching = set()
    for spec in REPOSITORIES:
        ours, stock = load(spec.ours), load(spec.stock)
        inherited = {name for name in vars(stock) if owner_of(ours, name) is stock}
        touching |= {(spec.name, name) for name in inherited if touches_sql(vars(stock)[name])}
    assert touching == INHERITED.keys()


def test_the_package_exports_every_interface() -> None:
    assert interfaces.__all__ == sorted(spec.interface for spec in REPOSITORIES)


def test_the_files_are_as_generated() -> None:
    subprocess.run([sys.executable, GENERATOR, "--check"], check=True)
