"""Everything that is changed in one host process, and how to undo it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.exceptions import CompatibilityError, OpenWebUIPocketBaseError
from openwebui_pocketbase.host import DATABASE
from openwebui_pocketbase.host.checks import check_at_once, checks_of_host
from openwebui_pocketbase.host.contract import check_contract
from openwebui_pocketbase.host.direct import direct_steps
from openwebui_pocketbase.host.failures import answer_failures
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.gates import Gates, InForce, Step, Undo
from openwebui_pocketbase.host.health import Health, extend_health_checks
from openwebui_pocketbase.host.lifespan import wrap_lifespan
from openwebui_pocketbase.host.requests import tell_requests_apart
from openwebui_pocketbase.host.routing import index_routes
from openwebui_pocketbase.host.site import Site
from openwebui_pocketbase.last_start import LastStart, database_name
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND, plugin
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.settings import Settings

if TYPE_CHECKING:
    from openwebui_pocketbase.host.switchboard import Switchboard
    from openwebui_pocketbase.host.switching import Switching
    from openwebui_pocketbase.runtime import Runtime

__all__ = ["Installation"]

log = logging.getLogger(__name__)

MAIN = "open_webui.main"


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
        self._data_dir = data_dir
        self._package_dir = package_dir
        self._manager = create_plugin_manager(settings)
        self._site = Site(settings, Registry(self._manager, settings, data_dir))
        self._version = version
        self._gate = Gate()
        self._gates = Gates(self._in_force(self.registry, plugin.runtime), self._gate) if settings.switchable else None
        self._board: Switchboard | None = None
        self._modules: dict[str, ModuleType] = {}
        self._undo: list[Undo] = []
        self._check(self.registry.replaced)
        if BACKEND in self.registry.replaced.values() and not settings.pocketbase.url:
            find_binary(settings.pocketbase.embedded)  # before the host's imports, which take half a minute

    @property
    def registry(self) -> Registry:
        """The backends of all groups."""
        return self._site.registry

    def callbacks(self) -> dict[str, Callable[[ModuleType], None]]:
        """Return what to call when a module of the host has been imported, by the module's name."""
        steps: dict[str, list[Step]] = {}
        in_force = self._in_force(self.registry, plugin.runtime)
        for module, step in self._gates.steps() if self._gates else direct_steps(in_force):
            steps.setdefault(module, []).append(step)
        steps.setdefault(DATABASE, []).append(self._guard)
        steps.setdefault(MAIN, []).append(self._wrap)
        return {module: self._runner(todo) for module, todo in steps.items()}

    def _in_force(self, registry: Registry, runtime: Runtime | None) -> InForce:
        """Return what is in force with some backends, of which those in PocketBase run in a runtime."""
        backends = registry.replaced
        seams = _flatten(self._manager.hook.openwebui_register_seams(backends=backends))
        others = self._manager.subset_hook_caller("openwebui_register_extensions", remove_plugins=[plugin])
        extensions = _flatten(others(backends=backends))
        if runtime is not None:
            in_pocketbase = [group for group, backend in backends.items() if backend == BACKEND]
            extensions += plugin.extensions(runtime, in_pocketbase)
        return InForce(registry.bindings(), seams, extensions)

    def undo(self) -> None:
        """Give the host its stock classes and functions back; safe to call again."""
        while self._undo:
            self._undo.pop()()

    def _check(self, groups: Mapping[str, str]) -> None:
        problems = check_contract(groups, package_dir=self._package_dir, version=self._version)
        if not problems:
            return
        found = "; ".join(f"{problem.where}: {problem.what}" for problem in problems)
        message = f"Open WebUI {self._version} stores data in ways this version does not know: {found}."
        if self._site.settings.contract == "warn":
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

        if self._gates is None:
            steps = [guard.arm(self._site.in_pocketbase, self._site.settings.tripwire)]
        else:
            self._board = self._made_board(self._gates)
            self._board.arm()
            steps = [self._board.disarm]
        if plugin.runtime is not None:
            # Before the host's models: scripts use them without the application's start.
            plugin.runtime.write_through()
            steps.append(plugin.runtime.end_write_through)
        if database.ENABLE_DB_MIGRATIONS:
            steps.append(guard.lift_for_migrations())

        def undo() -> None:
            for step in steps:
                step()

        return undo

    def _made_board(self, gates: Gates) -> Switchboard:
        from openwebui_pocketbase.host.switchboard import Switchboard  # noqa: PLC0415 - imports the host

        return Switchboard(
            self._site,
            gates,
            self._gate,
            self._data_dir,
            in_force_of=self._in_force,
            check=self._check,
            note=self._note_start,
        )

    def _groups_before(self) -> list[str]:
        """Return the groups that were in PocketBase at the last start that got as far as serving."""
        last = LastStart.read(self._data_dir)
        if last is None or last.failure:
            return []
        return [group for group, backend in last.groups.items() if backend == BACKEND]

    def _note_start(self, failure: str = "") -> None:
        """Leave for commands what this start used, and what came of it."""
        database, data_dir = import_module(DATABASE), self._data_dir
        name = database_name(database.engine.url, database.DATABASE_SCHEMA or "", data_dir)
        LastStart.now(self.registry.replaced, self._package_dir, data_dir, name, failure).write(data_dir)

    def _wrap(self, main: ModuleType) -> Undo:
        hook = self._manager.hook
        self._site.make_context(
            main.app,
            self._data_dir,
            self._modules,
            (lambda change: hook.openwebui_change(change=change)) if hook.openwebui_change.get_hookimpls() else None,
        )
        switching = self._made_switching()

        async def bootstrap() -> None:
            try:
                async with switching.joining() if switching else nullcontext():
                    await self._bootstrap()
            except OpenWebUIPocketBaseError as error:
                self._note_start(failure=str(error))
                raise
            self._note_start()

        async def started() -> None:
            await _each(hook.openwebui_start_realtime(context=self._site.context))

        async def shutdown() -> None:
            if switching:
                await switching.end()
            await _each(hook.openwebui_shutdown(context=self._site.context))

        async def probe() -> None:
            await _each(hook.openwebui_check_health(context=self._site.context))

        undo = [
            wrap_lifespan(main.app, bootstrap=bootstrap, started=started, shutdown=shutdown),
            answer_failures(main.app),
            tell_requests_apart(main.app),
            index_routes(main.app),
            check_at_once(main.app, checks_of_host()),
            extend_health_checks(main, Health(probe), lambda: self.registry.backends),
        ]

        def undo_all() -> None:
            while undo:
                undo.pop()()

        return undo_all

    def _made_switching(self) -> Switching | None:
        if self._board is None:
            return None
        from openwebui_pocketbase.host.switching import Switching  # noqa: PLC0415 - imports the host

        return Switching(self._board, self._gate)

    async def _bootstrap(self) -> None:
        from openwebui_pocketbase.host.config_rows import adopt_config  # noqa: PLC0415 - likewise
        from openwebui_pocketbase.host.guard import install_guard  # noqa: PLC0415 - imports the host
        from openwebui_pocketbase.host.unused_rows import warn_of_unused_rows  # noqa: PLC0415 - likewise

        before = self._groups_before()
        await _each(self._manager.hook.openwebui_bootstrap(context=self._site.context))
        if plugin.runtime is not None and self.registry.replaced.get("config") == BACKEND:
            await adopt_config(plugin.runtime.client)
        await install_guard(self._site.in_pocketbase)
        if plugin.runtime is not None:
            await warn_of_unused_rows(self.registry.replaced, plugin.runtime.client, before=before)


def _flatten(results: Iterable[Iterable[Any]]) -> list[Any]:
    return [item for result in results for item in result]


async def _each(results: Iterable[Any]) -> None:
    for result in results:
        await result
