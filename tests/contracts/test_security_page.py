"""Each row of the threat model names tests, and each of them is there."""

import pytest

from tests.contracts.claims import rows_of, wrong_with

ROWS = rows_of("security.md")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_a_threat_has_its_tests(row: str) -> None:
    assert wrong_with(row) == ""


def test_the_rows_are_found_and_a_claim_without_a_test_is_told() -> None:
    assert len(ROWS) > 20
    assert "a hope" in wrong_with("| a | b | because we say so |")
    assert "there is no" in wrong_with("| a | b | `tests/bot/test_people.py::test_of_nothing` |")
