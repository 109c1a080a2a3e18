"""Replacing implementations for good while the host is imported; without ``switchable``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from openwebui_pocketbase.catalog import Seam, StockRepository, spec_of
from openwebui_pocketbase.hookspecs import Extension, RepositoryBinding
from openwebui_pocketbase.host.binding import bind, extend
from openwebui_pocketbase.host.gates import InForce, Step, loader
from openwebui_pocketbase.host.seams import replace_function

__all__ = ["direct_steps"]


def direct_steps(in_force: InForce) -> Iterator[tuple[str, Step]]:
    """Yield what to do when a module of the host has been imported, with that module's name."""
    for binding in in_force.bindings:
        for name, path in binding.classes.items():
            spec = spec_of(name)
            if path == spec.stock:
                continue  # the singleton is of this class
            ready_with = binding.ready_with.get(name, spec.module)
            yield ready_with, _binder(binding, spec, path)
            if ready_with != spec.module:
                yield spec.module, loader(ready_with)
    for seam in in_force.seams:
        yield seam.module, _replacer(seam)
    for extension in in_force.extensions:
        yield extension.extended.module, _extender(extension)


def _binder(binding: RepositoryBinding, spec: StockRepository, path: str) -> Step:
    return lambda _module: bind(import_module(spec.module), spec.name, path, binding.attributes)


def _replacer(seam: Seam) -> Step:
    return lambda module: replace_function(module, seam.function, seam.replacement)


def _extender(extension: Extension) -> Step:
    extended = extension.extended
    return lambda module: extend(module, extended.name, extended.ours, extension.attributes)
