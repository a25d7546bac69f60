"""Who may read the environment: the settings alone, so that every setting is in one place."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THE_READER = "knowledge_base_agent/settings.py"
_READERS = {"environ", "environb", "getenv", "getenvb"}


def readings(text: str) -> list[int]:
    """Return the lines on which a program reaches for the environment."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Attribute) and node.attr in _READERS)
        or (isinstance(node, ast.ImportFrom) and _READERS & {alias.name for alias in node.names})
    ]


@pytest.mark.parametrize("package", ["bot", "knowledge_base_agent"])
def test_only_the_settings_read_the_environment(package: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): readings(path.read_text(encoding="utf-8"))
        for path in (ROOT / package).rglob("*.py")
    }
    assert {name: lines for name, lines in found.items() if lines and name != THE_READER} == {}


@pytest.mark.parametrize(
    "program", ["import os\nos.environ['X']", "from os import getenv", "import os\nos.getenv('X')"]
)
def test_a_reading_is_seen_however_it_is_written(program: str) -> None:
    assert readings(program)
