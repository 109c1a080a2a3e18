"""Removing old archives of a site, but never its only good one, and none of other sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.stores import Store, Stored
from openwebui_pocketbase.exceptions import BackupError

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True)
class Pruned:
    """What came of it.

    Attributes:
        kept: What the rules keep.
        removed: What was removed, or would be.
        spared: What was kept only because it is the newest good one; None if there was no need.
        damaged: What the rules keep although it is damaged.
        foreign: How many there are of other sites, or of which that is not known; the rules are not about them.
    """

    kept: list[Stored]
    removed: list[Stored]
    spared: Stored | None
    damaged: list[Stored]
    foreign: int


def prune(
    store: Store, site: str, *, keep: int | None, days: float | None, now: datetime, dry_run: bool = False
) -> Pruned:
    """Remove archives.

    One that is to be kept is read through before anything is removed. If none is good, the newest good one of the
    others stays.

    Args:
        store: Where they are.
        site: Whose are removed.
        keep: How many of the newest are kept; None for none by their number.
        days: How old those are that are kept; None for none by their age.
        now: The present.
        dry_run: Whether nothing is removed.
    """
    every = store.stored()
    found = [each for each in every if site and each.site == site]
    foreign = len(every) - len(found)
    since = now - timedelta(days=days) if days is not None else None
    kept = [
        each
        for number, each in enumerate(found)
        if (keep is not None and number < keep) or (since is not None and each.made_at >= since)
    ]
    removed = [each for each in found if each not in kept]
    if (keep is None and days is None) or not removed:
        return Pruned(found, [], None, [], foreign)
    damaged: list[Stored] = []
    spared = None
    if not _first_good(store, kept, damaged):
        spared = _first_good(store, removed, [])
        removed = [each for each in removed if each is not spared]
        if spared is None:
            raise BackupError(
                "None of the archives is good: nothing was removed.",
                hint="Make one: openwebui-pocketbase backup create. To see what is wrong: backup verify NAME.",
            )
    for each in removed:
        if not dry_run:
            store.remove(each.name)
    return Pruned(kept, removed, spared, damaged, foreign)


def _first_good(store: Store, archives: list[Stored], damaged: list[Stored]) -> Stored | None:
    for each in archives:
        try:
            with store.opened(each.name) as path, Archive(path) as archive:
                archive.check()
        except BackupError:
            damaged.append(each)
        else:
            return each
    return None
