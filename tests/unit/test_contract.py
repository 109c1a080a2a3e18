from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openwebui_pocketbase.host import contract
from openwebui_pocketbase.host.contract import (
    ContractProblem,
    check_contract,
    installed_open_webui,
    supported_versions,
)
from openwebui_pocketbase.settings import GROUPS

GENERATOR = Path(__file__).parents[2] / "tools" / "generate_manifest.py"
PACKAGE_DIR, VERSION = installed_open_webui()
MANIFEST = json.loads((contract.MANIFESTS / f"{VERSION}.json").read_text())

TAGS = "open_webui/models/tags.py"
USERS = "open_webui/models/users.py"
TIMERS = "open_webui/utils/timers.py"
SEARCH = "open_webui/routers/search.py"

each_group = pytest.mark.parametrize("group", GROUPS)


class Host:
    """A copy of the source files that matter, to be changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for path in MANIFEST["files"]:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE_DIR.parent / path, directory / path)

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.directory / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    def problems(self, *groups: str, version: str = VERSION) -> list[tuple[str, str]]:
        found = check_contract(groups, package_dir=self.directory / "open_webui", version=version)
        return [(problem.where, problem.what) for problem in found]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_the_manifest_is_as_generated() -> None:
    subprocess.run([sys.executable, GENERATOR, "--check"], check=True)


def test_the_installed_open_webui_fulfils_the_contract() -> None:
    assert check_contract(GROUPS, package_dir=PACKAGE_DIR, version=VERSION) == []


@each_group
def test_an_untouched_copy_fulfils_the_contract(host: Host, group: str) -> None:
    assert host.problems(group) == []


@each_group
def test_comments_docstrings_and_blank_lines_do_not_matter(host: Host, group: str) -> None:
    for path in MANIFEST["files"]:
        file = host.directory / path
        file.write_text(file.read_text() + "\n\n# the end\n")
    host.replace(TAGS, "                record = Tag(", "\n                # '\"\n                record = Tag(")
    host.replace(TAGS, '"""Create a new tag, deriving', '"""Create a tag.\n\n        deriving')
    assert host.problems(group) == []


def test_a_changed_method_that_touches_sql_is_a_problem_of_its_group(host: Host) -> None:
    host.replace(TAGS, "select(Tag).filter_by(user_id=user_id)", "select(Tag)")
    assert host.problems("tags") == [
        (f"{TAGS}:TagTable.get_tags_by_user_id", f"the code differs from Open WebUI {VERSION}")
    ]
    assert host.problems(*set(GROUPS) - {"tags"}) == []


def test_a_changed_signature_is_told(host: Host) -> None:
    host.replace(TAGS, "(self, user_id: str, db", "(self, user_id: str, limit: int = 10, db")
    ((where, what),) = host.problems("tags")
    assert where == f"{TAGS}:TagTable.get_tags_by_user_id"
    head, arguments = "async def get_tags_by_user_id", "db: AsyncSession | None=None) -> list[TagModel]"
    assert what == (
        f"the signature is `{head}(self, user_id: str, limit: int=10, {arguments}`, "
        f"but `{head}(self, user_id: str, {arguments}` in Open WebUI {VERSION}"
    )


def test_a_changed_decorator_is_a_problem(host: Host) -> None:
    host.replace(USERS, "@throttle(DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL)", "@throttle(5)")
    assert [where for where, _ in host.problems("users")] == [f"{USERS}:UsersTable.update_last_active_by_id"]


def test_a_changed_method_that_does_not_touch_sql_is_none(host: Host) -> None:
    host.replace(USERS, "def is_active(user: UserModel) -> bool:", "def is_active(user, now=0) -> bool:")
    assert host.problems("users") == []


def test_a_method_that_touches_sql_only_now_is_a_problem(host: Host) -> None:
    signature = "def is_active(user: UserModel) -> bool:\n"
    host.replace(USERS, signature, f"{signature}        get_db()\n")
    # The statement comes before the docstring, which therefore is none any more.
    assert [where for where, _ in host.problems("users")] == [f"{USERS}:UsersTable.is_active"]


@pytest.mark.parametrize(
    "body",
    [
        "async with get_async_db_context(db) as session: pass",
        "return await db.get(Tag, name)",
        "return select(Tag).where(Tag.name == name)",
        "return (await session.execute(statement)).all()",
    ],
)
def test_a_new_method_that_touches_sql_is_a_problem(host: Host, body: str) -> None:
    new = f"    async def rename(self, name: str, db=None):\n        {body}\n\n"
    host.replace(TAGS, "class TagTable:\n", f"class TagTable:\n{new}")
    assert host.problems("tags") == [
        (f"{TAGS}:TagTable.rename", f"it touches SQL, and Open WebUI {VERSION} does not have it")
    ]
    assert host.problems("chats") == []


@pytest.mark.parametrize(
    "body", ["return name.strip()", "return await self.get_tags_by_user_id(name, db=db)  # select(Tag)"]
)
def test_a_new_method_that_does_not_touch_sql_is_none(host: Host, body: str) -> None:
    new = f"    async def rename(self, name: str, db: AsyncSession | None = None):\n        {body}\n\n"
    host.replace(TAGS, "class TagTable:\n", f"class TagTable:\n{new}")
    assert host.problems("tags") == []


def test_a_new_function_that_touches_sql_is_a_problem(host: Host) -> None:
    host.replace(TAGS, "class TagTable:\n", "def tags_of(user):\n    return select(Tag)\n\n\nclass TagTable:\n")
    assert [where for where, _ in host.problems("tags")] == [f"{TAGS}:tags_of"]


@pytest.mark.parametrize("name", ["get_user_by_id", "is_active"])
def test_a_removed_method_is_a_problem(host: Host, name: str) -> None:
    host.replace(USERS, f"def {name}(", f"def _{name}(")
    removed = (f"{USERS}:UsersTable.{name}", f"the function of Open WebUI {VERSION} is missing")
    assert removed in host.problems("users")


def test_a_removed_file_is_one_problem(host: Host) -> None:
    (host.directory / TAGS).unlink()
    assert host.problems("tags", "files") == [(TAGS, f"the file of Open WebUI {VERSION} is missing")]


@pytest.mark.parametrize("new", ["def _claim_due_timers(", "def claim_due_timers(now, "])
def test_a_changed_or_removed_bypass_is_a_problem_of_its_group(host: Host, new: str) -> None:
    host.replace(TIMERS, "def claim_due_timers(", new)
    assert [where for where, _ in host.problems("chats")] == [f"{TIMERS}:claim_due_timers"]
    assert host.problems(*set(GROUPS) - {"chats"}) == []


@each_group
def test_a_bypass_of_several_groups_is_a_problem_of_each(host: Host, group: str) -> None:
    host.replace(SEARCH, "union_all(", "union(")
    concerned = group in {"users", "chats", "messages", "folders", "access"}
    assert [where for where, _ in host.problems(group)] == [f"{SEARCH}:search_workspace"] * concerned


def test_other_code_of_a_module_with_a_bypass_does_not_matter(host: Host) -> None:
    with (host.directory / TIMERS).open("a") as file:
        file.write("\n\nasync def count_timers(db):\n    return await db.scalar(select(Timer))\n")
    assert host.problems(*GROUPS) == []


@pytest.mark.parametrize("version", ["0.12.5", "0.13.0-dev1", "1.0", "0.1.0", "0.0.0", "main"])
def test_a_version_without_manifest_is_fine_if_nothing_differs(host: Host, version: str) -> None:
    assert host.problems(*GROUPS, version=version) == []
    host.replace(TAGS, "select(Tag).filter_by(user_id=user_id)", "select(Tag)")
    assert [where for where, _ in host.problems("tags", version=version)] == [f"{TAGS}:TagTable.get_tags_by_user_id"]


@pytest.mark.parametrize(
    ("version", "reference"),
    [
        ("0.11.9", "0.12.4"),
        ("0.12.4", "0.12.4"),
        ("0.12.9", "0.12.4"),
        ("0.12.10", "0.12.10"),
        ("0.13.0-dev1", "0.13.0"),
        ("2", "0.13.0"),
    ],
)
def test_the_newest_manifest_not_above_the_version_is_taken(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, reference: str
) -> None:
    monkeypatch.setattr(contract, "MANIFESTS", tmp_path)
    for known in ("0.13.0", "0.12.10", "0.12.4"):
        (tmp_path / f"{known}.json").write_text(json.dumps({**MANIFEST, "version": known}))
    assert supported_versions() == ("0.12.4", "0.12.10", "0.13.0")
    (host.directory / TAGS).unlink()
    assert host.problems("tags", version=version) == [(TAGS, f"the file of Open WebUI {reference} is missing")]


def test_a_problem_reads_as_a_sentence() -> None:
    assert str(ContractProblem("a.py:f", "the code differs")) == "a.py:f: the code differs"


class TestInstalledOpenWebUI:
    @pytest.fixture
    def source_tree(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The official container: it runs from source in ``backend``, and no distribution is installed."""
        package_dir = tmp_path / "backend" / "open_webui"
        package_dir.mkdir(parents=True)
        (package_dir / "__init__.py").write_text("raise RuntimeError('imported')")
        (tmp_path / "package.json").write_text('{"name": "open-webui", "version": "0.12.7"}')
        monkeypatch.delitem(sys.modules, "open_webui", raising=False)
        monkeypatch.delenv("FROM_INIT_PY")
        monkeypatch.setattr(sys, "path", [])
        return package_dir

    def test_as_a_distribution(self) -> None:
        assert PACKAGE_DIR.name == "open_webui"
        assert (PACKAGE_DIR / "models").is_dir()
        assert VERSION in supported_versions()

    def test_as_source_on_the_path(self, source_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [str(source_tree.parent)])
        assert installed_open_webui() == (source_tree, "0.12.7")

    def test_as_source_in_the_working_directory(self, source_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(source_tree.parent)
        assert installed_open_webui() == (source_tree, "0.12.7")

    @pytest.mark.parametrize("text", [None, "{", "{}", '{"name": "something-else", "version": "7.0.0"}'])
    def test_without_a_version(self, source_tree: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
        file = source_tree.parents[1] / "package.json"
        file.unlink() if text is None else file.write_text(text)
        monkeypatch.chdir(source_tree.parent)
        assert installed_open_webui() == (source_tree, "0.0.0")

    @pytest.mark.usefixtures("source_tree")
    def test_nowhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "open_webui").mkdir()  # a directory of that name, such as one with data, is no package
        assert installed_open_webui() is None
