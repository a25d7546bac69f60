"""Every dependency has its reason in CONTRIBUTING, and no lock file tells an address."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = [
    match[1].lower()
    for file in sorted(ROOT.glob("requirements*.in"))
    for line in file.read_text().splitlines()
    if (match := re.match(r"([A-Za-z][\w.-]*)", line))
]


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_contributing_says_why_a_dependency_is_there(name: str) -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Dependencies")[2].lower()
    words = name.removeprefix("pytest-")
    assert re.search(rf"\b{re.escape(words)}\b", section), f"{name} has no reason"


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda p: p.name)
def test_a_lock_pins_by_hash_and_tells_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    pins = [line for line in text.splitlines() if re.match(r"[a-z].*==", line)]
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
