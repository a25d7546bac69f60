"""Each row of the field notes names tests, and each of them is there."""

import pytest

from tests.contracts.claims import ROOT, rows_of, wrong_with

NOTES = (ROOT / "docs" / "field-notes.md").read_text(encoding="utf-8")
ROWS = rows_of("field-notes.md")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_a_row_has_its_tests(row: str) -> None:
    assert wrong_with(row) == ""


def test_the_rows_are_found() -> None:
    heads = sum(line.startswith("|---") for line in NOTES.splitlines())
    assert len(ROWS) == sum(line.startswith("| ") for line in NOTES.splitlines()) - heads > 20
