from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path

import pytest

from openwebui_pocketbase import interfaces
from openwebui_pocketbase.catalog import REPOSITORIES, RepositorySpec

GENERATOR = Path(__file__).parents[2] / "tools" / "generate_interfaces.py"

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


def public_methods(cls: type) -> dict[str, object]:
    """Name -> method as written in the class, static methods still wrapped; in the order of the source."""
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, staticmethod))
    }


def as_written(method: object) -> object:
    """The function below the host's ``throttle``, which does not pass the signature on."""
    function = inspect.unwrap(method)
    hidden = inspect.getclosurevars(function).nonlocals.get("func")
    return hidden or function


def parameters(method: object) -> list[tuple[object, ...]]:
    signature = inspect.signature(as_written(method))
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


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
        assert isinstance(method, staticmethod) == isinstance(stock_methods[name], staticmethod), name
        assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(stock_methods[name]), name


@every_repository
def test_every_method_is_described_and_annotated(spec: RepositorySpec) -> None:
    """Evaluates the annotations too: the type checker cannot, as it skips the host's untyped modules."""
    interface, _ = classes(spec)
    module = sys.modules[interface.__module__]
    tree = ast.parse(inspect.getsource(module))
    guarded = next(node.body for node in tree.body if isinstance(node, ast.If))
    names = dict(vars(module))
    exec(compile(ast.Module(guarded, type_ignores=[]), module.__file__, "exec"), names)
    for name, method in public_methods(interface).items():
        assert method.__doc__.endswith("."), name
        annotated = typing.get_type_hints(method, globalns=names)
        expected = {parameter for parameter, *_ in parameters(method)} - {"self"} | {"return"}
        assert set(annotated) == expected, name


def test_the_package_exports_every_interface() -> None:
    assert interfaces.__all__ == sorted(spec.interface for spec in REPOSITORIES)


def test_the_files_are_as_generated() -> None:
    subprocess.run([sys.executable, GENERATOR, "--check"], check=True)
