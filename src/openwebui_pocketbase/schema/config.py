"""Triggers that give the configuration a new version with each change, whoever makes it."""

from __future__ import annotations

__all__ = ["CONFIG_TRIGGERS"]

# A random text and no number: a copy made before a restore must not pass for one of later. And no conflict: what an
# "INSERT OR IGNORE" of somebody's does would be to ignore it here as well.
_RENEW = (
    "DELETE FROM owui_meta WHERE key = 'config'; "
    "INSERT INTO owui_meta (key, value) VALUES ('config', lower(hex(randomblob(8))));"
)

CONFIG_TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS owui_config_version_{event.lower()} AFTER {event} ON owui_config BEGIN {_RENEW} END"
    for event in ("INSERT", "UPDATE", "DELETE")
)
"""Statements: each change of ``owui_config`` makes its version anew, which ``owui/config/version.js`` reads."""
