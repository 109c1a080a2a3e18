"""Values in PocketBase filter expressions."""

from __future__ import annotations

__all__ = ["quote"]


def quote(value: str) -> str:
    r"""Return text as a literal of a PocketBase filter, safe against injection.

    The backslash has to be escaped before the quote: with ``'`` alone escaped, the text
    ``\' || id != "" //`` ends the literal and selects every record.

    Args:
        value: Any text without NUL, which PocketBase filters cannot express.

    Raises:
        ValueError: The text contains NUL.
    """
    if "\x00" in value:
        raise ValueError("a PocketBase filter cannot express the character NUL")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
