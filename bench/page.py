"""`docs/performance.md`, made of the kept figures. `python -m bench.page` writes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import scale_on_paper
from bench.kept import Kept, kept
from bench.rows import Goal, Row, Scale, digits
from bench.table import ROWS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_HEAD = """# Performance

Written by `./dev bench`: us, the peers and the floor, interleaved round by round, so that a slow moment hits all of
them alike. Ratios are the goal; absolute figures only illustrate. `./dev bench` measures every row, `./dev bench --only
9` one of them anew.

| # | What | Goals reached | Measured, UTC |
|---|---|---|---|"""
_FULL = Scale(smoke=False)


def page() -> str:
    """Return the whole page."""
    found = {row: kept(row) for row in ROWS}
    machines = sorted({one.on for one in found.values() if one})
    parts = [
        _HEAD,
        *(_summary(row, one) for row, one in found.items()),
        "",
        *(f"On {machine}.\n" for machine in machines),
        *(_section(row, one) for row, one in found.items()),
        scale_on_paper.section(_costs(found)),
    ]
    return "\n".join(parts)


def _costs(found: Mapping[Row, Kept | None]) -> dict[str, float]:
    costs: dict[str, float] = {}
    for one in found.values():
        if one and one.outcome:
            costs |= one.outcome.costs
    return costs


def _summary(row: Row, one: Kept | None) -> str:
    if one is None:
        return f"| {row.number} | {row.title} | not measured yet | – |"
    if one.outcome is None or one.outcome.skipped:
        return f"| {row.number} | {row.title} | none: see below | {one.at} |"
    reached = sum(goal.met(_FULL) for goal in one.outcome.goals)
    all_of = len(one.outcome.goals)
    said = f"all {all_of}" if reached == all_of else f"**{reached} of {all_of}**"
    return f"| {row.number} | {row.title} | {said} | {one.at} |"


def _section(row: Row, one: Kept | None) -> str:
    title = f"## {row.number}. {row.title}\n"
    if one is None:
        return f"{title}\nNot measured yet.\n"
    if one.outcome is None:
        return f"{title}\n{one.why_not}\n"
    if one.outcome.skipped:
        return f"{title}\nSkipped: {one.outcome.skipped}.\n"
    lines = [title, "| Measured | |", "|---|---|"]
    lines += [f"| {_cell(each.label)} | {_cell(each.value)} |" for each in one.outcome.figures]
    lines += ["", *_goals(one.outcome.goals), "", *one.outcome.notes]
    return "\n".join(lines).rstrip() + "\n"


def _goals(goals: Sequence[Goal]) -> list[str]:
    lines = ["| Goal | Reached | |", "|---|---|---|"]
    for goal in goals:
        sign = "≥" if goal.at_least else "≤"
        reached = "not measured" if goal.reached is None else f"{digits(goal.reached)} {goal.unit}"
        verdict = "reached" if goal.met(_FULL) else "**missed**"
        said = f"{_cell(goal.label)} {sign} {goal.bound:g} {goal.unit}"
        lines.append(f"| {said} | {reached} | {verdict} |")
    return lines


def _cell(text: str) -> str:
    """Return a text that ends no cell."""
    return text.replace("|", "\\|")


def write_page() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write_page()
