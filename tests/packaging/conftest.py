"""The distributions, built once, and environments with and without them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.venvs import Venv, succeed

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distributions:
    """What `python -m build` makes: the wheel is built from the source distribution."""

    sdist: Path
    wheel: Path


def build(project: Path, output: Path, *options: str) -> Path:
    """Build a project with the tools at hand."""
    succeed([sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", output, project])
    return output


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    output = build(ROOT, tmp_path_factory.mktemp("dist"))
    (sdist,) = output.glob("*.tar.gz")
    (wheel,) = output.glob("*.whl")
    return Distributions(sdist, wheel)


@pytest.fixture(scope="session")
def plain_venv(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """Python and nothing else."""
    return Venv(tmp_path_factory.mktemp("plain") / "venv")


@pytest.fixture(scope="session")
def wheel_venv(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """Python and the wheel, without its dependencies."""
    venv = Venv(tmp_path_factory.mktemp("wheel") / "venv")
    venv.install(distributions.wheel)
    return venv


@pytest.fixture(scope="session")
def host_venv(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """Open WebUI and the wheel."""
    venv = Venv(tmp_path_factory.mktemp("host") / "venv", shared=True)
    venv.install(distributions.wheel)
    return venv
