"""Which lines are new since the last look, also where the store has dropped old ones."""

import pytest

from knowledge_base_agent.cli.following import Line, after


def lines(letters: str) -> list[Line]:
    return [{"at": None, "level": "INFO", "text": letter} for letter in letters]


@pytest.mark.parametrize(
    ("seen", "now", "new"),
    [
        ("", "ab", "ab"),
        ("ab", "abc", "c"),
        ("ab", "ab", ""),
        ("abc", "bcd", "d"),
        ("ab", "xyz", "xyz"),
        ("bc", "abcd", "d"),
    ],
)
def test_each_line_is_printed_once(seen: str, now: str, new: str) -> None:
    assert after(lines(seen), lines(now)) == lines(new)
