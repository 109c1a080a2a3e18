"""The parts that extend the host, on small stand-ins for it."""

from __future__ import annotations

import sys
import types
from contextlib import asynccontextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pluggy
import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import SecretStr

from openwebui_pocketbase import _autostart, interfaces
from openwebui_pocketbase._autostart import ModuleWatcher
from openwebui_pocketbase.backup.restore import stopped
from openwebui_pocketbase.backup.work import alone
from openwebui_pocketbase.catalog import REPOSITORIES, RepositorySpec
from openwebui_pocketbase.exceptions import (
    BackupError,
    CompatibilityError,
    ConfigurationError,
    OpenWebUIPocketBaseError,
)
from openwebui_pocketbase.hookspecs import PROJECT, RepositoryBinding, StorageSpecs, hookimpl
from openwebui_pocketbase.host.activation import activate
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.host.lifespan import wrap_lifespan
from openwebui_pocketbase.host.seams import replace_function
from openwebui_pocketbase.manager import Registry, create_plugin_manager
from openwebui_pocketbase.plugin import PocketBasePlugin
from openwebui_pocketbase.settings import GROUPS, LoggingSettings, PocketBaseSettings, Settings
from tests.support.backups import places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THIS = __name__

every_repository = pytest.mark.parametrize("spec", REPOSITORIES, ids=lambda spec: spec.name)


class Stock:
    """A repository of the host."""

    def where(self) -> str:
        return "SQL"

    def both(self) -> str:
        return f"in {self.where()}"


class Replacement(Stock):
    client: str

    def where(self) -> str:
        return self.client


class Stranger:
    pass


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this module importable by name for paths like ``module:Class``."""
    monkeypatch.setitem(sys.modules, THIS, sys.modules.get(THIS) or _namespace())


def _namespace() -> types.ModuleType:
    module = types.ModuleType(THIS)
    vars(module).update(globals())
    return module


@pytest.fixture
def module() -> types.ModuleType:
    """A module of the host with a singleton that others have imported."""
    module = types.ModuleType("host_module")
    module.Things = Stock()  # type: ignore[attr-defined]
    return module


class TestBind:
    def test_the_object_stays_and_its_class_changes(self, module: Any) -> None:
        imported = module.Things
        undo = bind(module, "Things", f"{THIS}:Replacement", {"client": "PocketBase"})
        assert module.Things is imported
        assert imported.both() == "in PocketBase"
        assert isinstance(imported, Stock)
        undo()
        assert type(imported) is Stock
        assert vars(imported) == {}
        undo()
        assert imported.both() == "in SQL"

    def test_own_attributes_of_the_singleton_stay(self, module: Any) -> None:
        module.Things.cache = {"a": 1}
        undo = bind(module, "Things", f"{THIS}:Replacement", {"client": "PocketBase"})
        undo()
        assert vars(module.Things) == {"cache": {"a": 1}}

    def test_a_class_that_does_not_extend_the_stock_one_is_refused(self, module: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"Stranger does not extend .*Stock"):
            bind(module, "Things", f"{THIS}:Stranger", {"client": "x"})
        assert type(module.Things) is Stock
        assert vars(module.Things) == {}

    @pytest.mark.parametrize(
        ("name", "path"), [("Missing", "Replacement"), ("Things", "Missing"), ("Things", "Missing.Deeper")]
    )
    def test_a_name_that_is_not_there_is_an_error(self, module: Any, name: str, path: str) -> None:
        with pytest.raises(AttributeError):
            bind(module, name, f"{THIS}:{path}", {})
        assert type(module.Things) is Stock


def shout(stock: Callable[..., str]) -> Callable[..., str]:
    return lambda text: f"{stock(text)}!"


def with_dependency(stock: Callable[..., Any]) -> Callable[..., Any]:
    """A replacement endpoint with other parameters than the stock one."""

    def name(given: str = "nobody") -> str:
        return given.upper()

    async def endpoint(item: str, name: str = Depends(name), page: int = 1) -> dict[str, Any]:
        return {"by": "replacement", "item": item, "name": name, "page": page}

    return endpoint


@pytest.fixture
def routed() -> types.ModuleType:
    """A module of the host with routes; the order decides which of them answers."""
    module = types.ModuleType("host_routes")
    router = APIRouter(prefix="/things", tags=["things"])

    @router.get("/special")
    async def special() -> dict[str, str]:
        return {"by": "special"}

    @router.get("/{item}", status_code=203, include_in_schema=False)
    async def one(item: str) -> dict[str, Any]:
        return {"by": "stock", "item": item}

    @router.get("/{other}")
    async def shadowed(other: str) -> dict[str, str]:
        return {"by": "shadowed"}

    vars(module).update(router=router, special=special, one=one, shadowed=shadowed)
    return module


async def get(module: Any, path: str) -> tuple[int, Any]:
    """Ask an application that includes the module's router now, as the host does after the import."""
    app = FastAPI()
    app.include_router(module.router, prefix="/api")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(f"/api{path}")
        return answer.status_code, answer.json()


class TestReplaceFunction:
    def test_callers_in_the_module_get_the_replacement(self) -> None:
        module: Any = types.ModuleType("host_functions")
        exec("def say(text): return text\ndef caller(): return say('x')", vars(module))
        undo = replace_function(module, "say", f"{THIS}:shout")
        assert module.caller() == "x!"
        undo()
        assert module.caller() == "x"
        undo()
        assert module.caller() == "x"

    def test_a_function_that_is_not_there_is_an_unknown_host(self) -> None:
        with pytest.raises(CompatibilityError, match="host_functions has no function say"):
            replace_function(types.ModuleType("host_functions"), "say", f"{THIS}:shout")

    async def test_a_route_is_registered_with_the_new_signature(self, routed: Any) -> None:
        replace_function(routed, "one", f"{THIS}:with_dependency")
        assert await get(routed, "/things/x?page=3&given=me") == (
            203,
            {"by": "replacement", "item": "x", "name": "ME", "page": 3},
        )
        assert (await get(routed, "/things/x?page=three"))[0] == 422

    async def test_the_order_of_routes_stays(self, routed: Any) -> None:
        before = [(route.path, route.name) for route in routed.router.routes]
        undo = replace_function(routed, "one", f"{THIS}:with_dependency")
        after = routed.router.routes
        assert [(route.path, route.name) for route in after] == before
        assert (await get(routed, "/things/special"))[1] == {"by": "special"}
        undo()
        assert [(route.path, route.name) for route in routed.router.routes] == before

    async def test_undo_gives_the_stock_route_back(self, routed: Any) -> None:
        routes, one = list(routed.router.routes), routed.one
        undo = replace_function(routed, "one", f"{THIS}:with_dependency")
        undo()
        undo()
        assert routed.router.routes == routes
        assert routed.one is one
        assert await get(routed, "/things/x") == (203, {"by": "stock", "item": "x"})

    def test_what_the_route_was_declared_with_stays(self, routed: Any) -> None:
        replace_function(routed, "one", f"{THIS}:with_dependency")
        route = routed.router.routes[1]
        assert (route.status_code, route.methods, route.include_in_schema) == (203, {"GET"}, False)
        assert route.endpoint is routed.one
        assert route.tags == ["things"]


class Backend:
    """Hooks of a backend that write down when they are called; each may fail."""

    def __init__(self, **failures: Exception) -> None:
        self.calls: list[str] = []
        self.failures = failures

    def hook(self, name: str) -> Callable[[], Any]:
        async def call() -> None:
            self.calls.append(name)
            if name in self.failures:
                raise self.failures[name]

        return call

    def wrap(self, app: FastAPI) -> Callable[[], None]:
        return wrap_lifespan(
            app, bootstrap=self.hook("bootstrap"), started=self.hook("started"), shutdown=self.hook("shutdown")
        )

    def app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> Any:
            await self.hook("app starts")()
            yield {"state": 1}
            await self.hook("app stops")()

        return FastAPI(lifespan=lifespan)


async def live(app: FastAPI) -> list[dict[str, Any]]:
    """Start and stop an application as a server does; return its messages."""
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    with suppress(OpenWebUIPocketBaseError, ValueError):  # the server drops what the message has told
        await app({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)
    return sent


COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]
FAILED = ["lifespan.startup.failed"]
UNREACHABLE = ConfigurationError("There is no server.", hint="Start one.")


class TestLifespan:
    @pytest.mark.parametrize(
        ("failures", "messages", "calls"),
        [
            ({}, COMPLETE, "bootstrap, app starts, started, app stops, shutdown"),
            ({"bootstrap": UNREACHABLE}, FAILED, "bootstrap, shutdown"),
            ({"bootstrap": ValueError("x")}, FAILED, "bootstrap, shutdown"),
            ({"app starts": ValueError("x")}, FAILED, "bootstrap, app starts, shutdown"),
            ({"started": UNREACHABLE}, FAILED, "bootstrap, app starts, started, shutdown"),
            (
                {"app stops": ValueError("x")},
                ["lifespan.startup.complete", "lifespan.shutdown.failed"],
                "bootstrap, app starts, started, app stops, shutdown",
            ),
        ],
        ids=str,
    )
    async def test_order(self, failures: dict[str, Exception], messages: list[str], calls: str) -> None:
        backend = Backend(**failures)
        app = backend.app()
        backend.wrap(app)
        assert [message["type"] for message in await live(app)] == messages
        assert backend.calls == calls.split(", ")

    async def test_our_message_takes_the_place_of_the_traceback(self) -> None:
        backend = Backend(bootstrap=UNREACHABLE)
        app = backend.app()
        backend.wrap(app)
        (message,) = await live(app)
        assert message["message"] == "openwebui-pocketbase: There is no server.\n  What to do: Start one."

    async def test_the_host_keeps_the_traceback_of_its_own_failure(self) -> None:
        backend = Backend(**{"app starts": ValueError("of the host")})
        app = backend.app()
        backend.wrap(app)
        (message,) = await live(app)
        assert "Traceback" in message["message"]
        assert "of the host" in message["message"]

    async def test_the_message_is_that_of_the_last_start(self) -> None:
        backend = Backend(bootstrap=UNREACHABLE)
        app = backend.app()
        backend.wrap(app)
        await live(app)
        backend.failures = {"bootstrap": ConfigurationError("Something else.")}
        assert (await live(app))[0]["message"] == "openwebui-pocketbase: Something else."
        backend.failures = {}
        assert [message["type"] for message in await live(app)] == COMPLETE

    async def test_undo(self) -> None:
        backend = Backend()
        app = backend.app()
        before = (app.router.lifespan_context, app.router.lifespan, dict(app.exception_handlers))
        undo = backend.wrap(app)
        assert app.router.lifespan_context is not before[0]
        undo()
        undo()
        assert (app.router.lifespan_context, app.router.lifespan, app.exception_handlers) == before
        await live(app)
        assert backend.calls == ["app starts", "app stops"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleWatcher]:
    """An importable package in the place of the host, and a watcher for it."""
    package = tmp_path / "some_host"
    (package / "namespace").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "env.py").write_text("VALUE = 1\n")
    (package / "broken.py").write_text("import some_host.env\n1 / 0\n")
    (package / "namespace" / "inner.py").write_text("VALUE = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_autostart, "HOST", "some_host.")
    watcher = ModuleWatcher()
    # The one of this environment's own start-up file would ask this one, and this one that.
    others = [finder for finder in sys.meta_path if not isinstance(finder, ModuleWatcher)]
    monkeypatch.setattr(sys, "meta_path", [watcher, *others])
    yield watcher
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_host"]:
        del sys.modules[name]


def imported(name: str) -> Any:
    __import__(name)
    return sys.modules[name]


class TestModuleWatcher:
    def test_a_half_restored_site_does_not_start(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even as stock, which is what it may be by half of its settings."""
        monkeypatch.chdir(tmp_path)
        journal = tmp_path / "openwebui-pocketbase" / "restore.json"
        journal.parent.mkdir()
        env = types.ModuleType("open_webui.env")
        env.DATA_DIR = tmp_path  # type: ignore[attr-defined]
        for state in ("done", "unpacking"):
            journal.write_text(f'{{"state": "{state}"}}')
            activate(ModuleWatcher(), env)
        journal.write_text('{"state": "switching"}')
        with pytest.raises(SystemExit) as ended:
            activate(ModuleWatcher(), env)
        assert ended.value.code == 3
        assert "backup restore --continue" in capsys.readouterr().err

    def test_a_site_does_not_start_during_a_restore_nor_the_other_way_round(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also while it only unpacks: who waits for PocketBase then has opened what is going to be replaced."""
        monkeypatch.chdir(tmp_path)
        places = places_of(tmp_path, external=True)
        env = types.ModuleType("open_webui.env")
        env.DATA_DIR = tmp_path  # type: ignore[attr-defined]
        with alone(places):
            with stopped(places), pytest.raises(SystemExit):
                activate(ModuleWatcher(), env)
            assert "is going on" in capsys.readouterr().err
            activate(ModuleWatcher(), env)  # making an archive is no reason
            with pytest.raises(BackupError, match="Open WebUI is running"), stopped(places):
                pass

    def test_calls_back_when_the_module_has_run(self, host: ModuleWatcher) -> None:
        seen: list[int] = []
        host.callbacks["some_host.env"] = lambda module: seen.append(module.VALUE)
        module = imported("some_host.env")
        imported("some_host.env")
        assert seen == [1]
        assert "exec_module" not in vars(module.__loader__)

    def test_a_package_without_loader_is_imported(self, host: ModuleWatcher) -> None:
        seen: list[str] = []
        host.callbacks["some_host.namespace.inner"] = lambda module: seen.append(module.__name__)
        host.callbacks["some_host.namespace"] = host.callbacks["some_host.namespace.inner"]
        assert imported("some_host.namespace.inner").VALUE == 2
        assert "some_host.namespace.inner" in seen

    def test_a_module_that_is_not_there_is_not_there(self, host: ModuleWatcher) -> None:
        with pytest.raises(ModuleNotFoundError, match=r"some_host\.missing"):
            imported("some_host.missing")
        assert host.find_spec("json") is None

    def test_a_failing_callback_undoes_the_import(self, host: ModuleWatcher) -> None:
        def refuse(_module: types.ModuleType) -> None:
            raise SystemExit(3)

        host.callbacks["some_host.env"] = refuse
        with pytest.raises(SystemExit):
            imported("some_host.env")
        assert "some_host.env" not in sys.modules
        host.callbacks.clear()
        assert imported("some_host.env").VALUE == 1

    def test_a_failing_module_is_not_reported(self, host: ModuleWatcher) -> None:
        seen: list[str] = []
        host.callbacks["some_host.broken"] = lambda module: seen.append(module.__name__)
        with pytest.raises(ZeroDivisionError):
            imported("some_host.broken")
        assert seen == []
        assert "some_host.broken" not in sys.modules

    def test_callbacks_may_be_added_by_a_callback(self, host: ModuleWatcher) -> None:
        seen: list[str] = []

        def add(_module: types.ModuleType) -> None:
            host.callbacks.clear()
            host.callbacks["some_host.namespace.inner"] = lambda module: seen.append(module.__name__)

        host.callbacks["some_host.env"] = add
        imported("some_host.env")
        imported("some_host.namespace.inner")
        assert seen == ["some_host.namespace.inner"]

    @pytest.mark.parametrize(("disable", "finders"), [("", 1), ("0", 1), ("1", 0)])
    def test_install_twice(self, monkeypatch: pytest.MonkeyPatch, disable: str, finders: int) -> None:
        others = [finder for finder in sys.meta_path if not isinstance(finder, ModuleWatcher)]
        monkeypatch.setattr(sys, "meta_path", others)
        monkeypatch.setenv("OPENWEBUI_POCKETBASE_DISABLE", disable)
        _autostart.install()
        _autostart.install()
        found = [finder for finder in sys.meta_path if isinstance(finder, ModuleWatcher)]
        assert len(found) == finders
        watched = ["open_webui.env", "uvicorn.supervisors.multiprocess"]
        assert all(list(finder.callbacks) == watched for finder in found)


class Parent:
    """uvicorn's parent of several workers, as far as it matters."""

    def __init__(self, app: str, *statuses: int | None) -> None:
        self.config = types.SimpleNamespace(app=app)
        self.processes = [types.SimpleNamespace(exitcode=status) for status in statuses]

    def run(self) -> None:
        """Return when all workers have ended."""


class TestWorkers:
    """The real thing is in tests/host/test_faults.py."""

    @pytest.mark.parametrize(
        ("app", "statuses", "backend", "status"),
        [
            ("open_webui.main:app", (0, 3), "pocketbase", 3),
            ("open_webui.main:app", (0, 3), "wrong", 3),
            ("open_webui.main:app", (0, -9), "pocketbase", 0),
            ("open_webui.main:app", (0, 3), "sqlalchemy", 0),
            ("open_webui.main:app", (0, 3), "", 0),
            ("another.main:app", (0, 3), "pocketbase", 0),
        ],
    )
    def test_status(
        self,
        app: str,
        statuses: tuple[int, ...],
        backend: str,
        status: int,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("STORAGE_BACKEND", backend)
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        monkeypatch.delitem(sys.modules, "open_webui.env", raising=False)
        watcher = ModuleWatcher()
        parent: type[Parent] = type("Multiprocess", (Parent,), {"run": Parent.run})
        _autostart._watch_workers(watcher, types.SimpleNamespace(Multiprocess=parent))  # type: ignore[arg-type]
        with pytest.raises(SystemExit) if status else nullcontext() as ended:
            parent(app, *statuses).run()
        assert status == (ended.value.code if ended else 0)
        watcher.undo()
        assert parent.run is Parent.run

    def test_another_uvicorn_is_left_alone(self) -> None:
        _autostart._watch_workers(ModuleWatcher(), types.ModuleType("multiprocess"))


class Plugin:
    """A plugin with one backend."""

    def __init__(self, *bindings: tuple[str, str]) -> None:
        self.bindings = [RepositoryBinding(group, backend, {}) for group, backend in bindings]

    @hookimpl
    def openwebui_register_repositories(self) -> list[RepositoryBinding]:
        return self.bindings


def registry(settings: Settings, *plugins: Plugin) -> Registry:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(StorageSpecs)
    for plugin in plugins:
        manager.register(plugin)
    return Registry(manager, settings, Path("data"))


STOCK = Plugin(*((group, "sqlalchemy") for group in GROUPS))
OURS = Plugin(*((group, "pocketbase") for group in GROUPS))
THEIRS = Plugin(("tags", "redis"), ("chats", "redis"))


class TestRegistry:
    @pytest.mark.parametrize(
        ("settings", "replaced"),
        [
            ({}, {}),
            ({"storage_backend": "pocketbase"}, dict.fromkeys(GROUPS, "pocketbase")),
            ({"groups": {"tags": "pocketbase"}}, {"tags": "pocketbase"}),
            (
                {"storage_backend": "pocketbase", "groups": {"folders": "sqlalchemy"}},
                dict.fromkeys([group for group in GROUPS if group != "folders"], "pocketbase"),
            ),
            ({"groups": {"tags": "redis", "chats": "redis"}}, {"tags": "redis", "chats": "redis"}),
        ],
        ids=str,
    )
    def test_chooses_a_backend_per_group(self, settings: dict[str, Any], replaced: dict[str, str]) -> None:
        found = registry(Settings(**settings), STOCK, OURS, THEIRS)
        assert found.replaced == replaced
        assert found.backends == {group: replaced.get(group, "sqlalchemy") for group in GROUPS}
        assert {(binding.group, binding.backend) for binding in found.bindings()} == set(found.backends.items())

    def test_tells_what_is_available(self) -> None:
        found = registry(Settings(), STOCK, OURS, THEIRS)
        assert set(found.available("tags")) == {"sqlalchemy", "pocketbase", "redis"}
        assert set(found.available("users")) == {"sqlalchemy", "pocketbase"}

    @pytest.mark.parametrize(
        ("settings", "plugins", "message"),
        [
            ({"groups": {"users": "redis"}}, [OURS, THEIRS], r"\[groups\] users = 'redis': nothing installed stores"),
            ({"storage_backend": "pocketbase"}, [THEIRS], r"storage_backend = 'pocketbase': nothing installed stores"),
            ({"groups": {"tags": "redis"}}, [OURS], r"'redis'[\s\S]*Possible values: sqlalchemy, pocketbase"),
            ({}, [OURS, Plugin(("tags", "pocketbase"))], "Two plugins register the backend 'pocketbase' for 'tags'"),
            (
                {"groups": {"groups": "pocketbase"}},
                [Plugin(("groups", "pocketbase"), ("access", "pocketbase"))],
                r"groups are in pocketbase, but access in sqlalchemy: deleting[\s\S]*the same backend",
            ),
            (
                {"groups": {"chats": "redis"}},
                [OURS, THEIRS],
                r'chats are in redis, but tags in sqlalchemy: a tag[\s\S]*Set tags = "redis"[\s\S]*chats = "sql',
            ),
            (
                {"groups": {"chats": "redis", "tags": "pocketbase"}},
                [OURS, THEIRS],
                "chats are in redis, but tags in pocketbase",
            ),
            (
                {"groups": {"models": "pocketbase"}},
                [Plugin(("models", "pocketbase"), ("access", "pocketbase"))],
                r'models are in pocketbase, but access in sqlalchemy: a model[\s\S]*Set access = "pocketbase"',
            ),
            (
                {"storage_backend": "pocketbase", "groups": {"users": "sqlalchemy"}},
                [OURS],
                r'config are in pocketbase, but users in sqlalchemy: a change[\s\S]*Set users = "pocketbase"',
            ),
            ({}, [Plugin(("planets", "pocketbase"))], r"'pocketbase' for 'planets', which is no group[\s\S]*users"),
            ({}, [Plugin(("tags", "sqlalchemy"))], "Two plugins register the backend 'sqlalchemy' for 'tags'"),
        ],
        ids=[
            "nothing for the group",
            "nothing by default",
            "unknown backend",
            "duplicate",
            "apart",
            "without what it needs",
            "what it needs elsewhere",
            "models without grants",
            "config without users",
            "unknown group",
            "the stock backend",
        ],
    )
    def test_refuses(self, settings: dict[str, Any], plugins: list[Plugin], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            registry(Settings(**settings), *plugins, STOCK)  # the last one is asked first

    def test_writes_of_grants_go_through_the_mirror(self, tmp_path: Path) -> None:
        """Also those of models and channels, which are created and deleted with their grants."""
        plugin = PocketBasePlugin()
        bindings = plugin.openwebui_register_repositories(Settings(storage_backend="pocketbase"), tmp_path)
        clients = {each.group: each.attributes["pocketbase"] for each in bindings if each.backend == "pocketbase"}
        assert plugin.runtime is not None
        assert clients["access"] is clients["models"] is clients["messages"] is plugin.runtime.mirror
        assert clients["tags"] is plugin.runtime.client

    def test_our_plugin_registers_both_backends(self, tmp_path: Path) -> None:
        found = Registry(create_plugin_manager(Settings()), Settings(storage_backend="pocketbase"), tmp_path)
        for group in GROUPS:
            assert found.available(group) == ["sqlalchemy", "pocketbase"]
        assert found.replaced == dict.fromkeys(GROUPS, "pocketbase")

    @every_repository
    def test_the_stock_backend_is_the_class_of_the_host(self, spec: RepositorySpec, tmp_path: Path) -> None:
        found = Registry(create_plugin_manager(Settings()), Settings(), tmp_path)
        (path,) = [binding.classes[spec.name] for binding in found.bindings() if spec.name in binding.classes]
        module = import_module(spec.module)
        singleton = getattr(module, spec.name)
        before = type(singleton), dict(vars(singleton))
        undo = bind(module, spec.name, path, {})
        assert getattr(module, spec.name) is singleton
        assert (type(singleton), vars(singleton)) == before
        assert (singleton if spec.is_class else before[0]) is getattr(module, spec.stock_class)
        assert isinstance(singleton, getattr(interfaces, spec.interface))
        undo()
        assert (type(singleton), vars(singleton)) == before

    @pytest.mark.parametrize("trace", [False, True])
    def test_traces_hook_calls_if_asked(self, capsys: pytest.CaptureFixture[str], tmp_path: Path, trace: bool) -> None:
        settings = Settings(
            logging=LoggingSettings(trace_hooks=trace),
            pocketbase=PocketBaseSettings(url="http://h", token=SecretStr("a-secret-token")),
        )
        manager = create_plugin_manager(settings)
        Registry(manager, settings, tmp_path)
        manager.hook.openwebui_register_seams(backends={"folders": "pocketbase"})
        said = capsys.readouterr().err
        wanted = (
            "openwebui-pocketbase: openwebui_register_repositories(settings, data_dir) -> pocketbase",
            "openwebui-pocketbase: openwebui_register_repositories = 1 result(s)",
            "openwebui-pocketbase: openwebui_register_seams(backends) -> pocketbase",
        )
        assert said.count("\n") == (4 if trace else 0)
        assert all((line in said) == trace for line in wanted)
        assert "a-secret-token" not in said

    def test_traces_a_hook_that_fails(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        class Failing:
            @hookimpl
            def openwebui_register_repositories(self) -> list[RepositoryBinding]:
                raise OpenWebUIPocketBaseError("broken")

        manager = create_plugin_manager(Settings(logging=LoggingSettings(trace_hooks=True)))
        manager.register(Failing(), name="failing")
        with pytest.raises(OpenWebUIPocketBaseError):
            Registry(manager, Settings(), tmp_path)
        assert "openwebui_register_repositories = OpenWebUIPocketBaseError('broken')" in capsys.readouterr().err
