from __future__ import annotations

import asyncio
import inspect
import io
import json
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest
from rich.console import Console

from bench import data, groups, report, runner
from bench.cli import main
from bench.figures import figures
from bench.floor import Recorder, replay
from bench.measure import measure
from bench.operations import Group, Operation
from bench.runner import Measured, Parameters, Run
from bench.startup import VARIANTS, startup_summary
from bench.stats import median, percentile, ratios, spread
from bench.targets import TARGETS, judge
from openwebui_pocketbase.catalog import repository as spec_of
from openwebui_pocketbase.host.binding import load
from openwebui_pocketbase.plugin import REPOSITORIES
from openwebui_pocketbase.repositories.sqlalchemy import stock_repository
from openwebui_pocketbase.schema.tables import TABLES

OPERATIONS = [(group, operation) for group in map(groups.load, groups.NAMES) for operation in group.operations]

every_group = pytest.mark.parametrize("name", groups.NAMES)
every_operation = pytest.mark.parametrize(
    ("group", "operation"), OPERATIONS, ids=[f"{group.name}.{operation.method}" for group, operation in OPERATIONS]
)

MACHINE = {"cores": 2, "processor": "any", "load_average": 0.5, "open_webui": "0", "python": "3", "loop": "uvloop"}
PARAMETERS = Parameters(groups=["tags"], backends=["sqlite", "pocketbase"], rounds=3)


def rounds(p50: list[float], rate_many: list[float], floor: list[float] | None = None) -> runner.Rounds:
    def cells(values: list[float], rates: list[float]) -> list[dict[str, float]]:
        return [{"p50": v, "p99": 2 * v, "rate": r, "failures": 0} for v, r in zip(values, rates, strict=True)]

    measured = {"one": cells(p50, [1000 / value for value in p50]), "many": cells(p50, rate_many)}
    return measured | ({"floor": cells(floor, rate_many)} if floor else {})


def read(pocketbase: runner.Rounds) -> Measured:
    sqlite = rounds([1.0, 2.0, 1.0], [100.0, 50.0, 100.0])
    return Measured("tags", "get_tags_by_user_id", "read", {"sqlite": sqlite, "pocketbase": pocketbase})


FAST = read(rounds([0.5, 1.0, 0.5], [300.0, 150.0, 300.0], [0.4, 0.8, 0.4]))
SLOW = read(rounds([0.9, 1.8, 0.9], [200.0, 100.0, 200.0], [0.4, 0.8, 0.4]))


class TestGroups:
    @every_group
    def test_its_repository_and_table_exist(self, name: str) -> None:
        group = groups.load(name)
        assert group.name == name
        assert group.repository in REPOSITORIES[name]
        assert TABLES[group.table].collection.startswith("owui_")

    @every_operation
    def test_an_operation_exists_on_both_repositories(self, group: Group, operation: Operation) -> None:
        stock = type(stock_repository(spec_of(group.repository).name))
        ours = load(REPOSITORIES[group.name][group.repository])
        arguments = operation.arguments(0)
        for repository in (stock, ours):
            method = getattr(repository, operation.method)
            assert inspect.iscoroutinefunction(inspect.unwrap(method))
            inspect.signature(method).bind(None, *arguments)
        assert getattr(ours, operation.method) is not getattr(stock, operation.method)

    @every_group
    def test_a_row_has_the_columns_of_the_table(self, name: str) -> None:
        group = groups.load(name)
        rows = list(group.rows())
        table = import_module("open_webui.internal.db").Base.metadata.tables[group.table]
        assert set(rows[0]) == set(table.columns.keys()) == {column.name for column in TABLES[group.table].columns}
        assert {row["user_id"] for row in rows} == set(data.USERS)

    @every_operation
    def test_what_an_operation_needs_belongs_to_scratch_users(self, group: Group, operation: Operation) -> None:
        assert all(row["user_id"].startswith(data.SCRATCH) for row in operation.needs(range(3)))

    @every_operation
    def test_calls_rotate_over_the_users(self, group: Group, operation: Operation) -> None:
        calls = [repr(operation.arguments(number)) for number in range(len(data.USERS))]
        assert len(set(calls)) == len(calls)

    def test_documents_have_a_realistic_size(self) -> None:
        assert 250 <= len(json.dumps(data.document("meta of Part 1"))) <= 400


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
        assert startup_summary(seconds) == ({"stock": 6.0, "pocketbase": 7.5}, 1.5)
        assert set(VARIANTS) == set(seconds)


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


class TestTargets:
    def test_each_figure_is_judged_by_the_kind_of_operation(self) -> None:
        found = figures(FAST, "pocketbase")
        assert [(v.target.figure, v.target.limit) for v in judge("read", found)] == [
            ("p50_ratio", 0.8),
            ("rate_ratio", 2.5),
            ("overhead", 1.6),
        ]
        assert [v.target.limit for v in judge("write", found)] == [1.2, 2.0, 1.6]
        assert all(verdict.met for verdict in judge("read", found))

    def test_a_limit_itself_is_met(self) -> None:
        for target in TARGETS:
            assert target.bound in ("at most", "at least")
        found = figures(read(rounds([0.8, 1.6, 0.8], [250.0, 125.0, 250.0], [0.5, 1.0, 0.5])), "pocketbase")
        assert all(verdict.met for verdict in judge("read", found))


class TestReport:
    def text(self, run: Run) -> str:
        console = Console(file=io.StringIO(), width=160)
        report.print_report(run, PARAMETERS, MACHINE, console)
        return console.file.getvalue()  # type: ignore[attr-defined]

    def test_missed_targets_are_marked_and_counted(self) -> None:
        text = self.text(Run({"sqlite": "SQLite 3"}, {"postgresql": "not there"}, [FAST, SLOW]))
        assert text.count("✗") == 3
        assert text.count("✓") == 3
        assert "Targets: 3 of 6 met." in text
        assert "missed: tags.get_tags_by_user_id: rate_ratio 2.00, at least 2.5 is wanted" in text
        assert "postgresql was skipped: not there." in text

    def test_failed_calls_are_shown(self) -> None:
        failing = read(rounds([0.5] * 3, [300.0] * 3, [0.4] * 3))
        failing.backends["pocketbase"]["many"][1]["failures"] = 7
        assert "(7 failed)" in self.text(Run({}, {}, [failing]))

    def test_without_the_reference_only_the_overhead_is_judged(self) -> None:
        alone = Measured("tags", "x", "read", {"pocketbase": FAST.backends["pocketbase"]})
        assert "Targets: 1 of 1 met." in self.text(Run({}, {}, [alone]))

    def test_json(self, tmp_path: Path) -> None:
        run = Run({"sqlite": "SQLite 3"}, {}, [SLOW])
        path = report.write_json(report.as_json(run, PARAMETERS, MACHINE), tmp_path / "results")
        document = json.loads(path.read_text())
        assert document["machine"]["databases"] == {"sqlite": "SQLite 3"}
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
