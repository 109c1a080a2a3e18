"""Models: 500 with settings of 2 kB, each shared with a group and a user; every tenth changes one of a provider's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from open_webui.models.models import ModelForm

from bench.data import LOADED_AT, SCRATCH_USERS, document, identifier, scratch
from bench.groups.groups import TREES, group_id, inherited_ids
from bench.groups.users import PEOPLE
from bench.operations import HOT, Group, Item, Operation, Row

MODELS = 500
OWNERS = 20
PAGE = 30
TAGS = 10

BASES = range(0, MODELS, 10)
"""Numbers of the models that change one of a provider's."""


def _id(number: int) -> str:
    return f"team{number % OWNERS}/assistant-{number}:latest"


def _meta(name: str, number: int) -> Row:
    """Return a model's meta of about 2 kB."""
    return {
        "profile_image_url": "/static/favicon.png",
        "description": f"{name} answers the questions of team {number % OWNERS}. " * 12,
        "capabilities": dict.fromkeys(("vision", "file_upload", "web_search", "citations", "usage"), True),
        "tags": [{"name": f"Topic {number % TAGS}"}, {"name": "bench"}],
        "knowledge": [{"type": "collection", **document(f"{name} {part}")} for part in range(2)],
        "suggestion_prompts": [{"content": f"What does {name} know about topic {part}?"} for part in range(4)],
    }


def _parameters(name: str) -> Row:
    return {"system": f"You are {name}. Answer in short sentences and name your sources. ", "temperature": 0.5}


def _model(id_: str, number: int, base: str | None, owner: str) -> Item:
    name = f"Assistant {number}"
    version = identifier(f"version of {id_}")
    snapshot = {"name": name, "base_model_id": base, "params": _parameters(name), "meta": _meta(name, number)}
    model: Row = {"id": id_, "user_id": owner, **snapshot, "version_id": version, "is_active": True}
    model |= {"updated_at": LOADED_AT + number, "created_at": LOADED_AT + number}
    history: Row = {"id": version, "model_id": id_, "parent_id": None, "snapshot": snapshot, "user_id": owner}
    history |= {"commit_message": None, "created_at": LOADED_AT}
    principals = (("group", group_id(number % TREES, 0, 0)), ("user", PEOPLE[number]))
    grants = [_grant(id_, kind, principal) for kind, principal in principals]
    return {"model": [model], "model_history": [history], "access_grant": grants}


def _grant(model: str, principal_type: str, principal: str) -> Row:
    row = {"id": identifier(f"read {model} {principal}"), "resource_type": "model", "resource_id": model}
    row |= {"principal_type": principal_type, "principal_id": principal}
    return {**row, "permission": "read", "created_at": LOADED_AT}


def _items() -> Iterator[Item]:
    for number in range(MODELS):
        yield _model(_id(number), number, None if number in BASES else "gpt-4.1", PEOPLE[number % OWNERS])


def _insert(item: Item) -> tuple[str, dict[str, Any]]:
    (model,), (history,) = item["model"], item["model_history"]
    parts = {"id": model["id"], "model": model, "history": history, "grants": item["access_grant"]}
    return "models/insert_new_model", parts


def _all(_number: int) -> tuple[()]:
    return ()


def _by_id(number: int) -> tuple[str]:
    return (_id(number % MODELS),)


def _some(number: int) -> tuple[list[str]]:
    return ([_id((number + other * 7) % MODELS) for other in range(PAGE)],)


def _first_page(number: int) -> tuple[str, dict[str, Any], int, int]:
    """Return what the workspace asks for an administrator."""
    return PEOPLE[number % len(PEOPLE)], {}, 0, PAGE


def _page_for_user(number: int) -> tuple[str, dict[str, Any], int, int]:
    """Return what the workspace asks for anybody else."""
    user = number % len(PEOPLE)
    filters = {"user_id": PEOPLE[user], "group_ids": list(inherited_ids(user)), "order_by": "name"}
    return PEOPLE[user], filters, 0, PAGE


def _query(number: int) -> tuple[str, dict[str, Any], int, int]:
    return (
        PEOPLE[number % len(PEOPLE)],
        {"query": f"assistant {1 + number % OWNERS}", "tag": "bench", "order_by": "updated_at"},
        0,
        PAGE,
    )


def _form(id_: str, name: str, number: int) -> ModelForm:
    grants = [{"principal_type": "user", "principal_id": PEOPLE[number % len(PEOPLE)], "permission": "read"}]
    values = {"base_model_id": "gpt-4.1", "meta": _meta(name, number), "params": _parameters(name)}
    return ModelForm(id=id_, name=name, access_grants=grants, **values)


def _scratch_user(number: int) -> str:
    return SCRATCH_USERS[number % len(SCRATCH_USERS)]


def _new(number: int) -> tuple[ModelForm, str]:
    return _form(scratch(number), f"New {number}", number), _scratch_user(number)


def _changed(number: int) -> tuple[str, ModelForm, None, str]:
    return scratch(number), _form(scratch(number), f"Changed {number}", number), None, _scratch_user(number)


def _scratch(number: int) -> tuple[str]:
    return (scratch(number),)


def _present(numbers: range) -> Iterator[Item]:
    for number in numbers:
        yield _model(scratch(number), number % MODELS, "gpt-4.1", _scratch_user(number))


def _are(wanted: int) -> Any:
    return lambda found: len(found) == wanted


def _is_page(found: Any) -> bool:
    return bool(0 < len(found.items) <= PAGE <= max(found.total, PAGE))


def _found(model: Any) -> bool:
    return model is not None


LIST = {"p50_ratio": 0.7}

GROUP = Group(
    name="models",
    scratch={"access_grant": "resource_id", "model_history": "user_id", "model": "user_id"},
    writes={("model", "model_history", "access_grant"): _insert},
    items=_items,
    operations=(
        Operation("Models.get_all_models", "read", _all, _are(MODELS), limits=LIST),
        Operation("Models.get_model_by_id", "read", _by_id, _found, limits=HOT),
        Operation("Models.get_models_by_ids", "read", _some, _are(PAGE)),
        Operation("Models.search_models", "read", _first_page, _is_page, limits=LIST),
        Operation("Models.search_models", "read", _page_for_user, _is_page, case="of a user", limits=LIST),
        Operation("Models.search_models", "read", _query, _is_page, case="by text and tag", limits=LIST),
        Operation("Models.insert_new_model", "write", _new, _found),
        Operation("Models.update_model_by_id", "write", _changed, _found, _present),
        Operation("Models.toggle_model_by_id", "write", _scratch, _found, _present),
        Operation("Models.delete_model_by_id", "write", _scratch, lambda done: done is True, _present),
    ),
    after=("users", "groups"),
)
