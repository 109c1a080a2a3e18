"""The distributions, and building them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.venvs import succeed

__all__ = ["Distributions", "build"]


@dataclass(frozen=True)
class Distributions:
    """What `python -m build` makes: the wheel is built from the source distribution."""

    sdist: Path
    wheel: Path


def build(project: Path, output: Path, *options: str) -> Path:
    """Build a project with the tools at hand."""
    succeed([sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", output, project])
    return output
