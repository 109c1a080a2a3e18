"""What people do with the data that Open WebUI writes through: made and changed, looked at, removed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.fake_app import API_KEY, SCOPES, FakeApp
from tests.support.scenarios import MISSING, Step, Upload, grant, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

__all__ = ["JOURNEYS", "TOOL", "Journey", "can_schedule"]

API = "/api/v1"

TOOL = '''"""
title: $here
version: 1
"""
from pydantic import BaseModel


class Tools:
    class Valves(BaseModel):
        limit: int = 1

    class UserValves(BaseModel):
        size: int = 1

    def __init__(self):
        self.valves = self.Valves()

    def double(self, number: int) -> int:
        """
        Double a number.

        :param number: Which.
        """
        return number * 2
'''
FILTER = """from pydantic import BaseModel


class Filter:
    class Valves(BaseModel):
        priority: int = 0

    class UserValves(BaseModel):
        size: int = 1

    def inlet(self, body: dict) -> dict:
        return body
"""
ODD = {"z": 1.5, "a": {"": None, "big": 2**53 - 1}, "text": "ä \\ \" ' 🦜 \u2028", "list": [[], {}]}
"""What a JSON column has to keep."""


@dataclass(frozen=True)
class Journey:
    """Through one group of data.

    Attributes:
        group: The group.
        writes: Requests that make and change.
        looks: Requests that only read; each is answered alike until the next write.
        ends: Requests that remove.
    """

    group: str
    writes: list[Step]
    looks: list[Step]
    ends: list[Step]


def can_schedule(instance: OpenWebUI) -> bool:
    """Tell whether the process that evaluates schedules runs: who waits for its start may be told that it is slow."""
    data = {"prompt": "p", "model_id": "m", "rrule": "RRULE:FREQ=YEARLY"}
    made = instance.request("admin", "POST", f"{API}/automations/create", json={"name": "first", "data": data})
    return (
        made.is_success
        and instance.request("admin", "DELETE", f"{API}/automations/{made.json()['id']}/delete").is_success
    )


def _admin(status: int, request: str, body: Any = None, **more: Any) -> Step:
    method, _, path = request.partition(" ")
    return step("admin", status, f"{method} {API}{path}", body, **more)


def _ann(status: int, request: str, body: Any = None, **more: Any) -> Step:
    method, _, path = request.partition(" ")
    return step("ann", status, f"{method} {API}{path}", body, **more)


def _code(kind: str, content: str, commit: str = "", **more: Any) -> dict[str, Any]:
    """Return the form of a tool or a function."""
    meta = {"description": f"{kind} ö", "odd": ODD}
    form = {"id": "$word", "name": f"{kind} $here", "content": content, "meta": meta, **more}
    return {**form, "commit_message": commit} if commit else form


def _note(title: str, text: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "data": {"content": {"json": None, "html": f"<p>{text}</p>", "md": text}}, **more}


NOTES = Journey(
    "notes",
    [
        _ann(200, "POST /notes/create", _note("A $here", "Alpha", meta=ODD, access_grants=[]), save="a"),
        _ann(200, "POST /notes/create", _note("B $here", "Größe\u2028", access_grants=[]), save="b"),
        _ann(422, "POST /notes/create", {"data": {}}),
        _ann(200, "POST /notes/$a/update", _note("A2 $here", "Alpha\n* 2 🦜")),
        _ann(200, "POST /notes/$b/update", {"meta": {"tags": ["x"]}}),
        _ann(200, "POST /notes/$a/pin"),
        _ann(200, "POST /notes/$b/pin"),
        _ann(200, "POST /notes/$b/pin"),
        step("bob", 403, "POST /api/v1/notes/$a/pin"),
        _admin(200, "POST /notes/$a/access/update", {"access_grants": [grant("$bob", "read")]}, sort=True),
        step("bob", 200, "POST /api/v1/notes/$a/pin", sort=True),
        step("bob", 403, "POST /api/v1/notes/$a/update", {"title": "mine"}),
        _ann(404, f"POST /notes/{MISSING}/update", {"title": "x"}),
    ],
    [
        _ann(200, "GET /notes/", count=2),
        _ann(200, "GET /notes/pinned", count=1),
        step("bob", 200, "GET /api/v1/notes/pinned", count=1),
        _ann(200, "GET /notes/search?query=alpha"),
        _ann(200, "GET /notes/search?order_by=title&direction=asc"),
        _ann(200, "GET /notes/$a", sort=True),
        step("bob", 200, "GET /api/v1/notes/$a", sort=True),
        step("bob", 403, "GET /api/v1/notes/$b"),
    ],
    [
        step("bob", 403, "DELETE /api/v1/notes/$a/delete"),
        _ann(200, "DELETE /notes/$a/delete"),
        _ann(404, "GET /notes/$a"),
        _ann(200, "GET /notes/pinned", count=0),
        step("bob", 200, "GET /api/v1/notes/pinned", count=0),
        _ann(200, "DELETE /notes/$b/delete"),
        _ann(404, "DELETE /notes/$b/delete"),
    ],
)


def _prompt(content: str, **more: Any) -> dict[str, Any]:
    form = {"command": "$here", "name": "P $here", "content": content, "data": ODD, "meta": {"a": None}}
    return {**form, "tags": ["x", "$here"], "access_grants": [], **more}


PROMPTS = Journey(
    "prompts",
    [
        _admin(200, "POST /prompts/create", _prompt("One"), save="p version", take="id version_id"),
        _admin(400, "POST /prompts/create", _prompt("Taken")),
        _admin(200, "POST /prompts/id/$p/update", _prompt("Two ö", commit_message="second")),
        _admin(200, "POST /prompts/id/$p/update", _prompt("Draft", is_production=False)),
        _admin(200, "POST /prompts/id/$p/update/meta", {"name": "Q $here", "command": "$here", "tags": ["y"]}),
        _admin(200, "POST /prompts/id/$p/update/version", {"version_id": "$version"}),
        _admin(200, "POST /prompts/id/$p/toggle"),
        _admin(200, "POST /prompts/id/$p/toggle"),
        _admin(200, "POST /prompts/id/$p/access/update", {"access_grants": [grant("$ann", "read")]}),
        _ann(401, "POST /prompts/id/$p/update", _prompt("mine")),
    ],
    [
        _admin(200, "GET /prompts/", mine=True, count=1),
        _ann(200, "GET /prompts/", mine=True, count=1),
        _admin(200, "GET /prompts/list?query=$here"),
        _admin(200, "GET /prompts/id/$p"),
        _ann(200, "GET /prompts/id/$p"),
        _admin(200, "GET /prompts/id/$p/history", sort=True, count=3),
        _admin(200, "GET /prompts/id/$p/history/$version"),
    ],
    [
        _admin(400, "DELETE /prompts/id/$p/history/$version"),
        _admin(200, "DELETE /prompts/id/$p/delete"),
        _admin(404, "GET /prompts/id/$p"),
        _admin(200, "GET /prompts/", mine=True, count=0),
    ],
)

TOOLS = Journey(
    "tools",
    [
        _admin(200, "POST /tools/create", _code("Tool", TOOL, access_grants=[]), save="version", take="version_id"),
        _admin(400, "POST /tools/create", _code("Tool", TOOL)),
        _admin(400, "POST /tools/create", _code("Tool", "no Python", id="other_$word")),
        _admin(200, "POST /tools/id/$word/update", _code("Tool", f"{TOOL}\n# two\n", "second")),
        _admin(200, "POST /tools/id/$word/valves/update", {"limit": 7}),
        _ann(400, "POST /tools/id/$word/valves/update", {"limit": 8}),
        _admin(200, "POST /tools/id/$word/access/update", {"access_grants": [grant("$ann", "read")]}),
        _ann(200, "POST /tools/id/$word/valves/user/update", {"size": 3}),
        _admin(200, "POST /tools/id/$word/update/version", {"version_id": "$version"}),
        _admin(200, "POST /tools/id/$word/update", _code("Tool", f"{TOOL}\n# three\n", "third")),
    ],
    [
        _admin(200, "GET /tools/", mine=True, count=1),
        _ann(200, "GET /tools/", mine=True, count=1),
        _admin(200, "GET /tools/list", mine=True),
        _admin(200, "GET /tools/export", mine=True, count=1),
        _admin(200, "GET /tools/id/$word"),
        _admin(200, "GET /tools/id/$word/valves"),
        _admin(200, "GET /tools/id/$word/valves/spec"),
        _ann(200, "GET /tools/id/$word/valves/user"),
        _admin(200, "GET /tools/id/$word/history", sort=True),
        _admin(200, "GET /tools/id/$word/history/$version"),
    ],
    [
        _admin(200, "DELETE /tools/id/$word/history/$version"),
        _admin(200, "DELETE /tools/id/$word/delete"),
        _admin(404, "GET /tools/id/$word"),
        _admin(200, "GET /tools/", mine=True, count=0),
    ],
)

FUNCTIONS = Journey(
    "functions",
    [
        _admin(200, "POST /functions/create", _code("Filter", FILTER), save="version", take="version_id"),
        _admin(400, "POST /functions/create", _code("Filter", FILTER)),
        _admin(200, "POST /functions/id/$word/toggle"),
        _admin(200, "POST /functions/id/$word/toggle/global"),
        _admin(200, "POST /functions/id/$word/valves/update", {"priority": 5}),
        _ann(200, "POST /functions/id/$word/valves/user/update", {"size": 3}),
        _admin(200, "POST /functions/id/$word/update", _code("Filter", f"{FILTER}\n# two\n", "second")),
        _admin(200, "POST /functions/id/$word/update/version", {"version_id": "$version"}),
        _admin(200, "POST /functions/id/$word/toggle/global"),
        _admin(200, "POST /functions/id/$word/update", _code("Filter", f"{FILTER}\n# three\n", "third")),
    ],
    [
        _admin(200, "GET /functions/", mine=True, count=1),
        _admin(200, "GET /functions/list", mine=True, count=1),
        _admin(200, "GET /functions/export?include_valves=true", mine=True, count=1),
        _admin(200, "GET /functions/id/$word"),
        _admin(200, "GET /functions/id/$word/valves"),
        _ann(200, "GET /functions/id/$word/valves/user"),
        _admin(200, "GET /functions/id/$word/history", sort=True),
        _admin(200, "GET /functions/id/$word/history/$version"),
    ],
    [
        _admin(200, "DELETE /functions/id/$word/history/$version"),
        _admin(200, "DELETE /functions/id/$word/delete"),
        _admin(401, "GET /functions/id/$word"),
        _admin(200, "GET /functions/", mine=True, count=0),
    ],
)

SKILL = "---\nname: $here\ndescription: d\n---\nDo it.\n"


def _skill(**more: Any) -> dict[str, Any]:
    form = {"id": "$here", "name": "$here", "description": "d", "content": SKILL, "meta": {"tags": ["x"]}}
    return {**form, "access_grants": [grant("$ann", "read")], **more}


def _put(seen: str) -> dict[str, Any]:
    """Return the form that adds a file to the version that was seen."""
    operations = [{"op": "put", "path": "references/a.md", "content": "Größe 🦜"}]
    named = {"id": "$here", "name": "$here", "description": "d"}
    return {**named, "operations": operations, "expected_version_id": seen}


SKILLS = Journey(
    "skills",
    [
        _admin(200, "POST /skills/create", _skill(), save="version", take="version_id"),
        _admin(400, "POST /skills/create", _skill(name="other")),
        _admin(409, "POST /skills/create", _skill(id="other-$here")),
        _admin(200, "POST /skills/id/$here/update", _skill(content=f"{SKILL}Twice.\n", commit_message="second")),
        _admin(200, "GET /skills/id/$here", save="second", take="version_id"),
        _admin(409, "POST /skills/id/$here/update", _put("$version")),
        _admin(200, "POST /skills/id/$here/update", _put("$second"), save="third", take="version_id"),
        _admin(200, "POST /skills/id/$here/toggle"),
        _admin(200, "POST /skills/id/$here/toggle"),
        _admin(
            200, "POST /skills/id/$here/update/version", {"version_id": "$version", "expected_version_id": "$third"}
        ),
        _admin(200, "POST /skills/id/$here/access/update", {"access_grants": [grant("$ann", "read")]}),
        _admin(200, "POST /skills/id/$here/clone", {"id": "clone-$here", "name": "clone-$here"}),
        _ann(401, "POST /skills/id/$here/update", _skill()),
    ],
    [
        _admin(200, "GET /skills/", mine=True, sort=True, count=2),
        _ann(200, "GET /skills/", mine=True, sort=True, count=1),
        _admin(200, "GET /skills/list?query=$here", sort=True),
        _admin(200, "GET /skills/id/$here"),
        _ann(200, "GET /skills/id/$here"),
        _admin(200, "GET /skills/id/$here/files"),
        _admin(200, "GET /skills/id/$here/history", sort=True),
        _admin(200, "GET /skills/id/$here/history/$version"),
    ],
    [
        _ann(401, "DELETE /skills/id/$here/delete"),
        _admin(200, "DELETE /skills/id/$here/delete"),
        _admin(200, "DELETE /skills/id/clone-$here/delete"),
        _admin(404, "GET /skills/id/$here"),
        _admin(200, "GET /skills/", mine=True, count=0),
    ],
)


def _bypass(is_on: bool) -> Step:
    """Return a step that decides whether texts are embedded, for which there is no model."""
    body = {"BYPASS_EMBEDDING_AND_RETRIEVAL": is_on, "ENABLE_QUERIES_CACHE": False}
    return _admin(200, "POST /retrieval/config/update", body)


def _upload(name: str, text: str, save: str) -> Step:
    file = Upload(name, text.encode())
    return _admin(200, "POST /files/?process=true&process_in_background=false", file, save=save)


KNOWLEDGE = Journey(
    "knowledge",
    [
        _bypass(True),
        _admin(200, "POST /knowledge/create", {"name": "K $here", "description": "ö"}, save="k"),
        _admin(200, "POST /knowledge/create", {"name": "L $here", "description": ""}, save="other"),
        _upload("a $here.txt", "Alpha", "a"),
        _upload("b.txt", "Größe", "b"),
        _upload("c.txt", "Gamma", "c"),
        _admin(200, "POST /knowledge/$k/dirs/create", {"name": "d"}, save="d"),
        _admin(200, "POST /knowledge/$k/dirs/create", {"name": "d"}),  # at the root a name is not unique
        _admin(200, "POST /knowledge/$k/dirs/create", {"name": "e", "parent_id": "$d"}, save="e"),
        _admin(400, "POST /knowledge/$k/dirs/create", {"name": "e", "parent_id": "$d"}),
        _admin(200, "POST /knowledge/$k/file/add", {"file_id": "$a"}, sort=True),
        _admin(200, "POST /knowledge/$k/file/add", {"file_id": "$b", "directory_id": "$d"}, sort=True),
        _admin(200, "POST /knowledge/$k/file/add", {"file_id": "$c"}, sort=True),
        _admin(200, "POST /knowledge/$k/dirs/$e/update", {"name": "f", "parent_id": None}),
        _admin(200, "POST /knowledge/$k/file/move", {"file_id": "$a", "directory_id": "$e"}),
        _admin(200, "POST /knowledge/$k/update", {"name": "K2 $here", "description": "two"}, sort=True),
        _admin(200, "POST /knowledge/$k/access/update", {"access_grants": [grant("$ann", "read")]}, sort=True),
        _admin(200, "POST /knowledge/$k/file/remove?delete_file=false", {"file_id": "$c"}, sort=True),
    ],
    [
        _admin(200, "GET /knowledge/", mine=True, sort=True),
        _ann(200, "GET /knowledge/", mine=True, sort=True),
        _admin(200, "GET /knowledge/search?query=K2", mine=True, sort=True),
        _admin(200, "GET /knowledge/$k", sort=True),
        _ann(200, "GET /knowledge/$k", sort=True),
        _admin(200, "GET /knowledge/$k/files", sort=True),
        _admin(200, "GET /knowledge/$k/files?directory_id=$d", sort=True),
        _admin(200, "GET /knowledge/$k/files?include_content=true&query=alpha", sort=True),
    ],
    [
        _admin(200, "DELETE /knowledge/$k/dirs/$d/delete"),
        _admin(200, "GET /knowledge/$k/files", sort=True),
        _admin(200, "DELETE /files/$b"),
        _admin(200, "GET /knowledge/$k/files", sort=True),
        _admin(200, "POST /knowledge/$k/reset", sort=True),
        _admin(200, "GET /knowledge/$k/files", sort=True),
        _admin(200, "DELETE /knowledge/$k/delete"),
        _admin(200, "DELETE /knowledge/$other/delete"),
        _admin(404, "GET /knowledge/$k"),
        _admin(200, "DELETE /files/$c"),
        _bypass(False),
    ],
)

MEMORIES = Journey(
    "memories",
    [
        # There is no model to embed with: the row is stored, and the answer is an error.
        _ann(500, "POST /memories/add", {"content": "Likes tea"}),
        _ann(500, "POST /memories/add", {"content": "Größe 🦜", "type": "user", "path": "body/size"}),
        _ann(200, "GET /memories/", save="first second", take="0.id 1.id"),
        _ann(200, "POST /memories/$first/update", {"type": "user"}),
        _ann(404, f"POST /memories/{MISSING}/update", {"type": "user"}),
        _ann(
            500,
            "POST /memories/update",
            {
                "operations": [
                    {"action": "replace", "id": "$second", "content": "180 cm"},
                    {"action": "add", "content": "x"},
                ]
            },
        ),
        _ann(404, "POST /memories/update", {"operations": [{"action": "remove", "id": MISSING}]}),
    ],
    [
        _ann(200, "GET /memories/", sort=True, count=3),
        _ann(200, "POST /memories/search", {"query": "tea"}),
        _ann(200, "POST /memories/paths", {}, sort=True),
        _ann(200, "POST /memories/path", {"path": "body"}, sort=True),
    ],
    [
        _ann(200, "DELETE /memories/$first"),
        _ann(200, "GET /memories/", sort=True, count=2),
        _ann(200, "DELETE /memories/delete/user"),
        _ann(200, "GET /memories/", count=0),
    ],
)


def _rating(rating: int, **more: Any) -> dict[str, Any]:
    data = {"rating": rating, "model_id": "m", "sibling_model_ids": None, "comment": "ö", **ODD}
    meta = {"chat_id": "c", "message_id": "x", "tags": ["$here"]}
    return {"type": "rating", "data": data, "meta": meta, "snapshot": {"chat": {"title": "$here", "odd": ODD}}, **more}


FEEDBACKS = Journey(
    "feedbacks",
    [
        _ann(200, "POST /evaluations/feedback", _rating(1), save="f"),
        step("bob", 200, "POST /api/v1/evaluations/feedback", _rating(-1, snapshot=None), save="g"),
        _ann(200, "POST /evaluations/feedback/$f", _rating(-1)),
        _ann(404, "POST /evaluations/feedback/$g", _rating(-1)),
        _admin(200, "POST /evaluations/feedback/$g", {"type": "rating", "data": {"rating": 5}}),
    ],
    [
        _ann(200, "GET /evaluations/feedback/$f"),
        _admin(200, "GET /evaluations/feedback/$g"),
        _ann(200, "GET /evaluations/feedbacks/user"),
        _admin(200, "GET /evaluations/feedbacks/all/export", mine=True, sort=True),
        _admin(200, "GET /evaluations/feedbacks/models"),
    ],
    [
        _ann(404, "DELETE /evaluations/feedback/$g"),
        _ann(200, "DELETE /evaluations/feedback/$f"),
        _ann(404, "GET /evaluations/feedback/$f"),
        step("bob", 200, "DELETE /api/v1/evaluations/feedbacks"),
        _admin(404, "GET /evaluations/feedback/$g"),
    ],
)


def _automation(name: str, **more: Any) -> dict[str, Any]:
    data = {"prompt": "ö", "model_id": "nobody", "rrule": "DTSTART:20200101T000000Z\nRRULE:FREQ=YEARLY"}
    return {"name": f"{name} $here", "data": data, "meta": ODD, "is_active": True, **more}


AUTOMATIONS = Journey(
    "automations",
    [
        _admin(200, "POST /automations/create", _automation("a"), save="a"),
        _admin(200, "POST /automations/create", _automation("b", is_active=False), save="b"),
        _admin(400, "POST /automations/create", _automation("c", data={"prompt": "", "model_id": "m", "rrule": "x"})),
        _admin(200, "POST /automations/$a/update", _automation("a2")),
        _admin(200, "POST /automations/$a/toggle"),
        _admin(200, "POST /automations/$b/toggle"),
        _admin(404, f"POST /automations/{MISSING}/toggle"),
    ],
    [
        _admin(200, "GET /automations/list?query=$here", sort=True),
        _admin(200, "GET /automations/$a"),
        _admin(200, "GET /automations/$b/runs"),
    ],
    [
        _admin(200, "DELETE /automations/$a/delete"),
        _admin(404, "GET /automations/$a"),
        _admin(200, "DELETE /automations/$b/delete"),
        _admin(200, "GET /automations/list?query=$here"),
    ],
)


def _event(title: str, **more: Any) -> dict[str, Any]:
    start = (int(time.time()) + 86_400) * 10**9
    form = {"calendar_id": "$c", "title": f"{title} $here", "start_at": start, "end_at": start + 10**9 * 3600}
    return {**form, "data": ODD, "attendees": [{"user_id": "$bob", "status": "pending"}], **more}


CALENDAR = Journey(
    "calendar",
    [
        _ann(200, "GET /calendars/", sort=True),
        _ann(200, "POST /calendars/create", {"name": "C $here", "color": "#fff", "data": ODD}, save="c"),
        _ann(200, "POST /calendars/create", {"name": "D $here"}, save="d"),
        _ann(200, "POST /calendars/$c/update", {"name": "C2 $here", "meta": {"a": None}}),
        _ann(200, "POST /calendars/$d/default"),
        _ann(200, "POST /calendars/events/create", _event("one"), save="e"),
        _ann(200, "POST /calendars/events/create", _event("two", rrule="FREQ=DAILY;COUNT=3", all_day=True), save="f"),
        _ann(200, "POST /calendars/events/$e/update", {"title": "three $here", "location": "ö"}),
        _ann(200, "POST /calendars/events/$f/update", {"attendees": []}),
        step("bob", 200, "POST /api/v1/calendars/events/$e/rsvp", {"status": "accepted"}),
        step("bob", 404, "POST /api/v1/calendars/events/$f/rsvp", {"status": "accepted"}),
        _ann(200, "POST /calendars/$c/access/update", {"access_grants": [grant("$bob", "read")]}, sort=True),
        step("bob", 403, "POST /api/v1/calendars/$c/update", {"name": "mine"}),
    ],
    [
        _ann(200, "GET /calendars/", sort=True),
        _ann(200, "GET /calendars/$c", sort=True),
        _ann(200, "GET /calendars/events/$e"),
        step("bob", 200, "GET /api/v1/calendars/events/$e"),
        _ann(200, "GET /calendars/events/search?query=$here", sort=True),
    ],
    [
        _ann(400, "DELETE /calendars/$d/delete"),
        _ann(200, "DELETE /calendars/events/$e/delete"),
        _ann(404, "GET /calendars/events/$e"),
        _ann(200, "DELETE /calendars/$c/delete"),
        _ann(404, "GET /calendars/events/$f"),
        _ann(200, "GET /calendars/", sort=True),
    ],
)


def _app(**more: Any) -> dict[str, Any]:
    form = {"manifest": FakeApp().manifest, "url": FakeApp.url, "api_key": API_KEY, "slug": "$here"}
    return {**form, "granted_scopes": SCOPES, "access_grants": [grant("$ann", "read")], **more}


APPS = Journey(
    "apps",
    [
        _admin(200, "POST /apps", _app(), save="app"),
        _admin(409, "POST /apps", _app(access_grants=[])),
        _admin(200, "PATCH /apps/$app", {"name": "Renamed ö", "settings": ODD}),
        _admin(200, "PATCH /apps/$app", {"access_grants": [grant("$bob", "read")], "granted_scopes": SCOPES[:1]}),
        _ann(401, "PATCH /apps/$app", {"name": "mine"}),
    ],
    [
        _admin(200, "GET /apps", mine=True, count=1),
        _admin(200, "GET /apps/$app"),
    ],
    [
        _admin(200, "DELETE /apps/$app"),  # it stays, without its key
        _admin(200, "GET /apps/$app"),
    ],
)

JOURNEYS = {
    each.group: each
    for each in (NOTES, PROMPTS, TOOLS, FUNCTIONS, SKILLS, KNOWLEDGE, MEMORIES, FEEDBACKS, AUTOMATIONS, CALENDAR, APPS)
}
