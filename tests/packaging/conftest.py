"""The distributions, built once, and environments with and without them."""

from __future__ import annotations

import pytest

from tests.packaging.builds import Distributions, build
from tests.packaging.venvs import Venv
from tests.support.sources import ROOT


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
