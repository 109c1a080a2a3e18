"""What an open document of the host's shows: its editor keeps ProseMirror's tree in a Yjs document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

__all__ = ["shows"]

FRAGMENT = "prosemirror"
"""The host's name of the tree in the document."""


def shows(updates: Iterable[bytes], content: Mapping[str, Any]) -> bool:
    """Return whether an editor that opens this content would show what the document shows.

    Of the three forms of a content the host's editor opens ``json``, if it is there.

    Args:
        updates: The document's, in order.
        content: A note's.
    """
    if not isinstance(content.get("json"), Mapping):
        return False
    document: Doc[Any] = Doc()
    for update in updates:
        document.apply_update(update)
    tree = document.get(FRAGMENT, type=XmlFragment)
    try:
        return list(_of_document(tree)) == list(_of_json(content["json"].get("content")))
    except (AttributeError, KeyError, TypeError, ValueError):  # somebody has put there what no editor makes
        return False


def _of_document(parent: XmlFragment | XmlElement) -> Iterator[Any]:
    """Give what a tree has, flat: nodes with their attributes, ends of nodes, texts with their marks."""
    for child in parent.children:
        if isinstance(child, XmlText):
            for text, marks in child.diff():
                yield text, {name: _given(attributes) for name, attributes in (marks or {}).items()}
        elif isinstance(child, XmlElement):
            yield child.tag, _given(child.attributes)
            yield from _of_document(child)
            yield None


def _of_json(nodes: Any) -> Iterator[Any]:
    for node in nodes or ():
        if node["type"] == "text":
            yield node["text"], {mark["type"]: _given(mark.get("attrs")) for mark in node.get("marks", ())}
        else:
            yield node["type"], _given(node.get("attrs"))
            yield from _of_json(node.get("content"))
            yield None


def _given(attributes: Any) -> dict[str, Any]:
    """Return the attributes that have a value."""
    return {name: value for name, value in dict(attributes or ()).items() if value is not None}
