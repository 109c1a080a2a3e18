"""What a worker does when groups of data move while it runs: another runtime, other implementations, another guard."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openwebui_pocketbase.config_file import CONFIG_FILE, find_config_file, write_backends
from openwebui_pocketbase.exceptions import SwitchError
from openwebui_pocketbase.host import guard
from openwebui_pocketbase.host.gate import Gate
from openwebui_pocketbase.host.gates import Gates, InForce
from openwebui_pocketbase.host.site import Site, settings_for
from openwebui_pocketbase.manager import Registry
from openwebui_pocketbase.migrate.control.orders import Backends
from openwebui_pocketbase.plugin import BACKEND, plugin
from openwebui_pocketbase.runtime import Runtime
from openwebui_pocketbase.settings import Settings, load_settings
from openwebui_pocketbase.tasks import end

__all__ = ["Switchboard"]

log = logging.getLogger(__name__)

# All in seconds.
DRAIN = 10.0
"""For what passed the gate before, in a worker that was not there when others held."""
GRACE = 30.0
"""For which a connection is kept that nothing new is asked for: of answers that are read later, as a chat's."""


@dataclass(frozen=True)
class _Next:
    """What is going to be in force."""

    settings: Settings
    registry: Registry
    runtime: Runtime
    in_force: InForce


class Switchboard:
    """Prepares and makes switches, one step after the other.

    Args:
        site: What is in force; changed by a switch.
        gates: What stands behind the gate.
        gate: The gate.
        data_dir: Open WebUI's data directory.
        in_force_of: Returns what is in force with a registry, and these extensions of objects of the host.
        check: Raises if groups cannot be in other backends with this Open WebUI; takes a second.
        note: Called after a switch, to leave word of it for commands.
    """

    def __init__(
        self,
        site: Site,
        gates: Gates,
        gate: Gate,
        data_dir: Path,
        *,
        in_force_of: Callable[[Registry, Runtime | None], InForce],
        check: Callable[[Mapping[str, str]], None],
        note: Callable[[], None],
    ) -> None:
        self._site = site
        self._gates = gates
        self._gate = gate
        self._data_dir = data_dir
        self._in_force_of = in_force_of
        self._check = check
        self._note = note
        self._next: _Next | None = None
        self._is_resting = False
        self._disarm: Callable[[], None] = lambda: None
        self._later: set[asyncio.Task[None]] = set()
        self.lock = asyncio.Lock()

    @property
    def backends(self) -> Backends:
        """Group -> backend, as it is in force."""
        return self._site.registry.backends

    def arm(self) -> None:
        """Have other code's statements on the tables of groups in PocketBase fail, and on no others."""
        before = self._disarm
        self._disarm = guard.arm(self._site.in_pocketbase, self._site.settings.tripwire)
        before()

    def disarm(self) -> None:
        """Let all statements pass."""
        self._disarm()
        self._disarm = lambda: None

    async def prepare(self, wanted: Backends) -> str:
        """Get ready to switch: connect, and load what is needed; see `openwebui_pocketbase.host.watch.Board`."""
        async with self.lock:
            await self._drop()
            self._next = following = await self._ready(wanted)
            if plugin.runtime is not None:
                await plugin.runtime.mirror.keep_up()
            return await following.runtime.epoch()

    async def rest(self) -> None:
        """Leave the SQL database's copies alone."""
        async with self.lock:
            if plugin.runtime is not None:
                await plugin.runtime.pause()
            self._is_resting = True

    async def go_on(self) -> None:
        """Go on as before; nothing happens after a switch."""
        async with self.lock:
            if self._is_resting and plugin.runtime is not None:
                plugin.runtime.resume()
            self._is_resting = False
            await self._drop()

    async def switch(self, backends: Backends, number: int) -> None:
        """Go on with other backends.

        Args:
            backends: Group -> backend.
            number: Names the switch.

        Raises:
            SwitchError: Something is going on still, after ten seconds.
            OpenWebUIPocketBaseError: It cannot be done: nothing may be read or written by this process any more.
        """
        async with self.lock:
            if self._next is None or self._next.registry.backends != backends:
                await self._drop()
                self._next = await self._ready(backends)
            await self._drained()
            following, self._next = self._next, None
            before = plugin.runtime
            if before is not None:
                await before.rest()
            await following.runtime.take_over(f"switch-{number}")
            self._put(following)
            if self._site.context is not None:
                following.runtime.start_realtime(self._site.context)
            self._is_resting = False
            await asyncio.to_thread(self._write_config, backends)
            self._note()
            log.info("Switched: %s in PocketBase from now on.", ", ".join(self._site.in_pocketbase) or "nothing")
        self._afterwards(self._settle(following.runtime))
        if before is not None:
            self._afterwards(_stop_later(before))

    def reload(self) -> None:
        """Take the backends of the config file as it is now, before anything has started; blocks.

        Raises:
            ConfigurationError: The config file is wrong.
        """
        settings = load_settings(self._data_dir)
        runtime, bindings = plugin.another(settings, self._data_dir)
        registry = self._site.registry.changed(settings, bindings)
        if registry.backends != self._site.registry.backends:
            self._check(registry.replaced)
            self._put(_Next(settings, registry, runtime, self._in_force_of(registry, runtime)))

    async def close(self) -> None:
        """End what is to be done later, at once."""
        await end(list(self._later))
        async with self.lock:
            await self._drop()

    async def _ready(self, wanted: Backends) -> _Next:
        settings = await asyncio.to_thread(settings_for, wanted, self._data_dir)
        runtime, bindings = plugin.another(settings, self._data_dir)
        registry = self._site.registry.changed(settings, bindings)
        await asyncio.to_thread(self._check, registry.replaced)
        in_force = self._in_force_of(registry, runtime)
        try:
            await runtime.connect()
            await asyncio.to_thread(self._gates.load, in_force)
            await self._change_tables(runtime, registry)
        except BaseException:
            await runtime.stop()
            await self._restore_tables()
            raise
        return _Next(settings, registry, runtime, in_force)

    async def _change_tables(self, runtime: Runtime, registry: Registry) -> None:
        """Have the host's tables be as they have to be before a switch and after it.

        Not while others wait: this waits for transactions, and theirs may be open. So the guard of groups that leave
        PocketBase is lifted before, and that of others installed afterwards; meanwhile there are the trip-wires.
        """
        before = plugin.runtime.mirror.names if plugin.runtime is not None else []
        await runtime.mirror.watch(before)
        guarded = self._site.in_pocketbase
        staying = [group for group in guarded if registry.backends[group] == BACKEND]
        if staying != guarded:
            await guard.install_guard(staying, is_moved=True)

    async def _restore_tables(self) -> None:
        """Have the host's tables be as they have to be with what is in force."""
        await guard.install_guard(self._site.in_pocketbase, is_moved=True)
        if plugin.runtime is not None:
            await plugin.runtime.mirror.watch()

    def _put(self, following: _Next) -> None:
        self._gates.use(following.in_force)
        if plugin.runtime is not None:
            plugin.runtime.end_write_through()
        following.runtime.write_through()
        plugin.runtime = following.runtime
        self._site.change(following.settings, following.registry)
        self.arm()

    def _write_config(self, backends: Backends) -> None:
        """Have the config file say what is in force, if the command was killed before it did; blocks."""
        settings = load_settings(self._data_dir)
        named = {group: settings.groups.get(group, settings.storage_backend) for group in backends}
        missing = {group: backend for group, backend in backends.items() if named[group] != backend}
        if not missing:
            return
        path = find_config_file(self._data_dir, os.environ) or self._data_dir / CONFIG_FILE
        try:
            write_backends(path, missing)
        except OSError as error:
            log.error(  # noqa: TRY400 - where in the code does not matter
                "%s cannot be written (%s). What to do: name these groups there before the next start: %s",
                path,
                error.strerror,
                ", ".join(f'{group} = "{backend}"' for group, backend in missing.items()),
            )

    async def _drained(self) -> None:
        deadline = asyncio.get_running_loop().time() + DRAIN
        while calls := self._gate.calls:
            if asyncio.get_running_loop().time() > deadline:
                raise SwitchError(f"Other backends are in force, but this goes on with those before: {calls[0]}.")
            await asyncio.sleep(0.01)

    async def _settle(self, runtime: Runtime) -> None:
        """Do what nobody has to wait for: this process's own trip-wire is armed."""
        async with self.lock:
            await self._restore_tables()
        await runtime.mirror.compare()

    async def _drop(self) -> None:
        following, self._next = self._next, None
        if following is not None:
            await following.runtime.stop()
            await self._restore_tables()

    def _afterwards(self, step: Any) -> None:
        async def run() -> None:
            try:
                await step
            except Exception as error:  # noqa: BLE001 - the switch is made; whatever it is, the next start does it
                log.warning("Something was left to be done after the switch: %s", error)

        task = asyncio.create_task(run())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def _stop_later(runtime: Runtime) -> None:
    try:
        await asyncio.sleep(GRACE)
    finally:  # also at the end of this process
        await runtime.stop()
