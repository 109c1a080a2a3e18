"""Any sequence of writes to a chat's messages does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from open_webui.models.chats import ChatForm

from tests.support.chats import CHAT, CHATS, body, chain
from tests.support.differential import blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

OWNER = SimpleNamespace(id="u1", name="One", role="user")

ids = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "a-b", "ü", ""])
few = st.sampled_from(["a", "b", "c", "d"])
contents = st.one_of(
    st.sampled_from(["", "text", "TEXT Ärger", "Straße \x00 NUL", "100% _", "日本語", "x" * 300]),
    st.just([{"type": "text", "text": "Block"}]),
    st.none() | st.integers(0, 3),
)
tokens = st.integers(0, 9)
usages: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"prompt_tokens": tokens, "completion_tokens": tokens}),
    st.fixed_dictionaries({"input_tokens": tokens, "output_tokens": tokens, "cost": st.just(0.5)}),
    st.just({}),
)
members: dict[str, st.SearchStrategy[Any]] = {
    "parentId": st.none() | ids,
    "childrenIds": st.lists(ids, max_size=2) | st.none(),
    "role": st.sampled_from(["user", "assistant", "system", ""]),
    "content": contents,
    "done": st.booleans() | st.none(),
    "usage": usages,
    "info": st.fixed_dictionaries({"usage": usages}),
    "meta": st.sampled_from(
        [{}, {"voice": 1}, {"task_id": "t"}, {"other": 1.0}, {"voice": 2, "x": None}, None, "wrong"]
    ),
    "files": st.lists(st.fixed_dictionaries({"id": few}), max_size=2) | st.none(),
    "statusHistory": st.lists(st.fixed_dictionaries({"action": few}), max_size=2),
    "sources": st.just([{"source": {"name": "n"}}]),
    "embeds": st.just(["<b>"]),
    "error": st.sampled_from([None, "broken", {"content": "x"}, [1]]),
    "model": st.sampled_from(["m", "n/o:p", None]),
    "timestamp": st.integers(1, 5) | st.none(),
    "output": st.sampled_from(
        [[], [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Out"}]}]]
    ),
    "contextSummary": st.sampled_from(["summary", ""]),
    "user_id": st.sampled_from(["u1", "u2"]),
    "id": ids,
    "annotation": st.just({"rating": 1}),
}
payloads = st.lists(st.sampled_from(sorted(members)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: members[name] for name in names})
)
entries = st.fixed_dictionaries({"role": members["role"]}, optional={"parentId": st.none() | few}).flatmap(
    lambda base: payloads.map(lambda more: {**base, **more})
)
histories = st.fixed_dictionaries({"messages": st.dictionaries(ids, entries, max_size=3), "currentId": st.none() | ids})


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path, may_create_chats: None) -> None:  # noqa: C901
    with asyncio.Runner() as runner, blocking_pair(runner, CHATS, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                # Each side gets its own: the host changes what it is given.
                return runner.run(pair.call(method, *deepcopy(args), **kwargs))

            @initialize(
                length=st.integers(0, 5), odd=st.none() | histories, member=st.none() | st.sampled_from(["parentId"])
            )
            def begin(self, length: int, odd: dict[str, Any] | None, member: str | None) -> None:
                names = "abcdefg"[:length]
                chat = body(*names) if odd is None else body(history=odd)
                if odd is None and names and member is not None:
                    del chat["history"]["messages"]["a"][member]  # what is None need not be there
                self.call("insert_new_chat", CHAT, "u1", ChatForm(chat=chat))

            @rule(id=few, data=payloads, touch=st.booleans())
            def change(self, id: str, data: dict[str, Any], touch: bool) -> None:
                self.call("upsert_message_to_chat_by_id_and_message_id", CHAT, id, data, touch=touch)

            @rule(id=few, content=contents, done=st.booleans())
            def stream(self, id: str, content: Any, done: bool) -> None:
                self.call("upsert_message_to_chat_by_id_and_message_id", CHAT, id, {"content": content, "done": done})

            @rule(id=ids, parent=st.none() | ids, data=payloads)
            def add(self, id: str, parent: str | None, data: dict[str, Any]) -> None:
                self.call("upsert_message_to_chat_by_id_and_message_id", CHAT, id, {"parentId": parent, **data})

            @rule(id=ids)
            def status(self, id: str) -> None:
                self.call("add_message_status_to_chat_by_id_and_message_id", CHAT, id, {"action": "x", "n": 1.0})

            @rule(id=ids)
            def files(self, id: str) -> None:
                self.call("add_message_files_by_id_and_message_id", CHAT, id, [{"id": "f"}])

            @rule(id=ids)
            def delete(self, id: str) -> None:
                self.call("delete_message_from_chat_by_id_and_message_id", CHAT, id)

            @rule(history=histories, touch=st.booleans())
            def merge(self, history: dict[str, Any], touch: bool) -> None:
                self.call("update_chat_by_id", CHAT, {"history": history}, touch=touch)

            @rule(length=st.integers(1, 6), title=contents)
            def save(self, length: int, title: Any) -> None:
                history = {"messages": chain(*"abcdefg"[:length]), "currentId": "a"}
                self.call("update_chat_by_id", CHAT, {"history": history, "title": title})

            @rule(title=contents)
            def rename(self, title: Any) -> None:
                self.call("update_chat_title_by_id", CHAT, title)

            @rule(params=st.dictionaries(few, contents, max_size=2))
            def params(self, params: dict[str, Any]) -> None:
                self.call("update_chat_params_by_id", CHAT, params)
                self.call("update_chat_by_id", CHAT, {"params": params, "models": ["x"]}, touch=False)

            @rule(id=ids, data=payloads)
            def write_row(self, id: str, data: dict[str, Any]) -> None:
                self.call("ChatMessages.upsert_message", id, CHAT, "u1", {"role": "user", **data})

            @rule(gone=st.sets(ids, max_size=2))
            def delete_rows(self, gone: set[str]) -> None:
                self.call("ChatMessages.delete_message_ids_by_chat_id", CHAT, gone)

        run_state_machine_as_test(Machine, settings=machine(25, 25))
