"""docs/performance.md, written by a whole run: machine, versions, date, every row with its goals."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench import scale_on_paper
from bench.rows import Outcome, Row, Scale

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_VERSIONS = ("celery", "kombu", "redis", "sqlalchemy", "slack-bolt", "aiohttp", "flower")


def write_page(outcomes: Mapping[Row, Outcome | str], scale: Scale) -> None:
    """Write the page anew; its last part calculates with the costs that the rows measured."""
    costs: dict[str, float] = {}
    for outcome in outcomes.values():
        costs |= outcome.costs if isinstance(outcome, Outcome) else {}
    parts = [_head(), *(_section(row, outcome, scale) for row, outcome in outcomes.items())]
    PAGE.write_text("\n".join([*parts, scale_on_paper.section(costs)]), encoding="utf-8")


def _head() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in _VERSIONS)
    return (
        "# Performance\n\n"
        "Written by `./dev bench`: us, the peers and the floor, interleaved in one run. Ratios are the goal; absolute "
        "figures only illustrate.\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}; {versions}.\n"
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _section(row: Row, outcome: Outcome | str, scale: Scale) -> str:
    if isinstance(outcome, str):
        return f"## {row.number}. {row.title}\n\n{outcome}\n"
    if outcome.skipped:
        return f"## {row.number}. {row.title}\n\nSkipped: {outcome.skipped}.\n"
    lines = [f"## {row.number}. {row.title}", "", "| Measured | |", "|---|---|"]
    lines += [f"| {figure.label} | {figure.value} |" for figure in outcome.figures]
    lines += ["", "| Goal | Reached | |", "|---|---|---|"]
    for goal in outcome.goals:
        sign = "≥" if goal.at_least else "≤"
        reached = "not measured" if goal.reached is None else f"{goal.reached:.3g} {goal.unit}"
        verdict = "reached" if goal.met(scale) else "**missed**"
        lines.append(f"| {goal.label} {sign} {goal.bound:g} {goal.unit} | {reached} | {verdict} |")
    lines += ["", *outcome.notes, ""] if outcome.notes else [""]
    return "\n".join(lines)
