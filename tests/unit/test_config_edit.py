"""Changing the config file: groups move, all else stays as somebody has written it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from openwebui_pocketbase.config_file import replace_file, with_backends

WRITTEN = """\
# Ours, do not touch
storage_backend = "sqlalchemy"   # for now

[groups]
# people
users = "sqlalchemy" # later
tags = "pocketbase"

[pocketbase]
url = "https://pb.example.org"
"""


def test_only_the_named_groups_change() -> None:
    after = with_backends(WRITTEN, {"users": "pocketbase", "chats": "pocketbase"})
    values = tomllib.loads(after)
    assert values["groups"] == {"users": "pocketbase", "tags": "pocketbase", "chats": "pocketbase"}
    assert values["pocketbase"] == {"url": "https://pb.example.org"}
    assert "# Ours, do not touch\n" in after
    assert 'users = "pocketbase" # later' in after


@pytest.mark.parametrize("text", ["", "\ufeff", 'storage_backend = "sqlalchemy"\n', "[groups]\n", "groups = {}\n"])
def test_a_file_without_groups_gets_them(text: str) -> None:
    assert tomllib.loads(with_backends(text, {"tags": "pocketbase"}))["groups"] == {"tags": "pocketbase"}


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")
    path.chmod(0o640)
    replace_file(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


def test_a_new_file_is_private(tmp_path: Path) -> None:
    replace_file(tmp_path / "config.toml", "new")
    assert (tmp_path / "config.toml").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_mounted_by_itself_is_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("old")

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    replace_file(path, "new")
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]
