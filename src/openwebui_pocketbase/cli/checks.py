"""What ``doctor`` looks at; each check says what it found and, if that is wrong, what to do."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openwebui_pocketbase.cli.check import Check, failed
from openwebui_pocketbase.cli.copies import check_copies
from openwebui_pocketbase.cli.installed import check_installation, check_open_webui
from openwebui_pocketbase.cli.servers import OTHERS, check_binary_of, check_server
from openwebui_pocketbase.cli.site import Site, find_open_webui
from openwebui_pocketbase.config_file import is_open_to_all, read_config_file
from openwebui_pocketbase.connection import embedded_data_dir
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError
from openwebui_pocketbase.host.contract import check_contract, supported_versions
from openwebui_pocketbase.last_start import is_moving
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.migrate.status import states
from openwebui_pocketbase.plugin import BACKEND
from openwebui_pocketbase.settings import GROUPS, EmbeddedSettings, Settings

__all__ = ["run_checks"]

SAME_SETTINGS = (
    "Run it with Open WebUI's environment variables and config file, or set storage_backend in"
    " openwebui-pocketbase.toml in the data directory."
)


def run_checks(data_dir: Path | None, config: Path | None) -> Iterator[Check]:
    """Look at everything; start no server and write no file.

    Args:
        data_dir: Option ``--data-dir``.
        config: Option ``--config``.
    """
    yield from check_installation()
    try:
        site = Site.of(data_dir, config)
        yield _data_dir(site.data_dir)
        files = site.config_files()
        settings = site.settings()
    except OpenWebUIPocketBaseError as error:
        # Everything further down depends on the settings.
        yield check_open_webui(find_open_webui())
        yield failed("settings", error)
        yield check_binary_of(EmbeddedSettings(), needed=False)
        return
    open_webui = find_open_webui(site.last_start)
    yield check_open_webui(open_webui)
    yield _config_file(files)
    yield from _ignored_files(files)
    yield from _assumed(site)
    yield Check("settings", "ok", _describe(settings))
    replaced: Mapping[str, str] | None = None
    try:
        registry = Registry(create_plugin_manager(settings), settings, site.data_dir)
    except OpenWebUIPocketBaseError as error:
        yield failed("groups", error)
    except Exception as error:  # noqa: BLE001 - plugins are anybody's
        yield Check("groups", "problem", f"A plugin fails: {error!r}.", "Repair it or uninstall it.")
    else:
        replaced = registry.replaced
        yield _groups(registry)
        yield from _moving(site, registry.backends)
        yield from _elsewhere(site, settings, replaced)
    yield _contract(settings, replaced, open_webui)
    replaced = replaced or {}
    server = list(check_server(settings.pocketbase, site.data_dir, needed=BACKEND in replaced.values()))
    yield from server
    if any(check.name == "PocketBase" and check.status == "ok" for check in server):
        yield from check_copies(site, replaced, data_dir, config)


def _data_dir(directory: Path) -> Check:
    name = "data directory"
    if os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        return Check(name, "ok", str(directory))
    if os.access(directory, os.F_OK):
        remedy = "Run this as the user who runs Open WebUI."
        return Check(name, "problem", f"{directory} cannot be read and written by this user.", remedy)
    return Check(name, "info", f"{directory} does not exist yet, or this user cannot see it.")


def _config_file(files: Sequence[Path]) -> Check:
    name = "config file"
    if not files:
        return Check(name, "info", "There is none; `openwebui-pocketbase serve` or `init` writes one.")
    path = files[0]
    section = read_config_file(path).get("pocketbase", {})
    if stat.S_IMODE(path.stat().st_mode) & OTHERS and not section.keys().isdisjoint({"password", "token", "key"}):
        return Check(name, "problem", f"{path} has a secret and is open to other users.", f"Run: chmod 600 {path}")
    if is_open_to_all(path):
        return Check(name, "problem", f"{path} can be written by every user.", f"Run: chmod o-w {path}")
    return Check(name, "ok", str(path))


def _ignored_files(files: Sequence[Path]) -> Iterator[Check]:
    for path in files[1:]:
        detail = f"{path} is ignored, as there is {files[0]}."
        yield Check("config file", "info", detail)


def _assumed(site: Site) -> Iterator[Check]:
    if site.assumed and site.last_start:
        listed = "\n".join(f"{name}={value}" for name, value in site.assumed.items())
        detail = f"Taken from Open WebUI's last start ({_when(site.last_start.at)}), as it is not set here:\n{listed}"
        yield Check("environment", "info", detail)


def _moving(site: Site, backends: Mapping[str, str]) -> Iterator[Check]:
    """Say how far `migrate` is, if it was ever used."""
    if is_moving(site.data_dir):
        found = states(site.data_dir, backends)
        yield Check("migrate", "info", "\n".join(f"{each.group}: {each}" for each in found))


def _elsewhere(site: Site, settings: Settings, replaced: Mapping[str, str]) -> Iterator[Check]:
    """Look whether data of Open WebUI are where these settings do not look for them."""
    name = "last start"
    last = site.last_start
    if last is None or last.has_left:
        directory = embedded_data_dir(settings.pocketbase, site.data_dir)
        has_data = not settings.pocketbase.url and os.access(directory / "data.db", os.F_OK)
        if not has_data or BACKEND in replaced.values():
            return
        detail = f"There is a PocketBase in {directory}, but these settings leave all data in the SQL database"
        if is_moving(site.data_dir):
            yield Check(name, "info", f"{detail}. See `openwebui-pocketbase migrate status`.")
        elif last is None:
            yield Check(name, "problem", f"{detail}.", SAME_SETTINGS)
        else:
            yield Check(name, "info", f"{detail}, to which they went back ({_when(last.at)}).")
        return
    moved = {group: backend for group, backend in last.groups.items() if replaced.get(group) != backend}
    if moved:
        listed = ", ".join(f"{group} in {backend}" for group, backend in moved.items())
        detail = f"Open WebUI's last start ({_when(last.at)}) had {listed}; these settings do not."
        if BACKEND in replaced.values():
            on_purpose = "start Open WebUI with the new settings; its log counts what is not shown any more"
        else:
            on_purpose = "run `openwebui-pocketbase leave` with the former settings"
        yield Check(name, "problem", detail, f"{SAME_SETTINGS} If you changed them on purpose, {on_purpose}.")
    if last.without_at:
        detail = (
            f"Open WebUI has started without its settings since ({_when(last.without_at)}): nobody can use what is in"
        )
        yield Check(name, "problem", f"{detail} PocketBase.", "Start Open WebUI with the settings named here.")
    if last.failure:
        what, _, remedy = last.failure.partition("\n  What to do: ")
        yield Check(name, "problem", f"At {_when(last.at)} the start failed: {what}", remedy)
    if not (moved or last.without_at or last.failure):
        yield Check(name, "ok", f"At {_when(last.at)}, with the same groups in PocketBase.")


def _when(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


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
    lines = [
        f"{group}: {registry.backends[group]} (available: {', '.join(registry.available(group))})" for group in GROUPS
    ]
    return Check("groups", "ok" if registry.replaced else "info", "\n".join(lines))


def _contract(settings: Settings, groups: Mapping[str, str] | None, found: tuple[Path, str] | None) -> Check:
    name = "contract"
    if found is None:
        return Check(name, "info", "Not checked: Open WebUI is not installed.")
    if groups is None:
        return Check(name, "info", "Not checked: the groups are not valid.")
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
