"""Each row of the field notes names tests, and each of them is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTES = (ROOT / "docs" / "field-notes.md").read_text(encoding="utf-8")
ROWS = [line for line in NOTES.splitlines() if re.match(r"\| (?!What goes wrong)", line)]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


@cache
def _functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, functions))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_a_row_has_its_tests(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 3, "what goes wrong, what the bot does, and what holds it"
    named = NAMED.findall(cells[2])
    assert named, "a row without a test is a hope"
    assert NAMED.sub("", cells[2]).strip() == "", "the last cell has nothing but tests"
    missing = [f"{path}::{name}" for path, name in named if name not in _functions_of(path)]
    assert not missing


def test_the_rows_are_found() -> None:
    assert len(ROWS) == sum(line.startswith("| ") for line in NOTES.splitlines()) - NOTES.count(
        "| What goes wrong |"
    )
