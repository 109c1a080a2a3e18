"""Everything that is changed in one host process, and how to undo it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from openwebui_pocketbase.catalog import RepositorySpec, spec_of
from openwebui_pocketbase.exceptions import CompatibilityError, OpenWebUIPocketBaseError
from openwebui_pocketbase.hookspecs import Extension, HostContext, RepositoryBinding, Seam
from openwebui_pocketbase.host import DATABASE
from openwebui_pocketbase.host.binding import bind, extend
from openwebui_pocketbase.host.contract import check_contract
from openwebui_pocketbase.host.failures import answer_failures
from openwebui_pocketbase.host.health import Health, extend_health_checks
from openwebui_pocketbase.host.lifespan import wrap_lifespan
from openwebui_pocketbase.host.seams import replace_function
from openwebui_pocketbase.last_start import LastStart, database_name
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import Settings

__all__ = ["Installation"]

log = logging.getLogger(__name__)

MAIN = "open_webui.main"

Undo = Callable[[], None]


class Installation:
    """Extends the host's modules one by one, as they are imported.

    Args:
        settings: The configuration.
        data_dir: Open WebUI's data directory.
        package_dir: Directory of the package ``open_webui``.
        version: Open WebUI's version.

    Raises:
        ConfigurationError: The settings name what is not there.
        CompatibilityError: Open WebUI's storage code differs from what this version was made for.
        ServerError: The embedded server's program is missing.
    """

    def __init__(self, settings: Settings, data_dir: Path, package_dir: Path, version: str) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._package_dir = package_dir
        self._manager = create_plugin_manager(settings)
        self.registry = Registry(self._manager, settings, data_dir)
        self._modules: dict[str, ModuleType] = {}
        self._undo: list[Undo] = []
        self._check(package_dir, version)
        if BACKEND in self.registry.replaced.values() and not settings.pocketbase.url:
            find_binary(settings.pocketbase.embedded)  # before the host's imports, which take half a minute

    def callbacks(self) -> dict[str, Callable[[ModuleType], None]]:
        """Return what to call when a module of the host has been imported, by the module's name."""
        steps: dict[str, list[Callable[[ModuleType], Undo]]] = {}
        for binding in self.registry.bindings():
            for name, path in binding.classes.items():
                spec = spec_of(name)
                if path == spec.stock:
                    continue  # the singleton is of this class
                ready_with = binding.ready_with.get(name, spec.module)
                steps.setdefault(ready_with, []).append(_binder(binding, spec, path))
                if ready_with != spec.module:
                    steps.setdefault(spec.module, []).append(_loader(ready_with))
        seams = self._manager.hook.openwebui_register_seams(backends=self.registry.replaced)
        for seam in _flatten(seams):
            steps.setdefault(seam.module, []).append(_replacer(seam))
        for extension in _flatten(self._manager.hook.openwebui_register_extensions(backends=self.registry.replaced)):
            steps.setdefault(extension.extended.module, []).append(_extender(extension))
        steps.setdefault(DATABASE, []).append(self._guard)
        steps.setdefault(MAIN, []).append(self._wrap)
        return {module: self._runner(todo) for module, todo in steps.items()}

    def undo(self) -> None:
        """Give the host its stock classes and functions back; safe to call again."""
        while self._undo:
            self._undo.pop()()

    def _check(self, package_dir: Path, version: str) -> None:
        problems = check_contract(self.registry.replaced, package_dir=package_dir, version=version)
        if not problems:
            return
        found = "; ".join(f"{problem.where}: {problem.what}" for problem in problems)
        message = f"Open WebUI {version} stores data in ways this version does not know: {found}."
        if self._settings.contract == "warn":
            log.warning(message)
            return
        raise CompatibilityError(
            message,
            hint="Install an openwebui-pocketbase made for it, or go on at your own risk with contract = 'warn'.",
        )

    def _runner(self, todo: list[Callable[[ModuleType], Undo]]) -> Callable[[ModuleType], None]:
        def run(module: ModuleType) -> None:
            self._modules[module.__name__] = module
            self._undo.extend(step(module) for step in todo)

        return run

    def _guard(self, database: ModuleType) -> Undo:
        from openwebui_pocketbase.host import guard  # noqa: PLC0415 - imports the host

        steps = [guard.arm(self._in_pocketbase, self._settings.tripwire)]
        if database.ENABLE_DB_MIGRATIONS:
            steps.append(guard.lift_for_migrations())

        def undo() -> None:
            for step in steps:
                step()

        return undo

    @property
    def _in_pocketbase(self) -> list[str]:
        return [group for group, backend in self.registry.replaced.items() if backend == BACKEND]

    def _note_start(self, context: HostContext, failure: str = "") -> None:
        """Leave for commands what this start used, and what came of it."""
        database, data_dir = import_module(DATABASE), context.data_dir
        name = database_name(database.engine.url, database.DATABASE_SCHEMA or "", data_dir)
        LastStart.now(context.backends, self._package_dir, data_dir, name, failure).write(data_dir)

    def _wrap(self, main: ModuleType) -> Undo:
        hook = self._manager.hook
        context = HostContext(
            main.app,
            self._settings,
            self._data_dir,
            self.registry.replaced,
            self._modules,
            (lambda change: hook.openwebui_change(change=change)) if hook.openwebui_change.get_hookimpls() else None,
        )

        async def bootstrap() -> None:
            try:
                await _each(hook.openwebui_bootstrap(context=context))
            except OpenWebUIPocketBaseError as error:
                self._note_start(context, failure=str(error))
                raise
            from openwebui_pocketbase.host.guard import install_guard  # noqa: PLC0415 - imports the host
            from openwebui_pocketbase.host.unused_rows import warn_of_unused_rows  # noqa: PLC0415 - likewise

            await install_guard(self._in_pocketbase)
            await warn_of_unused_rows(context.backends)
            self._note_start(context)

        async def started() -> None:
            await _each(hook.openwebui_start_realtime(context=context))

        async def shutdown() -> None:
            await _each(hook.openwebui_shutdown(context=context))

        async def probe() -> None:
            await _each(hook.openwebui_check_health(context=context))

        undo = [
            wrap_lifespan(main.app, bootstrap=bootstrap, started=started, shutdown=shutdown),
            answer_failures(main.app),
            extend_health_checks(main, Health(probe), self.registry.backends),
        ]

        def undo_all() -> None:
            while undo:
                undo.pop()()

        return undo_all


def _binder(binding: RepositoryBinding, spec: RepositorySpec, path: str) -> Callable[[ModuleType], Undo]:
    return lambda _module: bind(import_module(spec.module), spec.name, path, binding.attributes)


def _loader(name: str) -> Callable[[ModuleType], Undo]:
    """Load a module behind another one; nothing happens where it is what loads the other one."""

    def load(_module: ModuleType) -> Undo:
        import_module(name)
        return lambda: None

    return load


def _replacer(seam: Seam) -> Callable[[ModuleType], Undo]:
    return lambda module: replace_function(module, seam.function, seam.replacement)


def _extender(extension: Extension) -> Callable[[ModuleType], Undo]:
    extended = extension.extended
    return lambda module: extend(module, extended.name, extended.ours, extension.attributes)


def _flatten(results: Iterable[Iterable[Any]]) -> list[Any]:
    return [item for result in results for item in result]


async def _each(results: Iterable[Any]) -> None:
    for result in results:
        await result
