"""Search in chats, and in the whole workspace: the same is found, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.chat_steps import CHATS, FOLDERS, found, new, search
from tests.support.scenarios import Step, grant, play_together, step

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

SCENARIOS: dict[str, list[Step]] = {
    "search": [
        step("alice", 200, f"POST {FOLDERS}/", {"name": "My Place"}, save="place"),
        new("alice", "Apples", "Green ones and red ones", folder_id="$place"),
        new("alice", "Birnen", "Größe: 50 % mehr_oder weniger"),
        new("alice", "ZOË", "Straße İSTANBUL 資料 📁 кит"),
        new("alice", "code", "```py\nprint('a\\tb')\n``` and C:\\dir\\file"),
        new("alice", "Shared", "to be seen by all"),
        new("alice", "Old", "archived long ago"),
        new("bob", "Bobs", "Green ones of bob"),
        step("alice", 200, f"POST {CHATS}/$apples/tags", {"name": "Fruit"}),
        step("alice", 200, f"POST {CHATS}/$birnen/tags", {"name": "Fruit"}),
        step("alice", 200, f"POST {CHATS}/$birnen/tags", {"name": "Obst 1"}),
        step("alice", 200, f"POST {CHATS}/$birnen/pin"),
        step("alice", 200, f"POST {CHATS}/$shared/share"),
        step("alice", 200, f"POST {CHATS}/$old/archive"),
        *[
            search("alice", text, count)
            for text, count in (
                ("green", 1),
                ("GREEN ones", 1),
                ("ones red", 1),
                ("zoë", 1),
                ("größe", 2),
                ("GRÖSSE", 0),
                ("strasse", 0),
                ("straße", 1),
                ("İSTANBUL", 1),
                ("istanbul", 0),
                ("資料", 1),
                ("資", 1),
                ("📁", 1),
                ("КИТ", 1),
                ("50 %25 mehr", 1),
                ("g%25n ones", 1),
                ("mehr_oder", 1),
                ("mehr oder", 1),
                ("%25", 5),
                ("_", 5),
                ("a", 5),
                ("zz", 0),
                ("dir\\file", 1),
                ("a\\tb", 1),
                ("%00green", 1),
                ("'; DROP", 0),
                ('"answer"', 5),
                ("tag:fruit", 2),
                ("tag:fruit tag:obst_1", 1),
                ("tag:fruit birnen", 1),
                ("tag:none", 3),
                ("tag:missing", 0),
                ("folder:my_place", 1),
                ("folder:my_place red", 1),
                ("folder:elsewhere", 0),
                ("pinned:true", 1),
                ("pinned:false answer", 4),
                ("archived:true", 1),
                ("archived:false", 5),
                ("shared:true", 1),
                ("shared:false", 4),
                ("pinned:true tag:fruit größe", 1),
                ("archived:true shared:true", 0),
                ("pinned:perhaps", 5),
            )
        ],
        step("alice", 500, f"GET {CHATS}/search?text="),
        step("alice", 500, f"GET {CHATS}/search?text=%20"),
        step("alice", 422, f"GET {CHATS}/search"),
        step("alice", 200, f"GET {CHATS}/search?text=answer&page=2", count=0),
        search("bob", "green", 1),
        # What is searched is what is there.
        step("alice", 200, f"POST {CHATS}/$apples/messages/q", {"content": "Yellow ones"}),
        step("alice", 200, f"POST {CHATS}/$apples/messages/a", {"content": "Yellow, too"}),
        search("alice", "green", 0),
        search("alice", "yellow", 1),
        step("alice", 200, f"DELETE {CHATS}/$apples/messages/q"),
        search("alice", "yellow", 0),
        step("alice", 200, f"POST {CHATS}/$apples", {"chat": {"title": "Pears"}}),
        search("alice", "apples", 0),
        search("alice", "pears", 1),
        step("alice", 200, f"DELETE {CHATS}/$apples"),
        search("alice", "pears", 0),
    ],
    "unified search": [
        step("alice", 200, f"POST {FOLDERS}/", {"name": "Given"}, save="given"),
        new("alice", "Own", "a needle here"),
        new("alice", "Inside", "a needle in the folder", folder_id="$given"),
        new("alice", "Given-out", "a needle for bob"),
        new("alice", "Needle", "by its title"),
        new("alice", "Old", "an archived needle"),
        new("bob", "Bobs", "a needle of bob"),
        step("alice", 200, f"POST {CHATS}/$old/archive"),
        step("alice", 200, f"POST {CHATS}/$given_out/share", save="token", take="share_id"),
        step("alice", 200, f"POST {CHATS}/shared/$given_out/access/update", {"access_grants": [grant("$bob", "read")]}),
        step(
            "alice", 200, f"POST {FOLDERS}/$given/access/update", {"access_grants": [grant("$bob", "read")]}, sort=True
        ),
        *[
            found(user, query)
            for user in ("alice", "bob", "carol")
            for query in (
                "",
                "q=needle",
                "q=NEEDLE in",
                "q=needle by title",
                "q=needle&kind=chat&sharing=mine",
                "q=needle&sharing=shared",
                "q=needle&kind=note",
                "q=needle&page=2",
                "q=needle&scope=folder:$given",
                "q=nee%25le",
                "q=n",
                "q=needle nowhere",
            )
        ],
        step("alice", 200, f"POST {CHATS}/$given_out/messages/q", {"content": "a haystack"}),
        found("bob", "q=haystack"),
        found("alice", "q=haystack"),
        step("alice", 200, f"POST {CHATS}/$given_out/share"),
        found("bob", "q=haystack"),
        step("alice", 200, f"DELETE {CHATS}/$given_out/share"),
        found("bob", "q=haystack"),
        step("alice", 200, f"DELETE {CHATS}/$own"),
        found("alice", "q=needle"),
    ],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(chat_contestants: dict[str, OpenWebUI], scenario: str) -> None:
    assert not play_together(chat_contestants, f"chats {scenario}", SCENARIOS[scenario])
