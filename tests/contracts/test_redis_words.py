"""Nothing that is delivered flushes a Redis, lists all its keys, or unpickles what comes out of it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DELIVERED = sorted(
    path for folder in ("knowledge_base_agent", "bot") for path in (ROOT / folder).rglob("*.py")
)
NEVER_CALLED = {"flushdb", "flushall", "keys"}
NEVER_SAID = {"FLUSHDB", "FLUSHALL", "KEYS"}


def offences(source: str) -> list[str]:
    """Return what of it must not be there. A dictionary's `keys()` takes no argument, Redis's takes a pattern."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in NEVER_CALLED and (name != "keys" or node.args):
                found.append(f"{node.lineno}: {name}")
        if isinstance(node, ast.Constant) and node.value in NEVER_SAID:
            found.append(f"{node.lineno}: {node.value}")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [one.name for one in node.names] + [getattr(node, "module", "") or ""]
            found += [f"{node.lineno}: {one}" for one in names if one in {"pickle", "marshal"}]
    return found


def test_no_redis_is_flushed_or_listed_whole_and_nothing_is_unpickled() -> None:
    found = {path: offences(path.read_text(encoding="utf-8")) for path in DELIVERED}
    assert len(found) > 100, "all of it was looked at"
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    ["r.flushdb()", "r.keys('progress:*')", "r.execute_command('KEYS', '*')", "import pickle"],
)
def test_what_must_not_be_there_is_seen(line: str) -> None:
    assert offences(line)
