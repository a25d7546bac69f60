"""docs/performance.md is what the kept figures say, with every row of the table, and misses are called that."""

from pathlib import Path

import pytest

from bench import kept, page
from bench.rows import Figure, Outcome, at_least, at_most, milliseconds
from bench.table import ROWS


def test_the_page_is_made_of_the_kept_figures() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_every_row_is_on_the_page_measured_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "FILE", tmp_path / "figures.json")
    text = page.page()
    assert all(f"## {row.number}. {row.title}\n" in text for row in ROWS)
    assert text.count("| not measured yet |") == len(ROWS)


def test_a_goal_that_was_missed_or_not_measured_is_never_called_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "FILE", tmp_path / "figures.json")
    outcome = Outcome(
        figures=(Figure(label="ours", value="7 ms"), milliseconds("scan | xargs", 6.6449)),
        goals=(
            at_least("faster", 100.0, 80, smoke=1),
            at_most("of the floor", 1.5, 1.3, smoke=100),
            at_most("not looked at", None, 1, smoke=100),
        ),
        costs={"seconds a reply": 0.001},
    )
    kept.keep(ROWS[0], outcome, 12.34)
    kept.keep(ROWS[1], "could not be measured: it broke", 1.0)
    text = page.page()
    assert "| **1 of 3** |" in text
    assert "| scan \\| xargs | 6,640 ms |" in text, "in one cell, and without an exponent"
    assert "| faster ≥ 80 × | 100 × | reached |" in text
    assert "| of the floor ≤ 1.3 × | 1.5 × | **missed** |" in text
    assert "| not looked at ≤ 1 × | not measured | **missed** |" in text
    assert "could not be measured: it broke" in text
    assert "1.00 ms for each reply" in text, "the scale on paper calculates with it"
