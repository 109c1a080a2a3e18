"""Any sequence of calls does the same written through as on a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from open_webui.models.automations import AutomationData, AutomationForm
from open_webui.models.knowledge import KnowledgeForm
from open_webui.models.notes import NoteForm, NoteUpdateForm
from open_webui.models.prompts import PromptForm
from open_webui.models.skills import SkillForm

from openwebui_pocketbase.catalog import CATALOG
from tests.support.differential import START
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess
from tests.support.written_through import Compared, blocking_comparison

GROUPS = ("notes", "prompts", "skills", "knowledge", "automations")
NOW = START * 10**9

users = st.sampled_from(["u1", "u2"])
texts = st.sampled_from(["", "a", "ä\n", "null"])
objects: st.SearchStrategy[Any] = st.none() | st.dictionaries(
    st.sampled_from("ab"), st.sampled_from([None, 1, 0.5, [{}], "x"]), max_size=2
)
places = st.integers(0, 5)
"""Which of the rows that were made; past the newest one there is an id that does not exist."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def opened(
    runner: asyncio.Runner, fresh_pocketbase: PocketBaseProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compared]:
    with blocking_comparison(runner, GROUPS, fresh_pocketbase, tmp_path_factory.mktemp("machines")) as compared:
        yield compared


class Calls(RuleBasedStateMachine):
    """What the machines share.

    Attributes:
        group: The group of the machine.
        runner: Has the event loop of the databases.
        opened: The databases.
        made: Ids of rows, by what they are.
    """

    group: str
    runner: asyncio.Runner
    opened: Compared

    def __init__(self) -> None:
        super().__init__()
        self.both = replace(self.opened, tables=CATALOG[self.group].tables)
        self.runner.run(self.both.clear())
        self.made: dict[str, list[str]] = {}

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self.runner.run(self.both.call(name, *args, **kwargs))

    def note(self, kind: str, result: Any) -> None:
        """Remember the id of a row that a call has made, if it has."""
        if result is not None and not isinstance(result, Exception):
            self.made.setdefault(kind, []).append(result.id)

    def one(self, kind: str, place: int) -> str:
        made = self.made.get(kind, [])
        return made[place] if place < len(made) else "unknown"

    @classmethod
    def check(cls, runner: asyncio.Runner, opened: Compared, runs: int, steps: int) -> None:
        made = type(cls.__name__, (cls,), {"runner": runner, "opened": opened})
        run_state_machine_as_test(made, settings=machine(runs, steps))


class Notes(Calls):
    group = "notes"

    @rule(user=users, title=texts, data=objects)
    def insert(self, user: str, title: str, data: Any) -> None:
        form = NoteForm(title=title, data=data, access_grants=[])
        self.note("note", self.call("Notes.insert_new_note", user, form))

    @rule(place=places, changes=st.fixed_dictionaries({}, optional={"title": texts, "data": objects, "meta": objects}))
    def update(self, place: int, changes: dict[str, Any]) -> None:
        self.call("Notes.update_note_by_id", self.one("note", place), NoteUpdateForm(**changes))

    @rule(place=places, user=users)
    def pin(self, place: int, user: str) -> None:
        self.call("Notes.toggle_note_pinned_by_id", self.one("note", place), user)
        self.call("Notes.get_pinned_notes_by_user_id", user)

    @rule(place=places)
    def delete(self, place: int) -> None:
        self.call("Notes.delete_note_by_id", self.one("note", place))
        self.call("Notes.get_notes")


class Prompts(Calls):
    group = "prompts"
    forms = st.builds(
        PromptForm,
        command=st.sampled_from("abc"),
        name=st.just("n"),
        content=texts,
        data=objects,
        tags=st.none() | st.just(["t"]),
        access_grants=st.just([]),
        is_production=st.booleans(),
    )

    @rule(user=users, form=forms)
    def insert(self, user: str, form: PromptForm) -> None:
        made = self.call("Prompts.insert_new_prompt", user, form)
        self.note("prompt", made)
        self.note_versions(made.id if made else "unknown")

    @rule(place=places, form=forms)
    def update(self, place: int, form: PromptForm) -> None:
        prompt = self.one("prompt", place)
        self.call("Prompts.update_prompt_by_id", prompt, form, "u2")
        self.note_versions(prompt)

    def note_versions(self, prompt: str) -> None:
        found = self.call("PromptHistories.get_history_by_prompt_id", prompt)
        known = self.made.setdefault("version", [])
        known += [each.id for each in found if each.id not in known]

    @rule(place=places, version=places)
    def go_back(self, place: int, version: int) -> None:
        self.call("Prompts.update_prompt_version", self.one("prompt", place), self.one("version", version))

    @rule(place=places, version=places)
    def delete_version(self, place: int, version: int) -> None:
        prompt = self.one("prompt", place)
        self.call("PromptHistories.delete_history_entry", self.one("version", version), prompt)

    @rule(place=places, command=st.sampled_from("abc"))
    def rename(self, place: int, command: str) -> None:
        self.call("Prompts.update_prompt_metadata", self.one("prompt", place), "m", command)

    @rule(command=st.sampled_from("abc"))
    def delete(self, command: str) -> None:
        self.call("Prompts.delete_prompt_by_command", command)


class Skills(Calls):
    group = "skills"

    @rule(skill=st.sampled_from("abc"), name=st.sampled_from("xyz"), content=texts)
    def insert(self, skill: str, name: str, content: str) -> None:
        form = SkillForm(id=skill, name=name, content=content, access_grants=[])
        self.note("skill", self.call("Skills.insert_new_skill", "u1", form))

    @rule(
        place=places,
        changes=st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from("xyz"), "content": texts, "is_active": st.booleans()}
        ),
        expected=st.none() | places,
    )
    def update(self, place: int, changes: dict[str, Any], expected: int | None) -> None:
        skill = self.one("skill", place)
        version = None if expected is None else self.one("version", expected)
        self.call("Skills.update_skill_by_id", skill, {**changes, "expected_version_id": version}, user_id="u2")
        known = self.made.setdefault("version", [])
        found = self.call("SkillHistories.get_history_by_skill_id", skill)
        known += [each.id for each in found if each.id not in known]

    @rule(place=places, version=places, expected=places)
    def go_back(self, place: int, version: int, expected: int) -> None:
        versions = self.one("version", version), self.one("version", expected)
        self.call("Skills.update_skill_version", self.one("skill", place), *versions)

    @rule(place=places, version=places)
    def delete_version(self, place: int, version: int) -> None:
        self.call("SkillHistories.delete_history_entry", self.one("skill", place), self.one("version", version))

    @rule(place=places)
    def delete(self, place: int) -> None:
        self.call("Skills.delete_skill_by_id", self.one("skill", place))


class Knowledge(Calls):
    group = "knowledge"

    @rule()
    @precondition(lambda self: len(self.made.get("base", [])) < 2)
    def insert(self) -> None:
        form = KnowledgeForm(name="k", description="", access_grants=[])
        self.note("base", self.call("Knowledges.insert_new_knowledge", "u1", form))

    @rule(base=st.integers(0, 2), name=st.sampled_from("ab"), parent=places)
    def make_directory(self, base: int, name: str, parent: int) -> None:
        where = self.one("directory", parent) if parent else None
        made = self.call("Knowledges.create_directory", self.one("base", base), name, "u1", where)
        self.note("directory", made)

    @rule(directory=places, parent=places, name=st.none() | st.sampled_from("ab"))
    def move(self, directory: int, parent: int, name: str | None) -> None:
        where = self.one("directory", parent) if parent else None
        self.call("Knowledges.update_directory", self.one("directory", directory), name, where)

    @rule(directory=places, up=st.booleans())
    def delete_directory(self, directory: int, up: bool) -> None:
        self.call("Knowledges.delete_directory", self.one("directory", directory), up)

    @rule(base=st.integers(0, 2), file=st.sampled_from(["f1", "f2", "f3"]), directory=places)
    def put_file(self, base: int, file: str, directory: int) -> None:
        where = self.one("directory", directory) if directory else None
        self.call("Knowledges.add_file_to_knowledge_by_id", self.one("base", base), file, "u1", where)
        self.call("Knowledges.move_file_to_directory", self.one("base", base), file, where)
        self.call("Knowledges.get_files_with_directory_ids", self.one("base", base), sort=True)

    @rule(base=st.integers(0, 2), along=st.booleans())
    def reset(self, base: int, along: bool) -> None:
        self.call("Knowledges.reset_knowledge_by_id", self.one("base", base), along)

    @rule(base=st.integers(0, 2))
    def delete(self, base: int) -> None:
        self.call("Knowledges.delete_knowledge_by_id", self.one("base", base))


class Automations(Calls):
    group = "automations"

    @rule(user=users, due=st.integers(0, 3), rrule=st.sampled_from(["FREQ=DAILY", "COUNT=1"]))
    def insert(self, user: str, due: int, rrule: str) -> None:
        form = AutomationForm(name="a", data=AutomationData(prompt="p", model_id="m", rrule=rrule))
        self.note("automation", self.call("Automations.insert", user, form, NOW + due))

    @rule(due=st.integers(0, 3), limit=st.integers(1, 3))
    def claim(self, due: int, limit: int) -> None:
        claimed = self.call("Automations.claim_due", NOW + due, limit, sort=True)
        for each in claimed:
            self.call("AutomationRuns.insert", each.id, "success")
        again = self.call("Automations.claim_due", NOW + due, limit, sort=True)
        assert not {each.id for each in claimed} & {each.id for each in again}

    @rule(place=places, due=st.integers(0, 3))
    def toggle(self, place: int, due: int) -> None:
        self.call("Automations.toggle", self.one("automation", place), NOW + due)

    @rule(place=places)
    def delete(self, place: int) -> None:
        automation = self.one("automation", place)
        self.call("AutomationRuns.delete_by_automation", automation)
        self.call("Automations.delete", automation)


@pytest.mark.parametrize("kind", [Notes, Prompts, Skills, Knowledge, Automations])
def test_machine(runner: asyncio.Runner, opened: Compared, kind: type[Calls]) -> None:
    kind.check(runner, opened, 8, 15)
