"""Requests to several instances of Open WebUI, and the comparison of their answers.

A scenario is a table of requests by users of its own. What ids, times, tokens and addresses are is left out of the
comparison; which of them appears again is not.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from string import Template
from typing import TYPE_CHECKING, Any

from tests.support.postgresql import POSTGRESQL_DIFFERENCES

if TYPE_CHECKING:
    import httpx

    from tests.support.openwebui import OpenWebUI

MISSING = "00000000-0000-4000-8000-000000000000"
TICK, INSERT, UPDATE, CONFIGURE, PERMIT = "TICK", "INSERT", "UPDATE", "CONFIGURE", "PERMIT"
CONFIG = "/api/v1/auths/admin/config"
PERMISSIONS = "/api/v1/users/default/permissions"


@dataclass(frozen=True)
class Step:
    """One request, and the status that is meant.

    In path and body ``$work`` is what an earlier step saved by that name, ``$alice`` that user's id, ``$here`` and
    ``$word`` belong to this scenario only. A function in the body is called with all names.
    """

    user: str
    status: int
    method: str
    path: str
    body: Any = None
    save: str = ""
    take: str = "id"
    sort: bool = False
    mine: bool = False
    count: int | None = None
    sqlite_only: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        body = "" if self.body is None else str(self.body)
        return f"{self.user or 'nobody'}: {self.method} {self.path[:200]} {body[:300]}"


def step(user: str, status: int, request: str, body: Any = None, **more: Any) -> Step:
    """Return a step.

    Args:
        user: Who sends the request: a user's name; ``=`` and the name of a saved token; ``scim``; nobody if empty.
        status: Status the stock instance must answer with, so that a mistake here does not go unnoticed.
        request: Method and path.
        body: Sent as JSON.
        **more: ``save``: names for members of the answer: those which ``take`` names, or its id.
            ``sort``: compare lists without order, because the stock order is open, or decided by a clock.
            ``mine``: compare only what belongs to this scenario of the lists in the answer, and no totals.
            ``count``: how many items the stock instance must answer with, so that the same is not nothing.
            ``sqlite_only``: skip it on PostgreSQL for one of `POSTGRESQL_DIFFERENCES`.
            ``headers``: of the request, besides the usual ones.
    """
    method, _, path = request.partition(" ")
    return Step(user, status, method, path, body, **more)


@dataclass(frozen=True)
class Upload:
    """The body of a request that uploads a file.

    Attributes:
        name: Its name.
        contents: Its contents.
        type: Its content type.
        metadata: What the client says of it.
    """

    name: str
    contents: bytes
    type: str = "text/plain"
    metadata: Mapping[str, Any] = field(default_factory=dict)


TO_NEXT_SECOND = Step("", 0, TICK, "")
"""Waits until times in seconds differ from those before."""


def insert(table: str, **row: Any) -> Step:
    """Return a step that inserts a row where the rows of the table are, behind the application's back."""
    return Step("", 0, INSERT, table, row)


def update(table: str, id: str, **columns: Any) -> Step:
    """Return a step that changes a row where the rows of the table are, behind the application's back."""
    return Step("", 0, UPDATE, table, {"id": id, **columns})


def configure(user: str = "admin", **settings: Any) -> Step:
    """Return a step that changes settings of the whole instance; the scenario has to change them back."""
    return Step(user, 200, CONFIGURE, CONFIG, settings)


def permit(section: str, **permissions: bool) -> Step:
    """Return a step that changes what everybody may do; the scenario has to change it back."""
    return Step("admin", 200, PERMIT, PERMISSIONS, {section: permissions})


def grant(principal: str, permission: str, kind: str = "user") -> dict[str, str]:
    """Return an access grant, as requests have it."""
    return {"principal_type": kind, "principal_id": principal, "permission": permission}


TOTALS = frozenset({"total", "totalResults", "itemsPerPage"})

NEARBY = 40 * 86_400
"""Seconds from now that a time may be away, to be one of the test's: a session lasts for four weeks."""

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PATTERNS: dict[str, re.Pattern[str]] = {
    "<token>": re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    "<challenge>": re.compile(rf"{UUID}\.[\w-]{{43}}"),
    "<uploads>/": re.compile(rf"/[\w./-]+/uploads/|pb://{UUID}/"),
    "<address>": re.compile(r"http://127\.0\.0\.1:\d+"),
    "<picture>": re.compile(r"data:image/svg\+xml;base64,[\w+/=]+"),
    "<duration>": re.compile(r"(?<=Duration: )\d+\.\d+s"),
    "<key>": re.compile(r"\b(?:sk-)?[0-9a-f]{32}\b|\b[A-Z2-7]{32}\b"),
    "<secret>": re.compile(r"\A[\w-]{43}\Z"),
}
NUMBER = re.compile(r"(?<![^\": ])\b(?:\d{10}|\d{13}|\d{19})\b")
"""What may be a time in a text, such as the JSON that a tool has given."""
OPEN = {"expires_in": "<soon>", "session_id": "<session>"}
"""Members which differ from run to run."""
UNORDERED = frozenset({"reactions"})
"""Members whose stock order is open on PostgreSQL; the contract tests compare it on SQLite."""
ISO_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)")
IDENTIFIER = re.compile(rf"{UUID}|\b(?:msg|fco)_[0-9a-f]{{24}}\b|\bdeleg_[0-9a-f]{{8}}\b")


@dataclass
class Normaliser:
    """Makes the answers of two instances comparable.

    A uuid becomes the number of its first appearance, a time around now, in whatever unit, becomes ``<time>``.
    """

    numbers: dict[str, str] = field(default_factory=dict)

    def __call__(self, value: Any, *, sort: bool = False) -> Any:
        return self._replace(self._sorted(value) if sort else value)

    def _sorted(self, value: Any) -> Any:
        """Sort lists at every depth, in an order which does not depend on ids that are new."""
        match value:
            case dict():
                return {key: self._sorted(member) for key, member in value.items()}
            case list():
                return sorted(map(self._sorted, value), key=lambda item: json.dumps(self._replace(item, new="<new>")))
            case _:
                return value

    def _replace(self, value: Any, *, new: str = "") -> Any:
        match value:
            case dict():
                return {
                    self._replace(key, new=new): OPEN.get(key)
                    or self._replace(self._sorted(member) if key in UNORDERED else member, new=new)
                    for key, member in value.items()
                }
            case list():
                return [self._replace(item, new=new) for item in value]
            case str():
                for name, pattern in PATTERNS.items():
                    value = pattern.sub(name, value)
                value = ISO_TIME.sub(lambda found: _time(found[0]), value)
                value = NUMBER.sub(lambda found: "<time>" if _is_near(int(found[0])) else found[0], value)
                return IDENTIFIER.sub(lambda found: self._name(found[0], new), value)
            case bool():
                return value
            case int() | float() if _is_near(value):
                return "<time>"
            case _:
                return value

    def _name(self, uuid: str, new: str) -> str:
        if uuid == MISSING:
            return uuid
        if new:
            return self.numbers.get(uuid, new)
        return self.numbers.setdefault(uuid, f"<id {len(self.numbers) + 1}>")


def _is_near(number: float) -> bool:
    """Tell whether a number is a time about now, in seconds, milliseconds or nanoseconds."""
    return any(abs(number / unit - time.time()) < NEARBY for unit in (1, 10**3, 10**9))


def _time(text: str) -> str:
    is_near = abs(datetime.fromisoformat(text).timestamp() - time.time()) < NEARBY
    return "<time>" if is_near else text


@dataclass
class Player:
    """Goes through a scenario on one instance."""

    instance: OpenWebUI
    scenario: str
    names: dict[str, Any] = field(default_factory=dict)
    normalise: Normaliser = field(default_factory=Normaliser)

    def __post_init__(self) -> None:
        self.names["here"] = f"in-{self.scenario.replace(' ', '-')}"
        self.names["word"] = self.names["here"].replace("-", "_")
        self.names["password"] = self.instance.password

    def play(self, step: Step) -> tuple[int, Any]:
        """Return status and comparable content of the answer."""
        match step.method:
            case "INSERT":
                self.instance.insert(step.path, self._fill(step.body))
                return step.status, None
            case "UPDATE":
                self.instance.update(step.path, **self._fill(step.body))
                return step.status, None
            case "CONFIGURE" | "PERMIT":
                return self._change(step), None
        status, _, comparable = self.exchange(step)
        return status, comparable

    def exchange(self, step: Step) -> tuple[int, Any, Any]:
        """Send the request; return status, content, and comparable content of the answer."""
        answer = self._send(step)
        content = self._content(answer)
        if step.save and answer.is_success:
            self.names.update(
                zip(step.save.split(), (_part(content, member) for member in step.take.split()), strict=True)
            )
        mine = self._mine(content) if step.mine else content
        return answer.status_code, content, self.normalise(mine, sort=step.sort)

    def _send(self, step: Step) -> httpx.Response:
        # After a 500 the server closes the connection, which the next request may notice too late.
        usual = {"Connection": "close"}
        body: dict[str, Any] = {}
        if isinstance(step.body, Upload):
            body = {
                "files": {"file": (step.body.name, step.body.contents, step.body.type)},
                "data": {"metadata": json.dumps(self._fill(dict(step.body.metadata)))},
            }
        else:
            usual["Content-Type"] = "application/json"
            body = {} if step.body is None else {"content": json.dumps(self._fill(step.body))}
        headers = {**usual, **self.headers(step.user), **self._fill(dict(step.headers))}
        return self.instance.http.request(step.method, self._fill(step.path), headers=headers, **body)

    def headers(self, user: str) -> dict[str, str]:
        """Return what tells who somebody is; see `step`."""
        if user.startswith("="):
            return {"Authorization": f"Bearer {self.names[user[1:]]}"}
        return (
            {"Authorization": f"Bearer {self.instance.scim_token}"}
            if user == "scim"
            else self.instance.headers(self._user(user))
        )

    def _change(self, step: Step) -> int:
        """Change some members of a document that is only there as a whole."""
        http, headers = self.instance.http, self.headers(step.user)
        whole = http.get(step.path, headers=headers).raise_for_status().json()
        for key, value in self._fill(step.body).items():
            whole[key] = {**whole[key], **value} if isinstance(value, dict) else value
        return http.post(step.path, headers=headers, json=whole).status_code

    @staticmethod
    def _content(answer: httpx.Response) -> Any:
        try:
            if "ndjson" in answer.headers.get("Content-Type", ""):
                return [json.loads(line) for line in answer.text.splitlines()]
            return answer.json()
        except ValueError:
            return answer.text

    def _mine(self, content: Any) -> Any:
        """Leave out of lists what other scenarios made."""
        if isinstance(content, dict):
            return {key: self._mine(value) for key, value in content.items() if key not in TOTALS}
        if isinstance(content, list):
            return [item for item in content if self.names["here"] in json.dumps(item)]
        return content

    def _user(self, name: str) -> str:
        """Everybody but the admin is somebody else in each scenario."""
        return name if name in ("", "admin") else f"{name}-{self.names['here']}"

    def _fill(self, value: Any) -> Any:
        match value:
            case dict():
                return {self._fill(key): self._fill(member) for key, member in value.items()}
            case list():
                return [self._fill(item) for item in value]
            case str() if "$" in value:
                return Template(value).substitute({name: self._id(name) for name in Template(value).get_identifiers()})
            case _:
                return value(self.names) if callable(value) else value

    def _id(self, name: str) -> str:
        return str(self.names[name]) if name in self.names else self.instance.user(self._user(name)).id


def _part(content: Any, path: str) -> Any:
    """Return a part of an answer, such as ``id`` or ``0.id``."""
    for member in path.split("."):
        content = content[int(member) if isinstance(content, list) else member]
    return content


def play_together(instances: Mapping[str, OpenWebUI], scenario: str, steps: Sequence[Step]) -> str:
    """Go through a scenario on all instances, step by step, and return how their answers differ.

    Args:
        instances: By name; the first one is the reference.
        scenario: Name of the scenario; its users are called by it.
        steps: The scenario.
    """
    players = {name: Player(instance, scenario) for name, instance in instances.items()}
    differences = []
    is_sqlite = "DATABASE_URL" not in next(iter(instances.values())).env
    with ThreadPoolExecutor(len(players)) as pool:
        for number, each in enumerate(steps, 1):
            if each.sqlite_only and not is_sqlite:
                assert each.sqlite_only in POSTGRESQL_DIFFERENCES
                continue
            if each.method == TICK:
                time.sleep(1.01 - time.time() % 1)
                continue
            answers = list(pool.map(lambda player, each=each: player.play(each), players.values()))
            (reference, expected), *others = zip(players, answers, strict=True)
            if expected[0] != each.status:
                differences.append(f"step {number} ({each})\n  meant: {each.status}\n  {reference}: {expected}"[:3000])
            if each.count is not None and len(expected[1]) != each.count:
                differences.append(
                    f"step {number} ({each})\n  meant: {each.count} items\n  {reference}: {expected}"[:3000]
                )
            for name, found in others:
                where = [f"    {line}"[:1000] for line in contrast(expected, found, whole=not is_sqlite)]
                if where:
                    differences.append("\n".join([f"step {number} ({each})", f"  {reference} != {name}", *where[:12]]))
    return "\n".join(differences)


def contrast(one: Any, other: Any, path: str = "", *, whole: bool = False) -> Iterator[str]:
    """Tell where two documents differ, and how.

    Args:
        one: The reference.
        other: Another one.
        path: Where they are in what is compared.
        whole: Whether 1.0 may be 1; see "whole numbers" in `POSTGRESQL_DIFFERENCES`.
    """

    def same(a: Any, b: Any) -> bool:
        return type(a) is type(b) or (whole and {type(a), type(b)} == {int, float})  # 1 is not True, nor 1.0

    if same(one, other) and isinstance(one, dict) and list(one) == list(other):
        for key, value in one.items():
            yield from contrast(value, other[key], f"{path}.{key}", whole=whole)
    elif same(one, other) and isinstance(one, list | tuple) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from contrast(*pair, f"{path}[{number}]", whole=whole)
    elif not same(one, other) or one != other:
        yield f"{path}: {one!r} != {other!r}"
