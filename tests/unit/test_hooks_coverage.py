"""What measures the hooks changes nothing of what they do, and sees what did not run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.hooks import NODE
from tests.support.services import require
from tests.support.sources import ROOT

MODULE = """\
"use strict";
const pick = (items, wanted) => items.filter((item) => item.size > 1 && wanted(item));

function kind(value) {
  if (value === null) return "null";
  else if (value === undefined) return "none";
  for (const letter of "ab") if (letter === value) return `letter ${letter}`;
  switch (typeof value) {
    case "number":
      return value < 0 ? "negative" : "number";
    default:
      return "other";
  }
}

module.exports = { pick, kind, made: () => ({ a: [1] }) };
"""

RUN = """
globalThis.$os = { writeFile: (path) => require("fs").writeFileSync(path, "") };
const { pick, kind, made } = require(process.argv[1]);
const items = [{ size: 1 }, { size: 2 }];
console.log(JSON.stringify([pick(items, () => true), kind(null), kind("b"), kind(3), kind(true), made()]));
"""

SAME = [[{"size": 2}], "null", "letter b", "number", "other", {"a": [1]}]
MISSED = "6 10"  # "none" and "negative"


def tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    require(NODE is not None and (ROOT / "node_modules" / "eslint").is_dir(), "ESLint")
    command = [str(NODE), str(ROOT / "tools" / "hooks_coverage.mjs"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Return a module that writes down what runs, in a directory beside it."""
    module = tmp_path / "hooks" / "owui" / "group" / "a.js"
    module.parent.mkdir(parents=True)
    module.write_text(MODULE)
    done = tool("mark", tmp_path / "hooks", tmp_path / "ran")
    assert done.returncode == 0, done.stderr
    return module


def test_what_ran_is_told_from_what_did_not(marked: Path, tmp_path: Path) -> None:
    done = subprocess.run([str(NODE), "-e", RUN, marked], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == SAME
    report = tool("report", tmp_path / "ran", "90")
    (line, total) = report.stdout.splitlines()
    file, share, missed = line.split("  ")
    assert (file, missed) == ("owui/group/a.js", MISSED)
    assert 50 < int(share.removesuffix("%")) < 90
    assert "at least 90% have to" in total
    assert report.returncode == 1
    assert tool("report", tmp_path / "ran", "50").returncode == 0


def test_node_alone_writes_nothing(marked: Path, tmp_path: Path) -> None:
    subprocess.run([str(NODE), "-e", f"require({json.dumps(str(marked))}).kind(1)"], check=True)
    assert [path.name for path in (tmp_path / "ran").iterdir()] == ["places.json"]
