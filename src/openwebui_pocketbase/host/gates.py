"""All that stands behind the gate: which implementation of what is in force."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from openwebui_pocketbase.catalog import CATALOG, Extended, Seam, StockRepository, extended_by, seams_of
from openwebui_pocketbase.hookspecs import Extension, RepositoryBinding
from openwebui_pocketbase.host.binding import above, load
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.gated import GatedClass, GatedFunction, GatedObject
from openwebui_pocketbase.host.seams import put_function

__all__ = ["Gates", "InForce", "Step", "Undo", "loader"]

Undo = Callable[[], None]
Step = Callable[[ModuleType], Undo]


@dataclass(frozen=True)
class InForce:
    """What is in force at a time.

    Attributes:
        bindings: One for each group.
        seams: The functions that are replaced.
        extensions: The objects that are extended.
    """

    bindings: Sequence[RepositoryBinding]
    seams: Collection[Seam]
    extensions: Sequence[Extension]


class Gates:
    """Puts repositories, functions and objects of the host behind a gate, and implementations in force.

    Args:
        in_force: What is in force at first.
        gate: Where calls wait.
    """

    def __init__(self, in_force: InForce, gate: Gate) -> None:
        self._in_force = in_force
        self._gate = gate
        self._repositories: dict[str, GatedObject | GatedClass] = {}
        self._functions: dict[Seam, GatedFunction] = {}
        self._objects: dict[Extended, GatedObject] = {}

    def steps(self) -> list[tuple[str, Step]]:
        """Return what to do when a module of the host has been imported, with that module's name."""
        steps: list[tuple[str, Step]] = []
        for group in CATALOG.values():
            for spec in group.all_repositories:
                ready_with = group.ready_with.get(spec.name, spec.module)
                steps.append((ready_with, self._repository_taker(spec)))
                if ready_with != spec.module:
                    steps.append((spec.module, loader(ready_with)))
        seams = dict.fromkeys([*self._in_force.seams, *seams_of(CATALOG)])
        steps += [(seam.module, self._function_taker(seam)) for seam in seams]
        steps += [(extended.module, self._object_taker(extended)) for extended in extended_by(CATALOG)]
        return steps

    def load(self, in_force: InForce) -> None:
        """Import what is going to be in force, and make its classes; takes a moment, and changes nothing."""
        for name, path, _ in _repositories(in_force):
            if name in self._repositories:
                self._repositories[name].prepare(load(path))
        for seam in in_force.seams:
            load(seam.replacement)
        for extension in in_force.extensions:
            if extension.extended in self._objects:
                taken = self._objects[extension.extended]
                taken.prepare(above(taken.stock, extension.extended.ours))

    def use(self, in_force: InForce) -> None:
        """Put implementations in force, at once."""
        self._in_force = in_force
        for name in self._repositories:
            self._use_repository(name)
        for extended in self._objects:
            self._use_object(extended)
        for seam in self._functions:  # after the repositories, of which some replacements are made
            self._use_function(seam)

    def _repository_taker(self, spec: StockRepository) -> Step:
        def take(_module: ModuleType) -> Undo:
            singleton = getattr(import_module(spec.module), spec.name)
            gated = GatedClass if isinstance(singleton, type) else GatedObject
            self._repositories[spec.name] = gated(self._gate, singleton, spec.name)
            self._use_repository(spec.name)
            return self._repositories[spec.name].undo

        return take

    def _function_taker(self, seam: Seam) -> Step:
        def take(module: ModuleType) -> Undo:
            def make(stock: Callable[..., Any]) -> Callable[..., Any]:
                self._functions[seam] = GatedFunction(self._gate, stock, seam.function)
                return self._functions[seam].dispatch

            undo = put_function(module, seam.function, make)
            self._use_function(seam)
            return undo

        return take

    def _object_taker(self, extended: Extended) -> Step:
        def take(module: ModuleType) -> Undo:
            self._objects[extended] = GatedObject(self._gate, getattr(module, extended.name), extended.name)
            self._use_object(extended)
            return self._objects[extended].undo

        return take

    def _use_repository(self, name: str) -> None:
        for known, path, attributes in _repositories(self._in_force):
            if known == name:
                self._repositories[name].use(load(path), attributes)

    def _use_function(self, seam: Seam) -> None:
        self._functions[seam].use(load(seam.replacement) if seam in self._in_force.seams else None)

    def _use_object(self, extended: Extended) -> None:
        taken = self._objects[extended]
        for extension in self._in_force.extensions:
            if extension.extended == extended:
                taken.use(above(taken.stock, extended.ours), extension.attributes)
                return
        taken.use(taken.stock, {})


def loader(name: str) -> Step:
    """Load a module behind another one; nothing happens where it is what loads the other one."""

    def load_module(_module: ModuleType) -> Undo:
        import_module(name)
        return lambda: None

    return load_module


def _repositories(in_force: InForce) -> list[tuple[str, str, Any]]:
    return [(name, path, binding.attributes) for binding in in_force.bindings for name, path in binding.classes.items()]
