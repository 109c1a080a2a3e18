"""Tables of other plugins: what is declared of them, what is refused, and where they are among the others."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.guard.moved import moved_tables
from openwebui_pocketbase.hookspecs import WrittenThrough
from openwebui_pocketbase.joining import join
from openwebui_pocketbase.lookup import _find
from openwebui_pocketbase.migrate.items import UNITS, all_units, units_of
from openwebui_pocketbase.plugin import PocketBasePlugin
from openwebui_pocketbase.schema.bootstrap import hook_digests
from openwebui_pocketbase.schema.declared import declared
from openwebui_pocketbase.schema.description import OURS, wanted_schema
from openwebui_pocketbase.schema.tables import TABLES, files_of_plugins
from openwebui_pocketbase.settings import GROUPS, Settings, load_settings
from tests.support.ratings import RATINGS, joined, rating_table


class OfSomebody(TypeDecorator[Any]):
    impl = Text
    cache_ok = True


def table(*columns: Any, name: str = "thing", schema: str | None = None) -> Table:
    """Return a table with an id and these columns."""
    return Table(name, MetaData(), Column("id", String(40), primary_key=True), *columns, schema=schema)


def named(table: Any, group: str = "things") -> WrittenThrough:
    return WrittenThrough(group, [table])


def test_a_table_is_declared_as_sqlalchemy_has_it() -> None:
    declaration = declared("ratings", rating_table())
    assert declaration.collection == "owui_x_rating"
    assert (declaration.mirrored, declaration.through, declaration.joined) == (True, True, True)
    assert declaration.concerns == ("user_id",)
    assert [(column.name, column.field, column.type, column.null) for column in declaration.columns] == [
        ("id", "id", "text", False),
        ("user_id", "user_id", "text", False),
        ("model_id", "model_id", "text", False),
        ("stars", "stars", "int", False),
        ("is_public", "is_public", "bool", False),
        ("comment", "comment", "text", True),
        ("meta", "meta", "json", True),
        ("created_at", "created_at", "int64", False),
    ]
    found = [(index.columns, index.unique) for index in declaration.indexes]
    assert found == [(("user_id", "model_id"), True), (("model_id",), False)]


def test_mapped_classes_are_taken_as_well() -> None:
    class Base(DeclarativeBase):
        pass

    class Thing(Base):
        __tablename__ = "thing"
        id: Mapped[str] = mapped_column(Text, primary_key=True)
        unique: Mapped[str | None] = mapped_column("code", Text, unique=True)

    with joined(named(Thing)):
        (_, code) = TABLES["thing"].columns
        assert (code.name, code.type, code.null) == ("code", "text", True)
        (index,) = TABLES["thing"].indexes
        assert (index.columns, index.unique, index.where) == (("code",), True, "`code` != ''")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Column("a", DateTime), r"the column a is of the type DateTime.*Boolean and JSON"),
        (Column("a", Float), "the column a is of the type Float"),
        (Column("a", Uuid), "the column a is of the type Uuid"),
        (Column("a", Enum("x", "y")), "the column a is of the type Enum"),
        (Column("a", JSONB), "the column a is of the type JSONB"),
        (Column("a", OfSomebody), "the column a is of the type OfSomebody"),
        (Column("a", Text, ForeignKey("user.id")), "the column a has a foreign key"),
        (Column("a", Integer, Computed("1")), "the database makes the values of the column a"),
        (Column("a", Integer, Identity()), "the database makes the values of the column a"),
        (Column("A", Text), "the column A has to be of a-z"),
        (Column("nulls", Text), "a column cannot be called nulls"),
        (Column("updated", Text), "a column cannot be called updated"),
        (Column("order", Text), "a column cannot be called order"),
        (Column("b", Text, primary_key=True), "its primary key has to be one column id, of text"),
        (Index("some", text("lower(id)"), unique=True), "the index some is unique for some rows only, or for an"),
    ],
    ids=lambda value: str(getattr(value, "type", value))[:20],
)
def test_what_cannot_be_kept_as_it_is_is_refused(wrong: Any, why: str) -> None:
    known = dict(TABLES), dict(CATALOG), list(GROUPS)
    with pytest.raises(ConfigurationError, match=f"table thing of the group things cannot be written through: {why}"):
        join([named(table(wrong))])
    assert known == (TABLES, CATALOG, GROUPS)


def test_a_partial_index_is_refused() -> None:
    partial = table(Column("a", Text))
    Index("some", partial.c.a, unique=True, sqlite_where=text("a > 1"))
    with pytest.raises(ConfigurationError, match="the index some is unique"):
        declared("things", partial)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (Table("thing", MetaData(), Column("id", Integer, primary_key=True)), "its primary key has to be"),
        (Table("thing", MetaData(), Column("key", Text, primary_key=True)), "its primary key has to be"),
        (Table("thing", MetaData(), Column("id", Text)), "its primary key has to be"),
        (table(name="Thing"), "its name has to be"),
        (table(name="owui_thing"), "its name has to be"),
        (table(name="x" * 41), "its name has to be"),
        (table(schema="theirs"), "it is in the schema theirs"),
    ],
)
def test_tables_are_refused_as_a_whole(table: Table, why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"cannot be written through: {why}"):
        declared("things", table)


def test_a_schema_is_that_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_SCHEMA", "chat")
    assert declared("things", table(schema="chat")).name == "thing"
    with pytest.raises(ConfigurationError, match="it is in the schema None"):
        declared("things", table())


@pytest.mark.parametrize(
    ("registered", "why"),
    [
        ([named(table(), "notes")], "the name notes is taken"),
        ([named(table(), "storage_backend")], "the name storage_backend is taken"),
        ([named(table()), named(table(name="other"))], "the name things is taken"),
        ([named(table(), "My things")], "its name has to be"),
        ([WrittenThrough("things", [])], "it has no tables"),
        ([named(table(name="chat"))], "there is another table chat"),
        ([named(table()), named(table(), "others")], "there is another table thing"),
    ],
)
def test_names_that_are_taken_are_refused(registered: list[WrittenThrough], why: str) -> None:
    known = dict(TABLES), dict(CATALOG), list(GROUPS)
    with pytest.raises(ConfigurationError, match=f"cannot be written through: {why}"):
        join(registered)
    assert known == (TABLES, CATALOG, GROUPS)


def test_a_name_that_sqlite_does_not_take_is_refused() -> None:
    """The hooks put names of fields into SQL as they are."""
    for word in sorted(SQLiteIdentifierPreparer.reserved_words):
        with sqlite3.connect(":memory:") as connection:
            try:
                connection.execute(f"CREATE TABLE t (id TEXT PRIMARY KEY, {word} TEXT)")
                connection.execute(f"INSERT INTO t (id, {word}) SELECT 1, 2 WHERE TRUE")
                connection.execute(f"UPDATE t SET {word} = (SELECT t.{word} FROM t) WHERE {word} = 2")
            except sqlite3.OperationalError:
                with pytest.raises(ConfigurationError, match=f"cannot be called {word}"):
                    declared("things", table(Column(word, Text)))


def test_what_is_joined_is_a_group_like_any_other(tmp_path: Any) -> None:
    unknown = {"OPENWEBUI_POCKETBASE_GROUPS_RATINGS": "pocketbase"}
    with pytest.raises(ConfigurationError, match="Unknown environment variable"):
        load_settings(tmp_path, unknown)
    with joined(RATINGS):
        assert load_settings(tmp_path, unknown).groups == {"ratings": "pocketbase"}
        for settings in (Settings(groups={"ratings": "pocketbase"}), Settings(storage_backend="pocketbase")):
            runtime, bindings = PocketBasePlugin.another(settings, tmp_path)
            assert "rating" in runtime.mirror.names
            assert {(each.group, each.backend) for each in bindings} >= {
                ("ratings", "pocketbase"),
                ("ratings", "sqlalchemy"),
            }
        assert moved_tables(["ratings"])["rating"].through
        assert [unit.name for unit in units_of(["ratings"])] == ["rating"]
        assert [*all_units()][-1] == "rating"
        assert all_units()["tag"] is UNITS["tag"]
        with pytest.raises(ValueError, match="There is no repository 'ratings'"):
            _find("ratings")
    assert "rating" not in {*TABLES, *all_units()}
    assert "ratings" not in {*CATALOG, *GROUPS}


def test_the_hooks_get_the_declaration_and_nothing_else_changes() -> None:
    before = hook_digests()
    with joined(RATINGS):
        (name,) = files_of_plugins()
        assert name == "owui/plugins/ratings.json"
        assert hook_digests().items() > before.items()
        assert hook_digests().keys() - before.keys() == {name}
        (declaration,) = json.loads(files_of_plugins()[name])["tables"].values()
        assert declaration["collection"] == "owui_x_rating"
        assert wanted_schema().digests.items() > OURS.digests.items()
    assert files_of_plugins() == {}
    assert wanted_schema() == OURS


def test_each_type_that_is_taken() -> None:
    kinds = {Text: "text", Boolean: "bool", JSON: "json", Integer: "int", BigInteger: "int64"}
    for kind, name in kinds.items():
        (_, column) = declared("things", table(Column("a", kind))).columns
        assert column.type == name
