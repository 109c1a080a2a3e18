"""Writes the TypeScript declarations of PocketBase's JavaScript runtime, for checking the hooks.

Usage: python tools/pocketbase_types.py .cache/pocketbase/types.d.ts

PocketBase puts them into its data directory whenever it starts; a command that needs no port is enough.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

BINARY = Path(sysconfig.get_path("scripts")) / "pocketbase"

# Where the generated declarations are weaker, or stricter, than what the server does.
CORRECTIONS = (
    # Go interfaces get an index signature, with which a misspelt method of `tx` or `tx.db()` goes unnoticed.
    (r"( interface (?:App|Builder) \{\n)  \[key:string\]: any;\n", r"\1", 2),
    # "It is expected that the Response and Request fields are always set."
    (r"\brequest\?: http\.Request\n", "request: http.Request\n", 1),
    # Lists of records have no gaps.
    (r"\bArray<\(Record \| undefined\)>", "Array<Record>", 1),
    # `Partial<Collection>` wants the methods of a collection, not the data it is made from.
    (r"constructor\(data\?: Partial<Collection>\)", "constructor(data: CollectionSpec)", 1),
)


def generate() -> str:
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            [
                BINARY,
                "migrate",
                "up",
                f"--dir={directory}/data",
                f"--hooksDir={directory}/hooks",
                f"--migrationsDir={directory}/migrations",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return Path(directory, "data", "types.d.ts").read_text(encoding="utf-8")


def correct(types: str) -> str:
    for pattern, replacement, at_least in CORRECTIONS:
        types, count = re.subn(pattern, replacement, types)
        if count < at_least:
            message = f"PocketBase's types.d.ts has changed: {pattern!r} matches {count} times"
            raise SystemExit(message)
    return types


def main() -> None:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(correct(generate()), encoding="utf-8")


if __name__ == "__main__":
    main()
