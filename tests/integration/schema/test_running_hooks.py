"""The hooks that a server runs are compared with the package's; what its epoch is."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from openwebui_pocketbase.assets import HOOKS_DIR
from openwebui_pocketbase.exceptions import SchemaError
from openwebui_pocketbase.schema.bootstrap import bring_up, hook_digests, inspect
from tests.support.pocketbase import PocketBaseProcess, clone
from tests.support.schema import StartServer


@pytest.fixture
def start_with_hooks(
    prepared_pocketbase: Path, tmp_path: Path, start: StartServer
) -> Callable[[Callable[[Path], object]], PocketBaseProcess]:
    """Start a server whose hooks were changed."""

    def start_with_hooks(change: Callable[[Path], object]) -> PocketBaseProcess:
        hooks = tmp_path / "pb_hooks"
        shutil.copytree(HOOKS_DIR, hooks)
        change(hooks)
        return start(data_dir=clone(prepared_pocketbase, tmp_path), hooks_dir=hooks)

    return start_with_hooks


def remove_all(hooks: Path) -> None:
    shutil.rmtree(hooks / "owui")
    (hooks / "owui.pb.js").unlink()


HOOK_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "all missing": (
        remove_all,
        "none of this package's hooks",
    ),
    "one missing": (
        lambda hooks: (hooks / "owui" / "backup.js").unlink(),
        "hooks do not fit: owui/backup.js is missing.",
    ),
    "one altered": (
        lambda hooks: (hooks / "owui" / "tags.js").open("a").write("// altered\n"),
        "hooks do not fit: owui/tags.js is of another version.",
    ),
    "tables altered": (
        lambda hooks: (hooks / "owui" / "tables.json").open("a").write("\n"),
        "hooks do not fit: owui/tables.json is of another version.",
    ),
}


@pytest.mark.parametrize(("change", "message"), HOOK_FAULTS.values(), ids=HOOK_FAULTS)
def test_wrong_hooks_are_named(
    change: Callable[[Path], object],
    message: str,
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    with start_with_hooks(change).admin() as admin, pytest.raises(SchemaError) as raised:
        bring_up(admin)
    assert message in str(raised.value)
    assert "openwebui-pocketbase assets export" in raised.value.hint


def test_other_hooks_beside_ours_are_welcome(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    server = start_with_hooks(lambda hooks: (hooks / "other.pb.js").write_text("onBootstrap((e) => e.next())\n"))
    with server.admin() as admin:
        bring_up(admin)


def test_digests_are_those_of_the_files(pocketbase: PocketBaseProcess) -> None:
    with pocketbase.admin() as admin:
        theirs = admin.version()["hooks"]
    files = [path for path in HOOKS_DIR.rglob("*") if path.is_file()]
    expected = {str(path.relative_to(HOOKS_DIR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert theirs == expected == hook_digests()


def test_digests_are_those_of_the_code_that_runs(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    server = start_with_hooks(lambda hooks: None)
    with (server.hooks_dir / "owui" / "tags.js").open("a") as file:
        file.write("// newer\n")
    with server.admin() as admin:
        before = admin.version()
    assert before["hooks"] == hook_digests()
    server.stop()
    server.start()
    with server.admin() as admin:
        after = admin.version()
        assert inspect(admin).hooks_different == ("owui/tags.js",)
    assert after["run"] != before["run"]


def test_another_version_of_pocketbase_is_refused(
    start_with_hooks: Callable[[Callable[[Path], object]], PocketBaseProcess],
) -> None:
    """The version is changed on its way; another PocketBase is not at hand."""

    def change(hooks: Path) -> None:
        script = hooks / "owui" / "version.js"
        script.write_text(script.read_text().replace("$app.rootCmd?.version", '"0.41.0"'))

    with start_with_hooks(change).admin() as admin, pytest.raises(SchemaError) as raised:
        bring_up(admin)
    assert "The server is PocketBase 0.41.0; this package needs >=0.40.6,<0.41." in str(raised.value)


def test_epoch_exists_and_survives_a_restart(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin:
        epoch = admin.version()["epoch"]
    assert re.fullmatch("[0-9a-f]{32}", epoch)
    own_pocketbase.stop()
    own_pocketbase.start()
    with own_pocketbase.admin() as admin:
        bring_up(admin)
        assert admin.version()["epoch"] == epoch


def test_two_servers_have_two_epochs(start: StartServer) -> None:
    epochs = set()
    for server in (start(), start()):
        with server.admin() as admin:
            epochs.add(admin.version()["epoch"])
    assert len(epochs) == 2
