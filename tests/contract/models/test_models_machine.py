"""Any sequence of calls on models does the same on stock and on ours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test
from open_webui.models.models import ModelForm, ModelModel

from tests.support.contracts import MODELS
from tests.support.differential import blocking_pair
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

ids = st.sampled_from(["m", "M", "llama3:8b", "org/name.x@1", "ä%"])
names = st.sampled_from(["a", "A", "ä", "x_y"])
bases = st.sampled_from([None, "gpt", "GPT", ""])
users = st.sampled_from(["u1", "u2", "*"])
tags = st.lists(st.sampled_from(["t", "T", "ü"]), max_size=2)
metas = st.fixed_dictionaries({}, optional={"tags": tags, "hidden": st.booleans(), "x": st.integers(0, 1)})
grants = st.lists(
    st.fixed_dictionaries(
        {"principal_type": st.just("user"), "principal_id": users, "permission": st.sampled_from(["read", "write"])}
    ),
    max_size=2,
)
forms = st.builds(
    lambda more, **values: ModelForm(**values, **more),
    st.fixed_dictionaries({}, optional={"is_active": st.booleans(), "access_grants": grants}),
    id=ids,
    name=names,
    base_model_id=bases,
    meta=metas,
    params=st.just({}),
)


def test_machine(pocketbase: PocketBaseProcess, tmp_path: Path) -> None:  # noqa: C901 - one rule per method
    contract = replace(MODELS, tables=("model", "model_history", "access_grant"))
    with asyncio.Runner() as runner, blocking_pair(runner, contract, pocketbase, tmp_path) as (pair, reset):

        class Machine(RuleBasedStateMachine):
            made = Bundle("made")  # ids of versions, of deleted models as well

            def __init__(self) -> None:
                super().__init__()
                reset()

            def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
                return runner.run(pair.call(method, *args, **kwargs))

            def version(self, model: Any) -> Any:
                return model.version_id if isinstance(model, ModelModel) else multiple()

            @rule(target=made, form=forms, user=users)
            def insert(self, form: ModelForm, user: str) -> Any:
                return self.version(self.call("insert_new_model", form, user))

            @rule(target=made, form=forms, user=users | st.none())
            def update(self, form: ModelForm, user: str | None) -> Any:
                return self.version(self.call("update_model_by_id", form.id, form, None, user))

            @rule(form=forms, version=made)
            def go_back(self, form: ModelForm, version: str) -> None:
                self.call("update_model_by_id", form.id, form, None, "u1", version)

            @rule(key=ids, is_toggled=st.booleans())
            def touch(self, key: str, *, is_toggled: bool) -> None:
                self.call("toggle_model_by_id" if is_toggled else "update_model_updated_at_by_id", key)

            @rule(key=ids)
            def delete(self, key: str) -> None:
                self.call("delete_model_by_id", key)

            @rule(form=forms, others=st.lists(ids, max_size=2), user=users)
            def sync(self, form: ModelForm, others: list[str], user: str) -> None:
                models = [
                    ModelModel(
                        **{**form.model_dump(), "id": key, "access_grants": []}, user_id="x", updated_at=1, created_at=1
                    )
                    for key in [form.id, *others]
                ]
                self.call("sync_models", user, models)

            @rule(
                query=names | st.none(),
                tag=st.sampled_from(["t", "Ü", None]),
                user=users,
                by=st.sampled_from(["name", ""]),
            )
            def look(self, query: str | None, tag: str | None, user: str, by: str) -> None:
                filters = {"query": query, "tag": tag, "user_id": user, "order_by": by}
                self.call("search_models", user, filters, rows=False)
                self.call("search_models", user, {}, 1, 2, rows=False)
                self.call("get_all_models", rows=False)
                self.call("get_base_models", tag, rows=False)
                self.call("get_all_tags", user, True, rows=False)

        run_state_machine_as_test(Machine, settings=machine(12, 25))
