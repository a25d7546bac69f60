"""What 1,000 workers, 50,000 tasks a second and 100,000,000 rows would take: calculated, and not measured.

From the costs that the rows of the same run measured (`Outcome.costs`). Each line says what of its budget would be used
up; what needs most of it breaks first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

WORKERS = 1_000
TASKS_A_SECOND = 50_000
ENTRIES_A_TASK = 4
"""Published, received, started, ended: what `track(app)` writes for a task that succeeds at once."""
ROWS = 100_000_000
TO_CLEAR = ROWS // 10
"""Rows that become old within a day, if ten days are kept."""
DEADLINE = 1.0
"""Seconds that a question to workers may take before its answers are told as incomplete."""
CAP = 1_000_000
"""Entries of the history stream that are kept while the recorder is away."""
QUEUED = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table at that scale: what it would take, and of which budget. `share` above 1 is too much."""

    row: str
    cost: str
    taken: str
    share: float
    turn: str


_ABOUT = (
    f"What {WORKERS:,} workers, {TASKS_A_SECOND:,} tasks a second and {ROWS:,} rows would take, calculated from the "
    "costs above; nothing was measured at that size. The first line breaks first.\n"
)
Calculation = Callable[[float], Line]


def _question(seconds: float) -> Line:
    taken = seconds * WORKERS
    return Line(
        row="1, a question to every worker",
        cost=f"{seconds * 1e3:.2f} ms for each reply",
        taken=f"{taken:.2f} s of the {DEADLINE:g} s it may take",
        share=taken / DEADLINE,
        turn="ask by `--worker` or `--queue`; a longer deadline",
    )


def _recorder(name: str) -> Calculation:
    def line(a_second: float) -> Line:
        wanted = TASKS_A_SECOND * ENTRIES_A_TASK
        return Line(
            row=f"6, the recorder into {name}",
            cost=f"{a_second:,.0f} entries a second on one core",
            taken=f"{wanted:,} entries a second come: {wanted / a_second:.1f} recorders",
            share=wanted / a_second,
            turn="several recorders, each with a share of the tasks by the hash of the id, on a stream of its own; or "
            "sampling: every failure, and one success in ten",
        )

    return line


def _tracking(seconds: float) -> Line:
    return Line(
        row="7, tracking in the workers",
        cost=f"{seconds * 1e6:.0f} µs of a worker's time for each task",
        taken=f"{seconds * TASKS_A_SECOND:.1f} cores of the whole fleet",
        share=seconds * TASKS_A_SECOND / WORKERS,
        turn="nothing: it grows with the workers themselves",
    )


def _clear(name: str) -> Calculation:
    def line(a_second: float) -> Line:
        hours = TO_CLEAR / a_second / 3600
        return Line(
            row=f"9, the daily clear in {name}",
            cost=f"{a_second:,.0f} rows a second, hidden at once and removed a day later",
            taken=f"{TO_CLEAR:,} rows a day: {hours:.1f} h of 24",
            share=hours / 24,
            turn="history in partitions by day (PostgreSQL), of which the oldest is dropped whole",
        )

    return line


def _exact(a_second: float) -> Line:
    seconds = QUEUED / a_second
    return Line(
        row="11, a queue told exactly",
        cost=f"{a_second:,.0f} messages a second",
        taken=f"{QUEUED:,} deep: {seconds:.0f} s of the 5 s that an answer may take",
        share=seconds / 5,
        turn="the estimate, which takes the same time at any depth",
    )


_LINES: Mapping[str, Calculation] = {
    "seconds a reply": _question,
    "entries a second, PostgreSQL": _recorder("PostgreSQL"),
    "entries a second, SQLite": _recorder("SQLite"),
    "seconds a tracked task": _tracking,
    "rows cleared a second, PostgreSQL": _clear("PostgreSQL"),
    "rows cleared a second, SQLite": _clear("SQLite"),
    "messages told a second": _exact,
}


def section(costs: Mapping[str, float]) -> str:
    """Return the last part of the page; a cost that this run did not measure is named as missing."""
    lines = sorted(
        (line(costs[name]) for name, line in _LINES.items() if name in costs),
        key=lambda one: one.share,
        reverse=True,
    )
    parts = [
        "## Scale on paper\n",
        _ABOUT,
        "| Row | Measured here | At that scale | Of its budget | What to turn |",
        "|---|---|---|---|---|",
        *(
            f"| {one.row} | {one.cost} | {one.taken} | {one.share:.2g} × | {one.turn} |"
            for one in lines
        ),
    ]
    if missing := [name for name in _LINES if name not in costs]:
        parts.append(f"\nNot measured in this run: {'; '.join(missing)}.")
    parts.append(_also(costs))
    return "\n".join(parts) + "\n"


def _also(costs: Mapping[str, float]) -> str:
    """Return what does not grow, and what is a matter of memory and disk."""
    held = CAP / (TASKS_A_SECOND * ENTRIES_A_TASK)
    said = [
        "\nKept counters (5), a purge (10) and an acknowledgement (3) do not depend on any of the three numbers.",
        f"The stream holds {CAP:,} entries while the recorder is away: {held:.0f} s at that rate, then gaps are told.",
        "A larger cap (`track(app, cap=…)`) costs Redis its memory.",
    ]
    if "bytes a row" in costs:
        said.append(
            f"{ROWS:,} rows are {costs['bytes a row'] * ROWS / 1e9:,.0f} GB in SQLite, which is one file and one "
            "writer: at that size PostgreSQL is the place."
        )
    return " ".join(said) + (
        " Several recorders, partitions and sampling are not built: until a deployment needs them, they would be "
        "settings that nobody has tried."
    )
