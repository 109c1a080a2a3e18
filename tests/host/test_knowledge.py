"""Knowledge with files: the same answers wherever the data are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.openwebui import DATABASES
from tests.support.scenarios import MISSING, TO_NEXT_SECOND, Step, Upload, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

FILES = "/api/v1/files"
KNOWLEDGE = "/api/v1/knowledge"
READY = "process=true&process_in_background=false"


def bypass(is_on: bool) -> Step:
    """Return a step that decides whether texts are embedded, for which there is no model."""
    body = {"BYPASS_EMBEDDING_AND_RETRIEVAL": is_on, "ENABLE_QUERIES_CACHE": False}
    return step("admin", 200, "POST /api/v1/retrieval/config/update", body)


def upload(name: str, text: str, save: str, *, user: str = "admin", **metadata: Any) -> Step:
    file = Upload(name, text.encode(), metadata=metadata)
    return step(user, 200, f"POST {FILES}/?{READY}", file, save=save)


def look(*files: str, user: str = "admin", status: int = 200) -> list[Step]:
    """Return steps that look at files from all sides."""
    paths = ("", "/process/status", "/data/content", "/content", "/content/html", "/content/name")
    return [step(user, status, f"GET {FILES}/${name}{path}") for name in files for path in paths]


SCENARIOS: dict[str, list[Step]] = {
    "files": [
        upload("a $here.txt", "Alpha and größe", "a"),
        upload("b.txt", "Beta", "b", user="ann"),
        *look("a"),
        *(each for each in look("b", user="ann") if not each.path.endswith("/html")),
        *look("a", user="ann", status=404),
        step("ann", 200, f"GET {FILES}/"),
        step("ann", 200, f"GET {FILES}/?content=false"),
        step("ann", 200, f"GET {FILES}/search?filename=*.TXT&content=false"),
        step("ann", 200, f"GET {FILES}/search?filename=b*"),
        step("ann", 404, f"GET {FILES}/search?filename=nothing"),
        step("ann", 200, f"GET {FILES}/user/search"),
        step("ann", 200, f"GET {FILES}/user/count"),
        step("ann", 200, f"POST {FILES}/$b/rename", {"filename": "renamed.txt"}),
        step("ann", 404, f"POST {FILES}/$a/rename", {"filename": "mine.txt"}),
        step("ann", 404, f"DELETE {FILES}/$a"),
        step("ann", 404, f"DELETE {FILES}/{MISSING}"),
        step("ann", 200, f"DELETE {FILES}/$b"),
        step("ann", 404, f"GET {FILES}/$b"),
        step("ann", 200, f"GET {FILES}/"),
        step("admin", 200, f"DELETE {FILES}/$a"),
    ],
    "knowledge": [
        step("admin", 200, f"POST {KNOWLEDGE}/create", {"name": "K", "description": ""}, save="k"),
        *(upload(f"{name}.txt", text, name) for name, text in [("a", "Alpha"), ("b", "Größe 100 %"), ("c", "Gamma")]),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/dirs/create", {"name": "d"}, save="d"),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/file/add", {"file_id": "$a"}, sort=True),
        TO_NEXT_SECOND,
        step("admin", 200, f"POST {KNOWLEDGE}/$k/file/add", {"file_id": "$b", "directory_id": "$d"}, sort=True),
        step("admin", 400, f"POST {KNOWLEDGE}/$k/file/add", {"file_id": MISSING}, sort=True),
        upload("linked.txt", "Delta", "l", knowledge_id="$k", directory_id="$d"),
        step("admin", 200, f"GET {KNOWLEDGE}/$k", sort=True),
        step("admin", 200, f"GET {KNOWLEDGE}/$k/files", sort=True),
        step("admin", 200, f"GET {KNOWLEDGE}/$k/files?directory_id=$d", sort=True),
        *(
            step("admin", 200, f"GET {KNOWLEDGE}/$k/files?include_content=true&query={query}", sort=True)
            for query in ("ALPHA", "größe", "GRÖSSE", "100", "a.txt", "gamma", "_")
        ),
        step("admin", 200, f"GET {KNOWLEDGE}/$k/files?query=alpha", sort=True),
        step("admin", 200, f"GET {KNOWLEDGE}/search/files?query=alpha&include_content=true", mine=True, sort=True),
        step("admin", 200, f"GET {KNOWLEDGE}/$k/files/pending"),
        step("ann", 404, f"GET {FILES}/$a"),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/file/update", {"file_id": "$a"}, sort=True),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/file/remove?delete_file=false", {"file_id": "$a"}, sort=True),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/file/remove", {"file_id": "$l"}, sort=True),
        step("admin", 404, f"GET {FILES}/$l"),
        step("admin", 200, f"DELETE {FILES}/$b"),
        step("admin", 200, f"GET {KNOWLEDGE}/$k/files", sort=True),
        step("admin", 200, f"POST {KNOWLEDGE}/$k/reset", sort=True),
        step("admin", 200, f"DELETE {KNOWLEDGE}/$k/delete"),
    ],
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(contestants: dict[str, OpenWebUI], scenario: str) -> None:
    differences = play_together(contestants, scenario, [bypass(True), *SCENARIOS[scenario], bypass(False)])
    assert not differences, differences
