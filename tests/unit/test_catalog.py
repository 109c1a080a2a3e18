from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from openwebui_pocketbase import interfaces
from openwebui_pocketbase.catalog import REPOSITORIES, RepositorySpec, repositories_of, repository
from openwebui_pocketbase.settings import GROUPS

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


def test_repositories_are_in_the_order_of_the_groups() -> None:
    assert tuple(dict.fromkeys(spec.group for spec in REPOSITORIES)) == GROUPS


def test_repositories_are_found_by_name_and_by_group() -> None:
    assert repository("Tags").stock_class == "TagTable"
    assert [spec.name for spec in repositories_of("users")] == ["Users", "Auths", "OAuthSessions"]


@pytest.mark.parametrize("find", [repository, repositories_of])
def test_an_unknown_name_is_an_error(find) -> None:
    with pytest.raises(KeyError, match="nothing"):
        find("nothing")


@every_repository
def test_repository_is_as_in_the_host(spec: RepositorySpec) -> None:
    module = import_module(spec.module)
    assert module.__file__.endswith(spec.source)
    assert type(getattr(module, spec.name)) is getattr(module, spec.stock_class)
    mapped = {
        value.__tablename__
        for value in vars(module).values()
        if hasattr(value, "__tablename__") and value.__module__ == spec.module
    }
    assert mapped == set(spec.tables)


@every_repository
def test_repository_has_an_interface(spec: RepositorySpec) -> None:
    assert spec.interface in interfaces.__all__


def test_the_host_is_not_imported() -> None:
    modules = ("catalog", "interfaces", "repositories.sqlalchemy", "host.contract")
    program = "\n".join(
        [
            *(f"import openwebui_pocketbase.{module}" for module in modules),
            "import sys",
            "from openwebui_pocketbase.host.contract import check_contract, installed_open_webui",
            "package_dir, version = installed_open_webui()",
            "check_contract(['chats'], package_dir=package_dir, version=version)",
            "sys.exit('open_webui' in sys.modules)",
        ]
    )
    subprocess.run([sys.executable, "-c", program], check=True)
