"""The site ends its build at broken links, also those of pages that are files of the checkout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tools import site_pages

ROOT = Path(__file__).resolve().parents[2]


def test_broken_links_end_the_build_of_the_site() -> None:
    plan = subprocess.run(["make", "--dry-run", "docs"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (command,) = [line for line in plan.splitlines() if "mkdocs build" in line]
    assert "--strict" in command
    assert "--quiet" not in command, "mkdocs counts no warnings then"


def test_pages_of_the_site_that_are_files_of_the_checkout_have_its_links() -> None:
    text = site_pages.on_page_markdown('--8<-- "CONTRIBUTING.md"\n')
    assert text.startswith("# Contributing\n")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert site_pages.on_page_markdown("[A](docs/b.md)") == "[A](docs/b.md)"
