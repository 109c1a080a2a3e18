"""Another distribution's backend, installed beside the wheel."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.packaging.builds import Distributions, build
from tests.packaging.venvs import Venv, host_environment

PROJECT = Path(__file__).parent / "memory_backend"
USE_TAGS = """
import asyncio
from openwebui_pocketbase import repository

Folders, Tags = repository("folders"), repository("tags")

async def use():
    await Tags.insert_new_tag("Machine Learning", "u1")
    await Tags.insert_new_tag("music", "u2")
    print(*(tag.id for tag in await Tags.get_tags_by_user_id("u1")))

asyncio.run(use())
print(type(Tags).__module__, type(Folders).__module__)
"""
SETTINGS = {"OPENWEBUI_POCKETBASE_GROUPS_TAGS": "memory"}


@pytest.fixture(scope="module")
def memory_venv(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """Open WebUI, the wheel, and the other distribution."""
    output = tmp_path_factory.mktemp("memory")
    venv = Venv(output / "venv", shared=True)
    venv.install(distributions.wheel)
    venv.install(next(build(PROJECT, output, "--wheel").glob("*.whl")))
    return venv


def test_backend_of_another_distribution_is_used(memory_venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "openwebui-pocketbase.toml").write_text('[groups]\ntags = "memory"\n')
    words = memory_venv.output(USE_TAGS, env=host_environment(tmp_path))
    assert words[-3:] == ["machine_learning", "memory_backend.tags", "open_webui.models.folders"]


def test_two_backends_at_once(memory_venv: Venv, tmp_path: Path) -> None:
    all_else = {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_GROUPS_CHATS": "sqlalchemy"}  # they go with tags
    words = memory_venv.output(USE_TAGS, env=host_environment(tmp_path) | SETTINGS | all_else)
    assert words[-3:] == ["machine_learning", "memory_backend.tags", "openwebui_pocketbase.repositories.folders"]


def test_backend_is_offered_for_its_group_only(memory_venv: Venv, tmp_path: Path) -> None:
    env = host_environment(tmp_path) | {"OPENWEBUI_POCKETBASE_GROUPS_FOLDERS": "memory"}
    result = memory_venv.run("import open_webui.env", env=env)
    assert result.returncode == 3
    assert "nothing installed stores folders there" in result.stderr
    assert "Possible values: sqlalchemy, pocketbase." in result.stderr


def test_backend_is_refused_where_it_is_not_installed(host_venv: Venv, tmp_path: Path) -> None:
    result = host_venv.run("import open_webui.env", env=host_environment(tmp_path) | SETTINGS)
    assert result.returncode == 3
    assert "nothing installed stores tags there" in result.stderr


def test_hook_calls_can_be_traced(memory_venv: Venv, tmp_path: Path) -> None:
    env = host_environment(tmp_path) | SETTINGS
    traced = memory_venv.run("import open_webui.env", env=env | {"OPENWEBUI_POCKETBASE_LOGGING_TRACE_HOOKS": "true"})
    lines = [line for line in traced.stderr.splitlines() if line.startswith("openwebui-pocketbase: ")]
    calls = [line for line in lines if "openwebui_register_repositories(settings, data_dir) -> " in line]
    assert len(calls) == 1
    assert set(calls[0].rpartition(" -> ")[2].split(", ")) == {"memory", "pocketbase"}
    assert "openwebui-pocketbase: openwebui_register_repositories = 2 result(s)" in lines
    assert any("openwebui_register_seams(backends)" in line for line in lines)
    silent = memory_venv.run("import open_webui.env", env=env)
    assert "openwebui_register_repositories" not in silent.stderr


RATINGS = Path(__file__).parent / "ratings_plugin"
USE_RATINGS = """
import asyncio
from openwebui_pocketbase import repository

repository("tags")  # extends Open WebUI

from open_webui.internal.db import get_async_db_context
from ratings_plugin import Rating
from sqlalchemy import select

async def use():
    async with get_async_db_context() as session:
        session.add(Rating(id="r1", user_id="u", model_id="m", stars=5, created_at=1))
        await session.commit()
        print((await session.scalars(select(Rating.stars))).all())

asyncio.run(use())
"""


def test_a_table_of_another_distribution_is_written_through(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Named by the plugin, made in the embedded PocketBase, written by the plugin's code; kept when the plugin goes."""
    output = tmp_path_factory.mktemp("ratings")
    venv = Venv(output / "venv", shared=True)
    venv.install(distributions.wheel)
    venv.install(next(build(RATINGS, output, "--wheel").glob("*.whl")))
    data_dir = output / "data"
    data_dir.mkdir()
    everything = host_environment(data_dir) | {"STORAGE_BACKEND": "pocketbase"}
    # Of the SQL database nothing else is needed then, and no migration of Open WebUI's.
    alone = host_environment(data_dir) | {"OPENWEBUI_POCKETBASE_GROUPS_RATINGS": "pocketbase"}

    def command(*arguments: str, env: dict[str, str] = everything) -> str:
        program = f"import sys; sys.argv = {['openwebui-pocketbase', *arguments]!r}\n"
        result = venv.run(f"{program}from openwebui_pocketbase.cli import app; app()", env=env)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    assert "Schema and hooks fit." in command("schema", "apply", "--create")
    assert venv.output(USE_RATINGS, env=alone)[-1] == "[5]"
    assert _stored(data_dir) == [("r1", 5)]
    assert "ratings: pocketbase (available: sqlalchemy, pocketbase)" in command("doctor")
    (copy,) = json.loads(command("mirror", "status", "--json", env=alone).splitlines()[-1])["tables"]
    assert (copy["table"], copy["equal"]) == ("rating", 1)
    command("assets", "export", str(output / "exported"))
    declared = json.loads((output / "exported" / "pb_hooks" / "owui" / "plugins" / "ratings.json").read_text())
    assert [*declared["tables"]] == ["rating"]

    venv.uninstall("ratings-plugin")
    assert "Schema and hooks fit." in command("schema", "apply")
    assert _stored(data_dir) == [("r1", 5)]
    command("assets", "export", str(output / "exported"))
    assert not (output / "exported" / "pb_hooks" / "owui" / "plugins" / "ratings.json").exists()


def _stored(data_dir: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(data_dir / "pocketbase" / "data.db")) as connection:
        return connection.execute("SELECT id, stars FROM owui_x_rating ORDER BY id").fetchall()
