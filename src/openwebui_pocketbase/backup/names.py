"""Names of files in an archive: it takes every name that the system takes."""

from __future__ import annotations

import os
import re
import zipfile

__all__ = ["Member", "entry_of", "line_of", "name_of_member", "printable"]

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
"""As sha256sum writes them."""

_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}


class Member(zipfile.ZipInfo):
    """A member whose name need not be UTF-8: then it has the bytes of the name, and does not say that they are."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - called by zipfile
        try:
            return super()._encodeFilenameFlags()  # type: ignore[misc,no-any-return]
        except UnicodeEncodeError:
            return os.fsencode(self.filename), self.flag_bits


def name_of_member(info: zipfile.ZipInfo) -> str:
    """Return the name of a file; zipfile takes names that do not say to be UTF-8 for those of a code page."""
    if info.flag_bits & 0x800:
        return info.filename
    return info.filename.encode("cp437").decode(errors="surrogateescape")


def line_of(checksum: str, name: str) -> str:
    """Return the line of a file, as sha256sum writes it."""
    escaped = re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], name)
    return f"{'' if escaped == name else chr(92)}{checksum}  {escaped}\n"


def entry_of(line: str) -> tuple[str, str]:
    """Return name and checksum of a line."""
    checksum, _, name = line.removeprefix("\\").partition("  ")
    if line.startswith("\\"):
        name = re.sub(r"\\[\\nr]", lambda found: _CHARACTERS[found[0]], name)
    return name, checksum


def printable(name: object) -> str:
    """Return a name as it can be shown: it may have what no terminal takes, or what a terminal does something at."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(name))
