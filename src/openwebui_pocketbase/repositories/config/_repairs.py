"""What the host sets right at its start: keys under other names, and values in other forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from open_webui.models.config import (
    API_CONFIG_KEYS,
    DICT_CONFIG_KEY_ALIASES,
    _assign_path,
    _split_api_config_fragment,
)

from openwebui_pocketbase.repositories.config._copy import Snapshot, like

__all__ = ["Change", "renaming", "repairs"]

_LISTS_OF_MODELS = ("ui.default_models", "ui.default_pinned_models")


@dataclass(frozen=True)
class Change:
    """What changes at once.

    Attributes:
        set: Keys and their new values.
        added: Keys and values that are stored if the key is not there.
        removed: Keys.
        repaired: Those of `set` which get what was stored under other keys.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Any] = field(default_factory=dict)
    removed: Sequence[str] = ()
    repaired: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.added or self.removed)


def renaming(snapshot: Snapshot, old_prefix: str, new_prefix: str) -> Change:
    """Return what gives keys below a prefix another one; where that key is there, only the old one goes."""
    old = [*filter(like(f"{old_prefix}.%"), snapshot)]
    new = {f"{new_prefix}.{key.removeprefix(f'{old_prefix}.')}": key for key in old}
    added = {name: snapshot.value(key) for name, key in new.items() if name not in snapshot}
    return Change(added=added, removed=old)


def repairs(snapshot: Snapshot) -> Change:
    """Return what makes values whole of which parts are under keys of their own, and texts of lists of models.

    The stock method deletes such parts without storing the whole if there was one: it changes that in place, which
    SQLAlchemy does not notice.
    """
    changed: dict[str, Any] = {}
    removed: list[str] = []
    for name, aliases in DICT_CONFIG_KEY_ALIASES.items():
        whole, parts = _repaired(snapshot, name, (name, *aliases))
        if parts:
            changed[name] = whole
            removed += parts
    repaired = [*changed]
    for name in _LISTS_OF_MODELS:
        if name in snapshot and isinstance(models := snapshot.value(name), list):
            changed[name] = ",".join(model for model in (str(each).strip() for each in models) if model)
    return Change(set=changed, removed=removed, repaired=repaired)


def _repaired(snapshot: Snapshot, name: str, prefixes: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return a value with its parts, and the keys of these."""
    stored = snapshot.value(name) if name in snapshot else None
    whole: dict[str, Any] = stored if isinstance(stored, dict) else {}
    parts: list[str] = []
    for key in (key for prefix in prefixes for key in snapshot if like(f"{prefix}.%")(key)):
        # SQL does not tell capital letters from small ones, and takes _ for any letter.
        prefix = next((each for each in prefixes if key.startswith(f"{each}.")), None)
        if prefix is None:
            continue
        place = _place(whole, name, key.removeprefix(f"{prefix}."))
        if place is None:
            continue
        target, path = place
        _assign_path(target, path, snapshot.value(key))
        parts.append(key)
    return whole, parts


def _place(whole: dict[str, Any], name: str, fragment: str) -> tuple[dict[str, Any], list[str]] | None:
    """Return which object within a value a part is of, and its path in there; None if there is no such place."""
    if name not in API_CONFIG_KEYS:
        return whole, fragment.split(".")
    split = _split_api_config_fragment(fragment)
    if not split:
        return None
    connection, path = split
    target = whole.setdefault(connection, {})
    return (target, path) if isinstance(target, dict) else None
