"""What ``doctor`` looks at; each check says what it found and, if that is wrong, what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import site as python_site
import stat
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from openwebui_pocketbase import __version__, _autostart
from openwebui_pocketbase.cli.site import Site
from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.connection import Connection, embedded_data_dir, embedded_server
from openwebui_pocketbase.exceptions import ConfigurationError, OpenWebUIPocketBaseError
from openwebui_pocketbase.host.contract import check_contract, installed_open_webui, supported_versions
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.schema.bootstrap import inspect
from openwebui_pocketbase.server import find_binary
from openwebui_pocketbase.server.binary import check_binary
from openwebui_pocketbase.server.rundir import RunDir
from openwebui_pocketbase.settings import DISABLE_VARIABLE, GROUPS, EmbeddedSettings, PocketBaseSettings, Settings

__all__ = ["Check", "run_checks"]

HEALTH_TIMEOUT = 10.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO
START_UP_FILE = "openwebui_pocketbase.pth" if sys.version_info < (3, 15) else "openwebui_pocketbase.start"
REINSTALL = "Run: pip install --force-reinstall --no-deps openwebui-pocketbase"


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was looked at.
        status: ``problem`` if something has to be done.
        detail: What was found; never a secret.
        remedy: What to do about a problem, else ``""``.
    """

    name: str
    status: Literal["ok", "info", "problem"]
    detail: str
    remedy: str = ""


def run_checks(data_dir: Path | None, config: Path | None) -> Iterator[Check]:
    """Look at everything; start no server and write no file.

    Args:
        data_dir: Option ``--data-dir``.
        config: Option ``--config``.
    """
    yield from _versions()
    yield _start_up_file()
    try:
        site = Site.of(data_dir, config)
        yield _data_dir(site.data_dir)
        config_file = site.config_file()
        settings = site.settings()
    except OpenWebUIPocketBaseError as error:
        # Everything further down depends on the settings.
        yield _failed("settings", error)
        yield _binary(EmbeddedSettings(), needed=False)
        return
    yield _config_file(config_file)
    yield Check("settings", "ok", _describe(settings))
    try:
        registry = Registry(create_plugin_manager(settings), settings, site.data_dir)
    except OpenWebUIPocketBaseError as error:
        yield _failed("groups", error)
        replaced: Mapping[str, str] = {}
    except Exception as error:  # noqa: BLE001 - plugins are anybody's
        yield Check("groups", "problem", f"A plugin fails: {error!r}.", "Repair it or uninstall it.")
        replaced = {}
    else:
        replaced = registry.replaced
        yield _groups(registry)
    yield _contract(settings, replaced)
    yield from _server(settings.pocketbase, site.data_dir, needed=BACKEND in replaced.values())


def _versions() -> Iterator[Check]:
    yield Check("openwebui-pocketbase", "ok", __version__)
    yield Check("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    found = installed_open_webui()
    if found is None:
        remedy = "Run: pip install 'openwebui-pocketbase[open-webui]'"
        yield Check("Open WebUI", "problem", "It is not installed in this environment.", remedy)
    else:
        package_dir, version = found
        yield Check("Open WebUI", "ok", f"{version} at {package_dir}")
    yield Check("pocketbase client", "ok", importlib.metadata.version("pocketbase"))


def _start_up_file() -> Check:
    name = "start-up file"
    directories = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *python_site.getsitepackages()}
    if python_site.ENABLE_USER_SITE:
        directories.add(python_site.getusersitepackages())
    found = sorted({path.resolve() for directory in directories if (path := Path(directory, START_UP_FILE)).is_file()})
    listed = ", ".join(map(str, found))
    if os.environ.get(DISABLE_VARIABLE) == "1":
        return Check(name, "problem", f"{DISABLE_VARIABLE}=1 switches this package off.", "Unset it.")
    if not found:
        return Check(name, "problem", f"There is no {START_UP_FILE} in this environment.", REINSTALL)
    if len(found) > 1:
        return Check(name, "problem", f"There are several: {listed}.", "Uninstall all copies but one.")
    if not any(isinstance(finder, _autostart.ModuleWatcher) for finder in sys.meta_path):
        return Check(name, "problem", f"{listed} has not run in this program.", REINSTALL)
    return Check(name, "ok", listed)


def _data_dir(directory: Path) -> Check:
    if directory.is_dir():
        return Check("data directory", "ok", str(directory))
    return Check("data directory", "info", f"{directory} does not exist yet.")


def _config_file(path: Path | None) -> Check:
    name = "config file"
    if path is None:
        return Check(name, "info", "There is none; `openwebui-pocketbase serve` or `init` writes one.")
    mode = stat.S_IMODE(path.stat().st_mode)
    section = tomllib.loads(path.read_text(encoding="utf-8")).get("pocketbase", {})
    if mode & OTHERS and not section.keys().isdisjoint({"password", "token"}):
        return Check(name, "problem", f"{path} has a secret and is open to other users.", f"Run: chmod 600 {path}")
    return Check(name, "ok", str(path))


def _describe(settings: Settings) -> str:
    """Return the settings that are not at their defaults, one per line."""
    defaults = dict(_flatten(Settings().model_dump()))
    changed = [f"{name} = {value}" for name, value in _flatten(settings.model_dump()) if defaults.get(name) != value]
    return "\n".join(changed) or "All are at their defaults."


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value  # secrets print as asterisks


def _groups(registry: Registry) -> Check:
    lines = [f"{group}: {registry.backends[group]} (of {', '.join(registry.available(group))})" for group in GROUPS]
    return Check("groups", "ok" if registry.replaced else "info", "\n".join(lines))


def _contract(settings: Settings, groups: Mapping[str, str]) -> Check:
    name = "contract"
    found = installed_open_webui()
    if found is None:
        return Check(name, "info", "Not checked: Open WebUI is not installed.")
    if not groups:
        return Check(name, "info", "Not needed: every group is in Open WebUI's SQL database.")
    package_dir, version = found
    problems = check_contract(groups, package_dir=package_dir, version=version)
    made_for = f"made for Open WebUI {', '.join(supported_versions())}"
    if not problems:
        return Check(name, "ok", f"Open WebUI {version} stores its data as known ({made_for}).")
    detail = "\n".join([f"Open WebUI {version} differs ({made_for}):", *map(str, problems)])
    if settings.contract == "warn":
        return Check(name, "info", f"{detail}\nIt runs nevertheless, as contract = 'warn'.")
    return Check(name, "problem", detail, "Install an openwebui-pocketbase made for it, or set contract = 'warn'.")


def _server(settings: PocketBaseSettings, data_dir: Path, *, needed: bool) -> Iterator[Check]:
    if settings.url:
        yield _binary(settings.embedded, needed=False)
        yield from _external(settings, data_dir)
        return
    yield _binary(settings.embedded, needed=needed)
    try:
        yield from _embedded(settings, data_dir)
    except OpenWebUIPocketBaseError as error:
        yield _failed("PocketBase", error)
    except OSError as error:
        remedy = "Run this as the user who runs Open WebUI."
        yield Check("PocketBase", "problem", f"{error.filename} cannot be read: {error.strerror}.", remedy)


def _binary(settings: EmbeddedSettings, *, needed: bool) -> Check:
    name = "pocketbase program"
    try:
        binary = find_binary(settings)
        check_binary(binary)
    except OpenWebUIPocketBaseError as error:
        return _failed(name, error) if needed else Check(name, "info", str(error.args[0]))
    answer = subprocess.run(  # noqa: S603 - just checked
        [binary, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return Check(name, "ok", f"{answer.stdout.split()[-1]} at {binary}")


def _external(settings: PocketBaseSettings, data_dir: Path) -> Iterator[Check]:
    url = settings.url or ""
    try:
        with AdminClient(url, timeout=min(HEALTH_TIMEOUT, settings.timeouts.read)) as admin:
            answer = admin.send("GET", "/api/health")
        if not isinstance(answer, dict) or "code" not in answer:
            raise ConfigurationError(f"What answers at {url} is not PocketBase.", hint="Correct [pocketbase] url.")
        connection = Connection(settings, data_dir)
        authenticator = connection.open()
    except OpenWebUIPocketBaseError as error:
        yield _failed("PocketBase", error)
        return
    with connection.admin(authenticator) as admin:
        yield from _signed_in(url, admin)


def _embedded(settings: PocketBaseSettings, data_dir: Path) -> Iterator[Check]:
    run_dir = RunDir(embedded_data_dir(settings, data_dir))
    if run_dir.superuser.exists():
        mode = stat.S_IMODE(run_dir.superuser.stat().st_mode)
        if mode & OTHERS:
            detail = f"{run_dir.superuser} is open to other users (mode {mode:04o})."
            yield Check("credentials", "problem", detail, f"Run: chmod 600 {run_dir.superuser}")
            return
        yield Check("credentials", "ok", f"{run_dir.superuser} (mode {mode:04o})")
    info = embedded_server(settings, data_dir).running()
    if info is not None:
        with AdminClient(info.url, timeout=settings.timeouts.read) as admin:
            admin.login(info.identity, info.password.get_secret_value())
            yield from _signed_in(f"{info.url} (embedded, process {info.pid})", admin)
    elif failure := run_dir.read_failure():
        yield Check("PocketBase", "problem", f"The embedded server did not start: {failure.message}", failure.hint)
    else:
        yield Check("PocketBase", "info", "The embedded server is not running; it starts with Open WebUI.")


def _signed_in(where: str, admin: AdminClient) -> Iterator[Check]:
    try:
        state = inspect(admin)
    except OpenWebUIPocketBaseError as error:
        yield _failed("PocketBase", error)
        return
    yield Check("PocketBase", "ok", f"A superuser is signed in at {where}.")
    problems = state.problems()
    for detail, remedy in problems:
        yield Check("schema and hooks", "problem", detail, remedy)
    if not problems:
        yield Check("schema and hooks", "ok", f"Version {state.schema}, as needed.")


def _failed(name: str, error: OpenWebUIPocketBaseError) -> Check:
    return Check(name, "problem", str(error.args[0]), error.hint)
