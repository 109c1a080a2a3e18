"""What ``doctor`` says about the installation: versions and the start-up file."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import site as python_site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from openwebui_pocketbase import __version__, _autostart
from openwebui_pocketbase.cli.check import Check
from openwebui_pocketbase.settings import DISABLE_VARIABLE

__all__ = ["check_installation", "check_open_webui"]

START_UP_FILE = "openwebui_pocketbase.pth" if sys.version_info < (3, 15) else "openwebui_pocketbase.start"
REINSTALL = "Run: pip install --force-reinstall --no-deps openwebui-pocketbase"


def check_installation() -> Iterator[Check]:
    """Look at this package, its Python, and what leads Open WebUI to it."""
    yield Check("openwebui-pocketbase", "ok", __version__)
    yield Check("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield Check("pocketbase client", "ok", importlib.metadata.version("pocketbase"))
    yield _start_up_file()


def check_open_webui(found: tuple[Path, str] | None) -> Check:
    """Say which Open WebUI there is.

    Args:
        found: The directory ``open_webui`` and its version.
    """
    if found is not None:
        package_dir, version = found
        return Check("Open WebUI", "ok", f"{version} at {package_dir}")
    return Check(
        "Open WebUI",
        "problem",
        "It is neither installed in this environment nor in the working directory.",
        "If it runs from its source tree, as in its container, run this in its directory backend (/app/backend there)."
        " If it is to be installed by pip, run: pip install 'openwebui-pocketbase[open-webui]'",
    )


def _start_up_file() -> Check:
    name = "start-up file"
    directories = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *python_site.getsitepackages()}
    if python_site.ENABLE_USER_SITE:
        directories.add(python_site.getusersitepackages())
    # Not is_file(): a home directory may be closed to this user, and Python reads nothing there either.
    files = [Path(directory, START_UP_FILE) for directory in directories]
    found = sorted({path.resolve() for path in files if os.access(path, os.R_OK)})
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
