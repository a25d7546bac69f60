"""`./dev bench`: measure every row of the table, print it, and write docs/performance.md."""

import argparse
import sys
import time
import traceback

from bench.kept import keep
from bench.page import write_page
from bench.rows import Outcome, Row, Scale
from bench.short_form import short_form
from bench.table import ROWS


def main() -> int:
    """Measure what was asked for; return 1 if a goal was missed or a row could not be measured."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--smoke", action="store_true", help="a short form with generous bounds, for CI"
    )
    parser.add_argument(
        "--only", type=int, action="append", help="measure this row alone (again: and this)"
    )
    parser.add_argument(
        "--no-page",
        action="store_true",
        help="leave docs/performance.md and its figures as they are",
    )
    asked = parser.parse_args()
    if asked.smoke and not asked.only:
        return short_form((row.number for row in ROWS), _short)
    rows = [row for row in ROWS if not asked.only or row.number in asked.only]
    began = time.monotonic()
    reached = [_one(row, Scale(smoke=asked.smoke), page=not asked.no_page) for row in rows]
    if not asked.only:
        sys.stdout.write(f"{time.monotonic() - began:.0f} s in all\n")
    return 0 if all(reached) else 1


def _short(number: int) -> bool:
    scale = Scale(smoke=True)
    reached = [_one(row, scale, page=False) for row in ROWS if row.number == number]
    return all(reached)


def _one(row: Row, scale: Scale, *, page: bool) -> bool:
    started = time.monotonic()
    outcome = _measure(row, scale)
    seconds = time.monotonic() - started
    _say(row, outcome, scale, seconds)
    if page and not scale.smoke:
        keep(row, outcome, seconds)
        write_page()
    return _met(outcome, scale)


def _measure(row: Row, scale: Scale) -> Outcome | str:
    try:
        return row.run(scale)
    except Exception as error:  # noqa: BLE001 - one row that breaks must not lose the others' figures
        traceback.print_exc()
        return f"could not be measured: {type(error).__name__}: {error}"


def _met(outcome: Outcome | str, scale: Scale) -> bool:
    return isinstance(outcome, Outcome) and outcome.met(scale)


def _say(row: Row, outcome: Outcome | str, scale: Scale, seconds: float) -> None:
    verdict = "reached" if _met(outcome, scale) else "MISSED"
    if isinstance(outcome, Outcome) and outcome.skipped:
        verdict = f"skipped, {outcome.skipped}"
    sys.stdout.write(f"{row.number:>2}  {row.title}: {verdict} ({seconds:.0f} s)\n")
    if isinstance(outcome, str):
        sys.stdout.write(f"      {outcome}\n")
    else:
        for figure in outcome.figures:
            sys.stdout.write(f"      {figure.label}: {figure.value}\n")
        for goal in outcome.goals:
            sign = "+" if goal.met(scale) else "-"
            sys.stdout.write(f"    {sign} {goal.said(scale)}\n")
        for note in outcome.notes:
            sys.stdout.write(f"      {note}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
