from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openwebui_pocketbase.catalog import CATALOG, Seam
from openwebui_pocketbase.host import manifest
from openwebui_pocketbase.host.contract import (
    ContractProblem,
    check_contract,
    installed_open_webui,
    supported_versions,
)
from openwebui_pocketbase.settings import GROUPS

GENERATOR = Path(__file__).parents[2] / "tools" / "generate_manifest.py"
INSTALLED = installed_open_webui()
assert INSTALLED is not None
PACKAGE_DIR, VERSION = INSTALLED
MANIFEST = json.loads((manifest.MANIFESTS / f"{VERSION}.json").read_text())

TAGS = "open_webui/models/tags.py"
USERS = "open_webui/models/users.py"
TIMERS = "open_webui/utils/timers.py"
SEARCH = "open_webui/routers/search.py"

CHATS = "open_webui/models/chats.py"
MIGRATIONS = "open_webui/migrations/versions"
OF_TABLES = sorted({where.partition(":")[0] for where in (*MANIFEST["functions"], *MANIFEST["named"])})
"""The files which have to do with the tables of some group."""

each_group = pytest.mark.parametrize("group", GROUPS)


class Host:
    """A copy of the source files that matter, to be changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for path in OF_TABLES:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE_DIR.parent / path, directory / path)

    def write(self, path: str, text: str) -> None:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

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


def test_comments_docstrings_and_blank_lines_do_not_matter(host: Host) -> None:
    for path in OF_TABLES:
        file = host.directory / path
        file.write_text(file.read_text() + "\n\n# the end\n")
    host.replace(TAGS, "                record = Tag(", "\n                # '\"\n                record = Tag(")
    host.replace(TAGS, '"""Create a new tag, deriving', '"""Create a tag.\n\n        deriving')
    assert host.problems(*GROUPS) == []


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


@pytest.mark.parametrize(
    ("new", "units"),
    [
        ("def claim(", ["claim_due_timers", "claim"]),
        ("def claim_due_timers(now, ", ["claim_due_timers"]),
    ],
)
def test_a_changed_or_renamed_bypass_is_a_problem_of_its_group(host: Host, new: str, units: list[str]) -> None:
    host.replace(TIMERS, "def claim_due_timers(", new)
    assert [where for where, _ in host.problems("chats")] == [f"{TIMERS}:{unit}" for unit in units]
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
    monkeypatch.setattr(manifest, "MANIFESTS", tmp_path)
    for known in ("0.13.0", "0.12.10", "0.12.4"):
        (tmp_path / f"{known}.json").write_text(json.dumps({**MANIFEST, "version": known}))
    assert supported_versions() == ("0.12.4", "0.12.10", "0.13.0")
    (host.directory / TAGS).unlink()
    assert host.problems("tags", version=version) == [(TAGS, f"the file of Open WebUI {reference} is missing")]


# --- code elsewhere that names a table


NEW = "open_webui/utils/pruning.py"


def named(what: str) -> str:
    return f"it names {what}, which Open WebUI {VERSION} does not do there"


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("from open_webui.models.chats import Chat\ndef f(db): db.execute(delete(Chat))", "Chat"),
        ("from open_webui.models.chats import Chat as C\ndef f(db): db.execute(delete(C))", "Chat"),
        ("def f(db):\n    from open_webui.models.chats import Chat\n    return db.query(Chat)", "Chat"),
        ("import open_webui.models.chats\ndef f(db): return db.query(open_webui.models.chats.Chat.id)", "Chat"),
        ("import open_webui.models.chats as m\ndef f(db): return db.query(m.Chat)", "Chat"),
        ("from open_webui.models import chats\ndef f(db): return db.query(chats.Chat)", "Chat"),
        ("from ..models.chats import Chat\ndef f(db): return db.query(Chat)", "Chat"),
        ("from open_webui.models.chats import *\ndef f(db): return db.query(Chat)", "Chat"),
        ("from os import *\nfrom open_webui.models.chats import *\ndef f(db): return db.query(Chat)", "Chat"),
        ("from open_webui.utils.timers import Chat\ndef f(db): return db.query(Chat)", "Chat"),
        ("from open_webui.models.chats import chat_list_order as o\ndef f(q): q.order_by(*o())", "chat_list_order"),
        ("from open_webui.models.chats import Chats\nasync def f(): await Chats._chat_row('1')", "Chats._chat_row"),
        ("from open_webui.internal.db import Base\ndef f(): return Base.metadata.sorted_tables", "metadata"),
        ("def f(db): db.execute(text('DELETE FROM chat WHERE id = :id'))", "chat"),
        ("def f(db, where): db.execute(text(f'select count(*) from chat where {where}'))", "chat"),
        ("def f(db, columns): db.execute(text(f'SELECT {columns} FROM \"chat\"'))", "chat"),
        ("def f(db): db.execute(text('update chat set pinned = 1'))", "chat"),
        ("QUERY = '''\nselect n.id from note n\njoin public.chat c on c.id = n.chat_id\n'''\n", "chat"),
        ("def f(db): db.execute(sa.table('chat', sa.column('id')).delete())", "chat"),
        ("def f(db): db.execute(metadata.tables['chat'].delete())", "chat"),
        ("class Bookmark(Base):\n    chat_id = Column(Text, ForeignKey('chat.id'))", "chat"),
    ],
)  # fmt: skip
def test_new_code_that_names_a_table_is_a_problem_of_its_group(host: Host, code: str, what: str) -> None:
    host.write(NEW, code)
    unit = "Bookmark" if "Bookmark" in code else "<module>" if "QUERY" in code else "f"
    assert host.problems("chats") == [(f"{NEW}:{unit}", named(what))]
    others = set(GROUPS) - {"chats"} if what != "metadata" else ()
    assert host.problems(*others) == []


@pytest.mark.parametrize(
    "code",
    [
        "from open_webui.models.chats import Chat, ChatForm\ndef f(chat: Chat) -> Chat: return ChatForm(chat={})",
        "from open_webui.models.chats import Chats\nasync def f(db): return await Chats.get_chats(db=db)",
        "from open_webui.models.auths import ApiKey\ndef f(): return ApiKey(api_key='x')",
        "from other import Chat\ndef f(): return Chat()",
        "from open_webui.models.chats import Chat\ndef f(Chat): return Chat()",
        "class Chat: pass\ndef f(): return Chat()",
        "def f(): '''SELECT 1 FROM chat'''  # DELETE FROM chat",
        "def f(log, id): log.error(f'Failed to update user {id} from chat {id}: no file')",
        "PROMPT = 'Select a message from chat history, or update user settings; join group, insert into file.'.lower()",
        "NAMES = {'chat': 1, 'user': 2}\ndef f(x): return x['chat'] or x.get('message') or 'file'",
        "def f(db): db.execute(text('SELECT 1 FROM chat_export JOIN user_note ON 1'))",
    ],
)
def test_common_words_and_harmless_uses_are_none(host: Host, code: str) -> None:
    host.write(NEW, code)
    assert host.problems(*GROUPS) == []


def test_a_new_route_that_counts_chats_is_a_problem(host: Host) -> None:
    route = "async def count(db):\n    return await db.scalar(select(func.count()).select_from(Chat))\n"
    with (host.directory / SEARCH).open("a") as file:
        file.write(f"\n\n@router.get('/count')\n{route}")
    assert host.problems("chats") == [(f"{SEARCH}:count", named("Chat"))]


def test_a_known_function_that_names_a_table_of_another_group_only_now_is_a_problem_of_that(host: Host) -> None:
    host.replace(TIMERS, "def claim_due_timers(", "def claim_due_timers(folder=Folder, *, ")
    host.replace(TIMERS, "import asyncio\n", "import asyncio\nfrom open_webui.models.folders import Folder\n")
    assert host.problems("folders") == [(f"{TIMERS}:claim_due_timers", named("Folder"))]


def test_a_file_that_is_no_python_is_a_problem_if_it_may_name_a_table(host: Host) -> None:
    host.write("open_webui/utils/template.py", "def {{ name }}(): pass")
    host.write(NEW, "def {{ name }}(): 'DELETE FROM chat'")
    ((where, what),) = host.problems("chats")
    assert where == NEW
    assert what.startswith("it names tables, and cannot be read as Python: ")


def test_code_in_the_data_directory_is_none_of_the_host(host: Host) -> None:
    host.write("open_webui/data/uploads/1_dump.py", "x = 'DELETE FROM chat'")
    assert host.problems(*GROUPS) == []


@pytest.mark.parametrize(("group", "seam"), [(group.name, seam) for group in CATALOG.values() for seam in group.seams])
def test_a_changed_function_that_we_replace_is_a_problem(host: Host, group: str, seam: Seam) -> None:
    path, name = f"{seam.module.replace('.', '/')}.py", seam.function
    host.replace(path, f"def {name.rpartition('.')[2]}(", f"def {name.rpartition('.')[2]}(_new, ")
    assert [where for where, _ in host.problems(group)] == [f"{path}:{name}"]


# --- columns and migrations


def test_new_changed_and_missing_columns_are_problems_of_their_group(host: Host) -> None:
    host.replace(CHATS, "    title = Column(Text)", "    subtitle = Column(Text)\n    title = Column(String)")
    host.replace(CHATS, "    pinned = Column", "    # pinned = Column")
    boolean = MANIFEST["tables"]["chat"]["columns"]["pinned"]
    assert boolean.startswith("Column(Boolean")
    reference = f"Open WebUI {VERSION}"
    assert host.problems("chats") == [
        (f"{CHATS}:Chat.title", f"it is `Column(String)` in the table chat, but `Column(Text)` in {reference}"),
        (f"{CHATS}:Chat.pinned", f"it is missing in the table chat: {reference} has it"),
        (f"{CHATS}:Chat.subtitle", f"it is new in the table chat: {reference} does not have it"),
    ]
    assert host.problems(*set(GROUPS) - {"chats"}) == []


def test_a_missing_table_is_one_problem(host: Host) -> None:
    host.replace(TAGS, "__tablename__ = 'tag'", "__tablename__ = 'label'")
    assert host.problems("tags") == [(f"{TAGS}:Tag", f"the table tag of Open WebUI {VERSION} is missing")]


@pytest.mark.parametrize(
    "code",
    [
        "op.add_column('chat', sa.Column('color', sa.Text()))",
        "with op.batch_alter_table('chat') as batch: batch.drop_column('meta')",
        "op.execute('UPDATE chat SET pinned = 0')",
        "op.create_index('chat_color', table_name='chat', columns=['color'])",
        "for name in ['chat', 'note']: op.drop_table(name)",
        "op.create_table('star', sa.Column('chat_id', sa.Text(), sa.ForeignKey('chat.id')))",
    ],
)
def test_a_new_migration_of_a_table_is_a_problem(host: Host, code: str) -> None:
    migration = f"{MIGRATIONS}/0123456789ab_stars.py"
    host.write(migration, f"def upgrade():\n    {code}\n")
    what = f"the migration changes chat, and Open WebUI {VERSION} does not have it"
    assert host.problems("chats") == [(migration, what)]
    assert host.problems("folders") == []


def test_a_new_migration_of_other_tables_is_none(host: Host) -> None:
    code = "sa.Column('message', sa.Text()), sa.Column('role', sa.Text(), server_default='user')"
    more = "if row['chat'] == 'file': op.drop_table('user_star')"
    text = f"def upgrade():\n    op.create_table('star', {code})\n    {more}\n"
    host.write(f"{MIGRATIONS}/0123456789ab_stars.py", text)
    assert host.problems(*GROUPS) == []


def test_a_known_migration_may_change(host: Host) -> None:
    host.write(f"{MIGRATIONS}/{MANIFEST['migrations'][0]}", "def upgrade(): op.drop_table('chat')")
    assert host.problems(*GROUPS) == []


def test_an_unchanged_installation_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("openwebui_pocketbase.host.source.ast.parse")
    assert check_contract(GROUPS, package_dir=PACKAGE_DIR, version=VERSION) == []


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
