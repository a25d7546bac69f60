"""What is calculated for a scale that nobody measured: the worst first, and what was not measured by its name."""

from bench.scale_on_paper import section


def rows_of(page: str) -> list[str]:
    """Return the lines of the table, without its head."""
    return [line for line in page.splitlines() if line.startswith("| ")][1:]


def test_what_breaks_first_stands_first() -> None:
    page = section(
        {
            "seconds a reply": 0.0004,
            "entries a second, PostgreSQL": 25_000,
            "messages told a second": 500_000,
        }
    )
    first, second, third = rows_of(page)
    assert "the recorder into PostgreSQL" in first
    assert "8.0 recorders" in first
    assert "20 s of the 5 s" in second
    assert "0.40 s of the 1 s" in third


def test_a_cost_that_was_not_measured_is_named_and_not_guessed() -> None:
    page = section({"entries a second, SQLite": 30_000})
    assert len(rows_of(page)) == 1
    missing = page.partition("Not measured in this run: ")[2].splitlines()[0]
    assert "entries a second, PostgreSQL" in missing
    assert "entries a second, SQLite" not in missing
    assert "GB" not in page, "the size of a row is not known"
