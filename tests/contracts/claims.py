"""Tests that a page of the documentation names, as `tests/…/test_x.py::test_y`: are they there?"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


@cache
def _functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, functions))


def rows_of(page: str) -> list[str]:
    """Return the rows of a page's tables, without their heads."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    return [
        line for number, line in enumerate(lines) if line.startswith("| ") and number not in heads
    ]


def wrong_with(row: str) -> str:
    """Return what is wrong with a row whose last of three cells must name tests; empty where nothing is."""
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    if len(cells) != 3:
        return f"it has {len(cells)} cells: what goes wrong, what stops it, and what holds that"
    named = NAMED.findall(cells[2])
    if not named or NAMED.sub("", cells[2]).strip():
        return (
            "its last cell has nothing but tests, and at least one: a row without a test is a hope"
        )
    missing = [f"{path}::{name}" for path, name in named if name not in _functions_of(path)]
    return f"there is no {', '.join(missing)}" if missing else ""
