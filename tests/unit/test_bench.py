from __future__ import annotations

import asyncio
import inspect
import io
import itertools
import json
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from bench import chat_data, data, groups, machine, masses, report, runner
from bench.backends import BACKENDS, BackendMissingError, WorkerError
from bench.cli import main
from bench.figures import figures
from bench.floor import Recorder, replay
from bench.masses import Mass
from bench.measure import Cell, measure, median, percentile, ratios, spread
from bench.operations import HOT, Group, Item, Operation, one_of_each
from bench.pocketbase_stores import AT_ONCE
from bench.runner import Measured, Parameters, Run
from bench.tables import DOCS, HEADINGS, Result, Sheet, write_docs
from bench.targets import FURTHER, TARGETS, judge, verdicts
from bench.whole import compare, large, startup
from bench.whole.application import VARIANTS, Application
from bench.whole.compare import Compared
from bench.whole.fake_openai import ANSWER, FakeOpenAI
from bench.whole.large import Step
from openwebui_pocketbase.catalog import CATALOG, RepositorySpec, spec_of
from openwebui_pocketbase.host.binding import load
from openwebui_pocketbase.repositories.base import codec_of
from openwebui_pocketbase.schema.tables import TABLES
from tests.support.hooks import methods

OPERATIONS = [(group, operation) for group in map(groups.load, groups.NAMES) for operation in group.operations]

every_group = pytest.mark.parametrize("name", groups.NAMES)
every_operation = pytest.mark.parametrize(
    ("group", "operation"), OPERATIONS, ids=[operation.name for _, operation in OPERATIONS]
)

OF_ONE_THING = {
    "Chats.get_chat_title_id_list_by_user_id",
    "Chats.get_chat_by_id of 500",
    "Chats.get_chat_by_id of 5,000",
    "Chats.get_chats_by_user_id_and_search_text common words",
    "Chats.count_chats_by_tag_ids_and_user_id",
    "Chats.count_unread_by_folder_ids",
    "Chats.import_chats 200 chats",
}
"""Operations which all look at the same: chats are of one user, and only one of them is so long."""

MACHINE = {
    "cores": 2,
    "processor": "any",
    "load_average": 0.5,
    "open_webui": "0",
    "python": "3",
    "loop": "uvloop",
    "day": "2026-11-30",
}
PARAMETERS = Parameters(groups=["tags"], backends=["sqlite", "pocketbase"], rounds=3)


def rounds(p50: list[float], rate_many: list[float], floor: list[float] | None = None) -> runner.Rounds:
    def cells(values: list[float], rates: list[float]) -> list[dict[str, float]]:
        return [{"p50": v, "p99": 2 * v, "rate": r, "failures": 0} for v, r in zip(values, rates, strict=True)]

    measured = {"one": cells(p50, [1000 / value for value in p50]), "many": cells(p50, rate_many)}
    return measured | ({"floor": cells(floor, rate_many)} if floor else {})


def first_rows(group: Group) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in group.items():
        for table, rows in item.items():
            found.setdefault(table, rows[0])
    return found


def grants_on(resource: str) -> list[dict[str, Any]]:
    rows = [row for item in groups.load("access").items() for row in item["access_grant"]]
    return [row for row in rows if row["resource_id"] == resource]


def read(pocketbase: runner.Rounds) -> Measured:
    sqlite = rounds([1.0, 2.0, 1.0], [100.0, 50.0, 100.0])
    return Measured("tags", "Tags.get_tags_by_user_id", "read", {"sqlite": sqlite, "pocketbase": pocketbase})


def requests(stock: list[float], ours: list[float], failures: int = 0) -> Compared:
    cells = {
        name: [Cell(p50, 2 * p50, 1000 / p50, failures) for p50 in values]
        for name, values in zip(VARIANTS, (stock, ours), strict=True)
    }
    return Compared("GET /api/v1/chats/{id} (title)", 16, rounds=cells)


FAST = read(rounds([0.5, 1.0, 0.5], [300.0, 150.0, 300.0], [0.4, 0.8, 0.4]))
SLOW = read(rounds([0.9, 1.8, 0.9], [200.0, 100.0, 200.0], [0.4, 0.8, 0.4]))


class TestGroups:
    @every_group
    def test_its_tables_are_in_pocketbase(self, name: str) -> None:
        group = groups.load(name)
        assert group.name == name
        written = {table for tables in group.writes for table in tables} | set(first_rows(group))
        assert set(group.scratch) <= written
        requires = CATALOG[name].requires if name in CATALOG else set(CATALOG)  # "through" is of several groups
        assert {TABLES[table].group for table in written} <= {name, *requires, *group.after}

    @every_group
    def test_names_of_operations_are_unique(self, name: str) -> None:
        names = [operation.name for operation in groups.load(name).operations]
        assert len(set(names)) == len(names)

    @every_operation
    def test_an_operation_exists_on_both_repositories(self, group: Group, operation: Operation) -> None:
        if operation.function:
            assert operation.function in {(seam.module, seam.function) for seam in CATALOG[group.name].seams}
            return
        spec = spec_of(operation.repository)
        stock, ours = load(spec.stock), load(spec.ours if isinstance(spec, RepositorySpec) else spec.stock)
        for repository in (stock, ours):
            method = getattr(repository, operation.method)
            assert inspect.iscoroutinefunction(inspect.unwrap(method))
            inspect.signature(method).bind(None, *operation.arguments(0), **operation.keywords)
        inherited = {"get_groups_by_member_id", "get_messages_map_by_chat_id"}  # they call what is not
        is_ours = getattr(ours, operation.method) is not getattr(stock, operation.method)
        assert is_ours or operation.method in inherited or ours is stock

    @every_group
    def test_a_row_has_the_columns_of_the_table(self, name: str) -> None:
        tables = import_module("open_webui.internal.db").Base.metadata.tables
        for table, row in first_rows(groups.load(name)).items():
            columns = {column.name for column in TABLES[table].columns}
            assert set(row) == set(tables[table].columns.keys()) == columns

    @every_group
    def test_each_item_is_stored_by_a_method_of_the_hooks_or_by_sql(self, name: str) -> None:
        group = groups.load(name)
        kinds: dict[tuple[str, ...], Any] = {}
        for item in group.items():
            kinds.setdefault(tuple(item), item)
        assert set(kinds) >= set(group.writes)
        by_sql = {table for tables in kinds.keys() - group.writes.keys() for table in tables}
        assert not any(TABLES[table].hashed_id for table in by_sql)
        assert by_sql <= set(group.scratch)
        for tables, item in kinds.items():
            if tables not in group.writes:
                continue
            encoded = {table: [codec_of(table).encode(row) for row in rows] for table, rows in item.items()}
            path, parameters = group.writes[tables](item if group.is_raw else encoded)
            module, _, method = path.partition("/")
            assert method in methods()[module]["writes"]
            assert json.loads(json.dumps(parameters))

    @every_group
    def test_ids_are_unique_and_nothing_of_the_data_set_is_purged(self, name: str) -> None:
        group = groups.load(name)
        keys = set()
        total = 0
        for item in group.items():
            for table, rows in item.items():
                hashed = TABLES[table].hashed_id or ("id",)
                keys |= {(table, *(row[column] for column in hashed)) for row in rows}
                total += len(rows)
                if table in group.scratch:
                    assert not any(row[group.scratch[table]].startswith(data.SCRATCH) for row in rows)
        assert len(keys) == total > 0

    @every_operation
    def test_all_that_an_operation_needs_is_purged(self, group: Group, operation: Operation) -> None:
        for item in operation.needs(range(3)):
            for table, rows in item.items():
                assert all(row[group.scratch[table]].startswith(data.SCRATCH) for row in rows)

    @every_operation
    def test_its_limits_are_of_figures_that_are_judged(self, group: Group, operation: Operation) -> None:
        judged = {target.figure for target in TARGETS["pocketbase"] if operation.kind in target.kinds}
        assert set(operation.limits) <= judged | set(FURTHER)

    def test_what_a_data_set_refers_to_is_loaded_before(self) -> None:
        assert [group.name for group in groups.with_data_for(["access", "tags"])] == [
            "users",
            "groups",
            "access",
            "tags",
        ]

    def test_what_an_item_refers_to_is_further_ahead_than_those_sent_with_it(self) -> None:
        position: dict[str, int] = {}
        for number, item in enumerate(groups.load("groups").items()):
            for row in item.get("group", ()):
                position[row["id"]] = number
            wanted = {row["parent_group_id"] for row in item.get("group", ()) if row["parent_group_id"]}
            wanted |= {row["group_id"] for row in item.get("group_member", ())}
            assert all(number - position[group] >= AT_ONCE for group in wanted)

    def test_a_user_inherits_from_all_levels_of_a_tree(self) -> None:
        members = import_module("bench.groups.groups")
        access = import_module("bench.groups.access")
        parents: dict[str, str | None] = {}
        direct: dict[str, set[str]] = {}
        for item in groups.load("groups").items():
            parents |= {row["id"]: row["parent_group_id"] for row in item.get("group", ())}
            for row in item.get("group_member", ()):
                direct.setdefault(row["user_id"], set()).add(row["group_id"])
        assert len(parents) == 1000
        for number in (0, 1, 999, 9_899):
            user = members.PEOPLE[number]
            inherited = set()
            for group in direct[user]:
                above: str | None = group
                while above:
                    inherited.add(above)
                    above = parents[above]
            assert inherited == members.inherited_ids(number)
            assert (len(direct[user]), len(inherited)) == (members.DIRECT, members.INHERITED)
            grants = {row["principal_id"] for row in grants_on(access._user_and_model(number)[2])}
            assert user not in grants
            assert members.group_id(members.tree_of(number), 0, 0) in grants & (inherited - direct[user])

    @pytest.mark.parametrize("name", ["tags", "folders"])
    def test_every_user_has_tags_and_folders(self, name: str) -> None:
        owners = {row["user_id"] for item in groups.load(name).items() for rows in item.values() for row in rows}
        assert owners == set(data.USERS)

    @every_operation
    def test_calls_rotate_over_the_users(self, group: Group, operation: Operation) -> None:
        if operation.name in OF_ONE_THING:
            return
        calls = [repr(operation.arguments(number)) for number in range(len(data.USERS))]
        assert len(set(calls)) == len(calls)

    def test_documents_have_a_realistic_size(self) -> None:
        assert 250 <= len(json.dumps(data.document("meta of Part 1"))) <= 400


@pytest.fixture(scope="class")
def items() -> list[Item]:
    return list(groups.load("chats").items())


@pytest.fixture(scope="class")
def chats(items: list[Item]) -> list[dict[str, Any]]:
    return [row for item in items for row in item["chat"]]


class TestChats:
    """The searches of the benchmarks find what they say in any number of chats."""

    def contents(self, chat: dict[str, Any]) -> str:
        return " | ".join(message["content"] for message in chat["chat"]["history"]["messages"].values())

    def test_there_are_the_chats_of_the_issue(self, chats: list[dict[str, Any]]) -> None:
        sizes: dict[tuple[str, int], int] = {}
        for row in chats:
            size = (row["user_id"], len(row["chat"]["history"]["messages"]))
            sizes[size] = sizes.get(size, 0) + 1
        main = {size: number for (user, size), number in sizes.items() if user == data.USERS[0]}
        assert main == {20: data.TOTAL_CHATS, 500: 1, 5_000: 1}

    def test_a_text_has_120_words_of_a_vocabulary_of_2000(self) -> None:
        texts = [chat_data.text(number).split(" ") for number in range(chat_data.TEXTS)]
        assert {len(words) for words in texts} == {120}
        assert 1_900 <= len({word for words in texts for word in words}) <= 2_000

    def test_messages_are_a_chain_of_questions_and_answers(self, items: list[Item]) -> None:
        item = items[5]
        entries = list(item["chat"][0]["chat"]["history"]["messages"].values())
        rows = item["chat_message"]
        assert [entry["role"] for entry in entries] == ["user", "assistant"] * 10
        for parent, child in itertools.pairwise(entries):
            assert parent["childrenIds"] == [child["id"]]
            assert child["parentId"] == parent["id"]
        assert item["chat"][0]["current_message_id"] == entries[-1]["id"]
        assert [(row["id"], row["content"]) for row in rows] == [
            (f"{item['chat'][0]['id']}-{entry['id']}", entry["content"]) for entry in entries
        ]

    def test_rows_are_those_which_the_host_makes_of_the_messages(self, items: list[Item]) -> None:
        stock = import_module("open_webui.models.chat_messages").ChatMessageTable
        item = items[5]
        entries = item["chat"][0]["chat"]["history"]["messages"]
        for row in item["chat_message"]:
            message_id = row["id"].removeprefix(f"{row['chat_id']}-")
            made = stock._build_message(row["id"], row["chat_id"], row["user_id"], entries[message_id], data.LOADED_AT)
            assert {name: getattr(made, name) for name in row} == row

    def test_rare_words_are_together_in_one_chat_and_apart_in_another(self, chats: list[dict[str, Any]]) -> None:
        contents = {row["id"]: self.contents(row) for row in chats}
        for one, other in chat_data.RARE[::20]:
            with_one = {id_ for id_, content in contents.items() if one in content}
            with_both = {id_ for id_ in with_one if other in contents[id_]}
            assert len(with_one) == 3
            assert len(with_both) == 2
            assert sum(f"{one} {other}" in contents[id_] for id_ in with_both) == 1
            assert not any(row["archived"] for row in chats if row["id"] in with_both)

    def test_absent_words_are_in_no_chat_and_common_ones_in_many(self, chats: list[dict[str, Any]]) -> None:
        contents = [self.contents(row) for row in chats if row["user_id"] == data.USERS[0]]
        for one, other in chat_data.ABSENT[::20]:
            assert not any(one in content or other in content for content in contents)
        for one, other in chat_data.COMMON[::10]:
            assert sum(f"{one} {other}" in content for content in contents) > 60

    def test_each_chat_has_three_tags_of_its_user(self, chats: list[dict[str, Any]]) -> None:
        tags = {tag for item in groups.load("tags").items() for row in item["tag"] for tag in [row["id"]]}
        tagged = [row["meta"]["tags"] for row in chats if row["meta"].get("tags")]
        assert len(tagged) == data.TOTAL_CHATS
        assert all(len(set(found)) == 3 and set(found) <= tags for found in tagged)


class TestStatistics:
    @pytest.mark.parametrize(("percent", "value"), [(0, 1), (1, 1), (50, 50), (50.1, 51), (99, 99), (100, 100)])
    def test_percentile(self, percent: float, value: int) -> None:
        assert percentile(list(range(100, 0, -1)), percent) == value

    def test_percentile_of_nothing(self) -> None:
        with pytest.raises(ValueError, match="no values"):
            percentile([], 50)

    def test_ratios_are_of_the_same_round(self) -> None:
        assert ratios([1.0, 30.0, 3.0], [2.0, 10.0, 1.0]) == [0.5, 3.0, 3.0]

    def test_spread(self) -> None:
        assert spread([4.0]) == 0.0
        assert spread([1.0, 2.0, 3.0, 4.0]) == pytest.approx(2 / median([1, 2, 3, 4]))

    def test_figures(self) -> None:
        found = figures(FAST, "pocketbase")
        assert (found.p50, found.p99, found.rate_many) == (0.5, 1.0, 300.0)
        assert (found.p50_ratio, found.rate_ratio) == (0.5, 3.0)
        assert (found.floor, found.overhead) == (0.4, 1.25)
        assert found.noise == 0.0  # the second round was slow for both

    def test_figures_of_the_reference_have_no_ratios(self) -> None:
        found = figures(FAST, "sqlite")
        assert (found.p50_ratio, found.rate_ratio, found.floor, found.overhead) == (None, None, None, None)

    def test_startup(self) -> None:
        seconds = {"stock": [5.0, 9.0, 6.0], "pocketbase": [7.0, 7.5, 20.0]}
        found = startup.summary(seconds)
        assert (found.document["medians"], found.document["added"]) == ({"stock": 6.0, "pocketbase": 7.5}, 1.5)
        assert found.missed == []
        assert set(VARIANTS) == set(seconds)
        seconds["pocketbase"][1] = 7.6
        assert startup.summary(seconds).missed == ["PocketBase adds 1.60 s, at most 1.5 s is wanted"]

    @pytest.mark.parametrize(
        ("stock", "ours", "met"),
        [([4.0, 4.0, 4.0, 4.0], [5.0, 5.0, 4.0, 5.0], True), ([4.0, 4.0, 4.0, 4.0], [5.0, 5.0, 4.1, 5.0], False)],
    )
    def test_an_application_is_as_fast_if_it_was_in_a_quarter_of_the_rounds(
        self, stock: list[float], ours: list[float], met: bool
    ) -> None:
        compared = requests(stock, ours)
        assert compared.met is met
        assert compared.ratio == 1.25
        assert not requests(stock, stock, failures=1).met


class TestMeasuring:
    async def test_every_input_is_sent_once_and_failures_count(self) -> None:
        sent: list[int] = []

        async def send(number: int) -> int:
            sent.append(number)
            await asyncio.sleep(0)
            if number == 3:
                raise OSError
            return number

        cell = await measure(send, range(10), accepts=lambda number: number != 5, callers=4)
        assert sorted(sent) == list(range(10))
        assert cell.failures == 2
        assert 0 < cell.p50 <= cell.p99
        assert cell.rate > 0

    async def test_nothing_but_failures_is_an_error(self) -> None:
        async def send(number: int) -> None:
            raise OSError

        with pytest.raises(RuntimeError, match="All 2 calls failed"):
            await measure(send, range(2), accepts=bool, callers=1)

    async def test_the_floor_sends_what_was_recorded(self) -> None:
        async with Recorder.running() as recorder, aiohttp.ClientSession() as session:

            async def call(number: int) -> None:
                headers = {"Authorization": "token", "X-Number": str(number)}
                async with session.post(f"{recorder.url}/api/x?a=%20b", data=b"{}", headers=headers):
                    raise ValueError("null is not what the method expects")

            requests = await recorder.record(call, [(1,), (2,)])
            again = await replay(requests, recorder.url, callers=1)
            assert recorder._requests[-2:] == requests
        assert [request.headers["X-Number"] for request in requests] == ["1", "2"]
        assert {(request.method, request.path, request.body) for request in requests} == {
            ("POST", "/api/x?a=%20b", b"{}")
        }
        assert again.failures == 0


class TestFakeOpenAI:
    async def test_it_streams_its_answer_and_ends_with_the_benchmarks(self) -> None:
        with FakeOpenAI() as provider:
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{provider.url}/models") as response:
                    assert [model["id"] for model in (await response.json())["data"]] == [chat_data.MODEL]
                async with session.post(f"{provider.url}/chat/completions", json={"stream": True}) as response:
                    lines = [line async for line in response.content if line.strip()]
        chunks = [json.loads(line.removeprefix(b"data: ")) for line in lines[:-1]]
        assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == ANSWER
        assert len(chunks) == 31
        assert lines[-1].strip() == b"data: [DONE]"
        assert provider._process.returncode is not None


class TestTargets:
    def test_each_figure_is_judged_by_the_kind_of_operation(self) -> None:
        assert [(v.target.figure, v.target.limit) for v in judge(FAST, "pocketbase")] == [
            ("p50_ratio", 0.8),
            ("rate_ratio", 2.5),
            ("overhead", 1.6),
        ]
        assert [v.target.limit for v in judge(replace(FAST, kind="write"), "pocketbase")] == [1.2, 2.0, 1.6]
        assert all(verdict.met for verdict in judge(FAST, "pocketbase"))

    def test_an_operation_may_have_limits_of_its_own(self) -> None:
        hot = replace(FAST, limits={"p50_ratio": 0.4})
        assert [(v.target.limit, v.met) for v in judge(hot, "pocketbase")] == [(0.4, False), (2.5, True), (1.6, True)]

    def test_a_mirrored_write_has_only_its_own_target(self) -> None:
        slow = rounds([2.6, 5.2, 2.6], [50.0] * 3)
        mirrored = replace(FAST, kind="write", limits={**HOT}, backends={**FAST.backends, "mirrored": slow})
        assert [(v.target.limit, v.value, v.met) for v in judge(mirrored, "mirrored")] == [(2.5, 2.6, False)]
        assert judge(replace(mirrored, kind="read"), "mirrored") == []
        assert judge(mirrored, "sqlite") == []

    def test_what_is_wanted_of_some_operations_only(self) -> None:
        assert "p50" not in {verdict.target.figure for verdict in judge(FAST, "pocketbase")}
        own = replace(FAST, limits={"p50": 0.4, "p99_ratio": 0.5, "overhead": None})
        verdicts = {v.target.figure: (v.value, v.met) for v in judge(own, "pocketbase")}
        assert verdicts == {
            "p50_ratio": (0.5, True),
            "rate_ratio": (3.0, True),
            "p50": (0.5, False),
            "p99_ratio": (0.5, True),
        }

    def test_space_is_that_of_the_reference_at_most_so_often(self) -> None:
        run = Run({}, {}, [], space={"sqlite": 100_000_000, "pocketbase": 160_000_000}, space_limit=1.5)
        ((text, verdict),) = verdicts(run)
        assert (text, verdict.value, verdict.met) == ("pocketbase: 160 MB on disk over 100 MB", 1.6, False)
        assert [*verdicts(replace(run, space_limit=None))] == []
        assert [*verdicts(replace(run, space={"sqlite": 1}))] == []

    def test_a_limit_itself_is_met(self) -> None:
        for target in TARGETS["pocketbase"] + TARGETS["mirrored"]:
            assert target.bound in ("at most", "at least")
        exact = read(rounds([0.8, 1.6, 0.8], [250.0, 125.0, 250.0], [0.5, 1.0, 0.5]))
        assert all(verdict.met for verdict in judge(exact, "pocketbase"))


class TestBackends:
    def test_an_operation_is_measured_as_often_and_by_as_many_as_it_says(self) -> None:
        asked: list[tuple[int, int, bool]] = []

        class Worker:
            def ask(self, _do: str, *, calls: int, callers: int, floor: bool, **_: Any) -> dict[str, float]:
                asked.append((calls, callers, floor))
                return {"rate": 100.0, "p50": 10.0}

        worker: Any = Worker()
        for own in ({}, {"callers": 4, "fewest": 3, "limits": {"overhead": None}}, {"callers": 1, "fewest": 1}):
            operation = Measured("chats", "x", "read", {"pocketbase": {}}, **own)
            calls = runner._calibrate(worker, operation, replace(PARAMETERS, seconds=0.01))
            runner._measure(worker, "pocketbase", operation, calls, operation.callers or PARAMETERS.callers)
            assert {"one", "many"} <= set(operation.backends["pocketbase"])
        assert asked == [
            *((40, 1, False), (40, 32, False)),
            *((20, 1, False), (20, 1, True), (48, 32, False)),
            *((3, 1, False), (4, 4, False)),
            *((3, 1, False), (6, 4, False)),
            (1, 1, False),
            *((1, 1, False), (1, 1, True)),
        ]

    def test_the_mirror_is_skipped_for_groups_without_mirrored_tables(self, tmp_path: Path) -> None:
        with pytest.raises(BackendMissingError, match="mirrored"), BACKENDS["mirrored"](tmp_path, ["tags"], 32):
            pass
        with BACKENDS["mirrored"](tmp_path, ["tags", "access"], 32) as environment:
            assert environment == {"DATABASE_URL": f"sqlite:///{tmp_path}/webui.db"}

    def test_copies_are_forgotten_and_it_is_an_error_if_there_are_none(self, tmp_path: Path) -> None:
        copies = tmp_path / "pocketbase" / "openwebui-pocketbase" / "files"
        staged = copies / ".new-1"
        for directory in (copies / "0a" / "id.version", staged):
            directory.mkdir(parents=True)
            (directory / "file.bin").touch()
        ours = Application("pocketbase", tmp_path)
        ours.forget_copies()
        assert [path.name for path in copies.rglob("file.bin")] == ["file.bin"]
        assert staged.is_dir()
        with pytest.raises(WorkerError, match="no local copies"):
            ours.forget_copies()
        Application("stock", tmp_path).forget_copies()

    def test_a_run_says_what_it_skipped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bench.runner.RESULTS_DIR", tmp_path)
        said: list[str] = []
        run = runner.run(replace(PARAMETERS, backends=["mirrored"]), said.append)
        assert run.skipped == {"mirrored": "nothing of these groups is mirrored"}
        assert run.operations == []
        assert "mirrored is skipped: nothing of these groups is mirrored." in said
        assert list(tmp_path.iterdir()) == []

    def test_an_operation_is_measured_where_it_is_offered(self) -> None:
        read_ = {"group": "users", "name": "Users.has_users", "kind": "read", "limits": {}}
        write = {"group": "users", "name": "Users.update", "kind": "write", "limits": {"p50_ratio": 1.0}}
        merged = runner._merged({"sqlite": [read_, write], "mirrored": [write]})
        assert [(m.name, list(m.backends)) for m in merged] == [
            ("Users.has_users", ["sqlite"]),
            ("Users.update", ["sqlite", "mirrored"]),
        ]
        assert merged[1].limits == {"p50_ratio": 1.0}

    def test_rows_of_an_item_are_parameters_by_their_table(self) -> None:
        item = {"user": [{"id": "a"}], "auth": [{"id": "b"}]}
        assert one_of_each("auths/x")(item) == ("auths/x", {"user": {"id": "a"}, "auth": {"id": "b"}})


def printed(result: Result) -> str:
    """Return what of a result is printed."""
    console = Console(file=io.StringIO(), width=240)
    for sheet in result.shown:
        console.print(sheet.rich())
    for line in (*result.notes, *result.missed):
        console.print(line, markup=False, soft_wrap=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


class TestReport:
    def text(self, run: Run) -> str:
        return printed(report.result(run, PARAMETERS))

    def test_missed_targets_are_marked_and_counted(self) -> None:
        text = self.text(Run({"sqlite": "SQLite 3"}, {"postgresql": "not there"}, [FAST, SLOW]))
        assert text.count("✗") == 3
        assert text.count("✓") == 3
        assert "Targets: 3 of 6 met." in text
        assert "pocketbase: tags: Tags.get_tags_by_user_id: rate_ratio 2.00, at least 2.5 is wanted" in text
        assert "postgresql was skipped: not there." in text

    def test_space_is_a_target_too(self) -> None:
        run = Run({}, {}, [FAST], space={"sqlite": 100, "pocketbase": 160}, space_limit=1.5)
        found = report.result(run, PARAMETERS)
        assert "Targets: 3 of 4 met." in printed(found)
        assert found.missed == ["pocketbase: 0 MB on disk over 0 MB: space 1.60, at most 1.5 is wanted"]
        assert found.document["summary"] == {"met": 3, "missed": 1}

    def test_an_operation_with_callers_of_its_own_says_so(self) -> None:
        own = replace(FAST, callers=4, limits={"p50": 1.0, "p99_ratio": 0.2})
        text = self.text(Run({}, {}, [own]))
        assert "(4 callers)" in text
        assert "1.0 (0.50 ✗)" in text
        assert "0.50 ✓" in text

    def test_failed_calls_are_shown(self) -> None:
        failing = read(rounds([0.5] * 3, [300.0] * 3, [0.4] * 3))
        failing.backends["pocketbase"]["many"][1]["failures"] = 7
        text = self.text(Run({}, {}, [failing]))
        assert "(7 failed)" in text
        assert "Targets: 0 of 3 met." in text
        assert text.count("; 7 calls failed") == 3

    def test_without_the_reference_only_the_overhead_is_judged(self) -> None:
        alone = Measured("tags", "x", "read", {"pocketbase": FAST.backends["pocketbase"]})
        found = report.result(Run({}, {}, [alone]), PARAMETERS)
        assert "Targets: 1 of 1 met." in printed(found)
        assert found.documented == []

    def test_requests_to_the_application(self) -> None:
        faster, slower = requests([4.0] * 3, [2.0] * 3), requests([4.0] * 3, [5.0] * 3, failures=2)
        found = compare._result([faster, slower])
        name = "GET /api/v1/chats/{id} (title)"
        assert found.shown[0].rows[0] == [
            *(f"`{name}`", "16", "4.00", "2.00", "0.50", "8.00", "4.00", "250", "500", "2.00")
        ]
        missed = f"{name}, 16 clients: 1.25 of stock, at most 1.0 is wanted; 12 requests failed"
        assert found.missed == [missed]

    def test_calls_that_change_thousands_of_rows(self) -> None:
        case = "create 1,000 groups"
        done = [
            Mass(case, "sqlite", 2.0, 0.4, 0),
            Mass(case, "pocketbase", 1.0, 0.5, 0),
            Mass(case, "mirrored", 3, 9, 0),
        ]
        found = masses.result([done])
        assert found.shown[0].rows == [[case, "2.00", "1.00", "3.00", "0.40", "0.50", "9.00"]]
        assert len(found.missed) == 1
        assert masses.result([[done[0], replace(done[1], p99=0.4), done[2]]]).missed == []
        assert len(masses.result([[done[0], replace(done[1], p99=0.4, errors=1), done[2]]]).missed) == 1

    def test_chats_of_many_megabytes(self) -> None:
        done = [
            Step("stock", "open", 2.0, 0.1, 0.1, 1800.0, 0.0),
            Step("pocketbase", "open", 2.4, 0.3, 0.2, 1400.0, 257),
        ]
        found = large.result(done)
        assert found.shown[0].rows == [["open", "2.00", "2.40", "0.10", "0.30", "0.10", "0.20", "1,800", "1,400"]]
        assert (found.missed, found.notes) == ([], ["PocketBase had 257 MB at most."])
        changes: list[dict[str, Any]] = [{"seconds": 2.5}, {"write": 0.4}, {"health": 0.3}, {"pocketbase": 601.0}]
        for worse in changes:
            assert len(large.result([done[0], replace(done[1], **worse)]).missed) == 1

    def test_json(self) -> None:
        found = report.result(Run({"sqlite": "SQLite 3"}, {}, [SLOW]), PARAMETERS)
        document = json.loads(json.dumps(found.document))
        assert document["databases"] == {"sqlite": "SQLite 3"}
        assert document["summary"] == {"met": 0, "missed": 3}
        (operation,) = document["operations"]
        assert operation["figures"]["pocketbase"]["overhead"] == pytest.approx(2.25)
        assert [target["met"] for target in operation["targets"]] == [False] * 3

    @pytest.mark.parametrize(("options", "status"), [([], 0), (["--check"], 1)])
    def test_check_turns_a_miss_into_the_exit_status(
        self, options: list[str], status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bench.cli.run", lambda parameters, say: Run({}, {}, [SLOW]))
        monkeypatch.setattr("bench.cli.RESULTS_DIR", tmp_path / "results")
        assert main(options) == status
        (path,) = (tmp_path / "results").iterdir()
        assert len(json.loads(path.read_text())["missed"]) == 3


class TestDocumentation:
    def test_each_of_its_tables_is_one_that_is_written(self) -> None:
        text = DOCS.read_text()
        found = re.findall(r"<!-- bench: (.+) -->\n((?:.|\n)*?)<!-- end of bench -->", text)
        assert text.count("<!-- bench: ") == text.count("<!-- end of bench -->") == len(found)
        names = [name for name, _ in found]
        assert {name for name in names if " " not in name} == set(HEADINGS) - {"operations"}
        assert {name for name in names if " " in name} <= {f"operations {name}" for name in groups.NAMES}
        assert len(set(names)) == len(names)
        for name, table in found:
            heading = next(line for line in table.splitlines() if line.startswith("|"))
            assert heading == f"| {' | '.join(HEADINGS[name.partition(' ')[0]])} |"

    def test_tables_take_the_place_of_earlier_ones(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        begin = "<!-- bench: startup -->\n"
        page.write_text(f"Before\n\n{begin}\nOf yesterday.\n\n| a |\n\n<!-- end of bench -->\n\nAfter\n")
        sheets = [Sheet("startup", ("Start", "s"), [["one", "1.00"]]), Sheet("operations x", ("a",), [])]
        for _ in range(2):
            assert write_docs(sheets, "Of today.", page) == ["operations x"]
            table = "| Start | s |\n| --- | --: |\n| one | 1.00 |\n"
            assert page.read_text() == f"Before\n\n{begin}\nOf today.\n\n{table}\n<!-- end of bench -->\n\nAfter\n"

    def test_operations_are_written_by_group(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        page = tmp_path / "page.md"
        page.write_text("<!-- bench: operations tags -->\n<!-- end of bench -->\n")
        monkeypatch.setattr("bench.cli.run", lambda parameters, say: Run({}, {}, [FAST]))
        monkeypatch.setattr("bench.cli.RESULTS_DIR", tmp_path / "results")
        monkeypatch.setattr("bench.cli.machine.facts", lambda: MACHINE)
        monkeypatch.setattr("bench.tables.DOCS", page)
        assert main(["--docs"]) == 0
        assert "| `Tags.get_tags_by_user_id` | 1.00 | 0.50 | 0.50 | 100 | 300 | 3.00 | 1.25 |" in page.read_text()
        assert machine.caption(MACHINE) in page.read_text()
