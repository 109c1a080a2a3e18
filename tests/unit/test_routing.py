"""An application with an index of its routes gives each request the route that it would have without."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from starlette.routing import Match, NoMatchFound

from openwebui_pocketbase.host.routing import index_routes

PATHS = [
    "/health",
    "/api/v1/things/",
    "/api/v1/things/all",
    "/api/v1/things/{id}",
    "/api/v1/things/{id}/parts/{part}",
    "/api/v1/things/late",  # behind what takes it
    "/api/v1/things{suffix}",
    "/api/v1/{kind}/first",
    "/api/v1/others/first",
    "/api/v1/others/{rest:path}",
    "/api/{path:path}/end",
    "/api/v1/behind/end",
    "/{page}",
    "/about",
]
REQUESTED = [
    *(path.replace("{id}", "1").replace("{part}", "2") for path in PATHS),
    *("/api/v1/things", "/api/v1/things2", "/api/v1/things/all/", "/api/v1/things/1/parts/2/3", "/api/v1/things//"),
    *("/api/v1/others", "/api/v1/others/", "/api/v1/others/first", "/api/v1/others/a/b/end", "/api/v1/behind/end"),
    *(
        "/",
        "//",
        "/health/",
        "/health%0A",
        "/about%0A",
        "/api/v1/things/%2F",
        "/api/v1/things/all%0A",
        "/nothing/at/all",
    ),
    *("/mounted", "/mounted/x", "/mounted/x/y/z", "/api/v1/things/mounted", "/added/later/now"),
]


class Slow(APIRoute):
    """A route with a way of its own to match."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        found, child_scope = super().matches({**scope, "path": scope["path"].removesuffix("!")})
        return found, child_scope


def application() -> FastAPI:
    """Return an application that says which of its routes was taken."""

    async def answer(request: Request) -> dict[str, Any]:
        return {"route": request.scope["route"].path, "parameters": request.path_params}

    app = FastAPI()
    for path, methods in itertools.product(PATHS, (["GET"], ["POST", "PUT"])):
        app.add_api_route(path, answer, methods=methods, name=f"{path} {methods[0]}")
    router = APIRouter(route_class=Slow)
    router.add_api_route("/api/v1/odd/{id}", answer)
    app.include_router(router)
    mounted = FastAPI()
    mounted.add_api_route("/x", answer)
    app.mount("/mounted", mounted)
    app.mount("/api/v1/things/mounted", PlainTextResponse("never"))
    return app


async def said(app: FastAPI, method: str, path: str) -> tuple[Any, ...]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        reply = await client.request(method, path)
        return reply.status_code, reply.headers.get("location"), reply.headers.get("allow"), reply.text


@pytest.mark.parametrize("path", [*REQUESTED, "/api/v1/odd/1", "/api/v1/odd/1!", "/api/v1/odd/1/2"])
async def test_each_request_gets_the_same_route(path: str) -> None:
    plain, indexed = application(), application()
    index_routes(indexed)
    for method in ("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"):
        assert await said(indexed, method, path) == await said(plain, method, path), method


async def test_routes_can_be_added_replaced_and_removed_later() -> None:
    app = application()
    index_routes(app)
    routes = app.router.routes
    assert (await said(app, "GET", "/added/later/now"))[0] == 404
    app.add_api_route("/added/later/now", lambda: "now")
    assert (await said(app, "GET", "/added/later/now"))[3] == '"now"'
    made = APIRoute("/added/later/now", lambda: "then")
    routes[-1] = made
    assert (await said(app, "GET", "/added/later/now"))[3] == '"then"'
    routes.remove(made)
    assert (await said(app, "GET", "/added/later/now"))[0] == 404


def test_few_routes_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    for number in range(100):
        app.add_api_route(f"/api/v1/group{number}/{{id}}", lambda: None)
    tried: list[str] = []
    matches = APIRoute.matches

    def count(self: APIRoute, scope: Any) -> Any:
        tried.append(self.path)
        return matches(self, scope)

    monkeypatch.setattr(APIRoute, "matches", count)
    index_routes(app)
    scope = {"type": "http", "path": "/api/v1/group99/x", "method": "GET", "root_path": "", "headers": []}
    assert app.router.routes[0].matches(scope)[0] is Match.FULL
    assert tried == ["/api/v1/group99/{id}"]


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")  # of routes with two methods
def test_names_of_routes_stay() -> None:
    app = application()
    undo = index_routes(app)
    assert app.url_path_for("/about GET") == "/about"
    with pytest.raises(NoMatchFound):
        app.url_path_for("nothing")
    assert app.openapi()["paths"].keys() >= {"/about", "/health"}
    undo()
    assert [route.path for route in app.router.routes] == [route.path for route in application().router.routes]  # type: ignore[attr-defined]
