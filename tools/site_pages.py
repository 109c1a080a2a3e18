"""A hook of mkdocs: pages of the site that are files of the checkout, such as CONTRIBUTING.md.

Their links start at the checkout. Here they become links from ``docs``, so mkdocs checks them as it checks all others.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_INCLUDED = re.compile(r'--8<-- "(\w+\.md)"')
_LINK = re.compile(r"\]\((docs/|[A-Z]+\.md)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page's text; of one that is a file of the checkout, that file's."""
    included = _INCLUDED.fullmatch(markdown.strip())
    if included is None:
        return markdown
    text = (ROOT / included[1]).read_text(encoding="utf-8")
    return _LINK.sub(lambda link: "](" + ("" if link[1] == "docs/" else link[1].lower()), text)
