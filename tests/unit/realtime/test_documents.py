"""Whether an open document shows what a note has."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from openwebui_pocketbase.realtime.documents import shows

JSON: dict[str, Any] = {
    "type": "doc",
    "content": [
        {"type": "heading", "attrs": {"level": 2, "textAlign": None}, "content": [{"type": "text", "text": "Plan"}]},
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "a "},
                {"type": "text", "text": "boat", "marks": [{"type": "bold"}, {"type": "link", "attrs": {"href": "x"}}]},
            ],
        },
        {"type": "horizontalRule"},
        {"type": "paragraph"},
    ],
}


LEVEL: Any = {"level": 2}
"""As the host's editor writes it: not as text."""


def updates() -> list[bytes]:
    """Return a document's updates: it is made in two steps."""
    doc: Doc[Any] = Doc()
    children = doc.get("prosemirror", type=XmlFragment).children
    children.append(XmlElement("heading", LEVEL, [XmlText("Plan")]))
    text = XmlText("a ")
    children.append(XmlElement("paragraph", {}, [text]))
    first = doc.get_update()
    text.insert(2, "boat", {"bold": {}, "link": {"href": "x", "title": None}})
    children.append(XmlElement("horizontalRule"))
    children.append(XmlElement("paragraph"))
    return [first, doc.get_update()]


ODD: list[Any] = [7, "x", ["x"], [None], [{}], [{"type": "text"}]]


def changed(*path: Any, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(JSON)
    place: Any = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return found


def test_the_same() -> None:
    assert shows(updates(), {"json": JSON, "html": "not looked at", "md": ""})


def test_an_empty_document() -> None:
    assert shows([], {"json": {"type": "doc"}})
    assert not shows([], {"json": JSON})


@pytest.mark.parametrize(
    "other",
    [
        changed("content", 0, "content", 0, "text", to="Plans"),
        changed("content", 0, "attrs", "level", to=3),
        changed("content", 1, "content", 1, "marks", to=[]),
        changed("content", 1, "content", 1, "marks", 1, "attrs", "href", to="y"),
        changed("content", 3, "type", to="heading"),
        changed("content", 0, "attrs", to=["level", 2]),
        changed("content", to=JSON["content"][:3]),
        changed("content", to=[*JSON["content"], {"type": "paragraph"}]),
        changed("content", 3, to={"type": "text", "text": ""}),
        *({"type": "doc", "content": odd} for odd in ODD),
        None,
        "",
        "text",
        [],
    ],
)
def test_something_else(other: Any) -> None:
    assert not shows(updates(), {"json": other, "html": "<p></p>", "md": ""})
