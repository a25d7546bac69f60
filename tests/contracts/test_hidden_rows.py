"""Whoever asks for rows of `tasks` leaves out those that are hidden, or has its reason here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DELIVERED = sorted(
    path for folder in ("knowledge_base_agent", "bot") for path in (ROOT / folder).rglob("*.py")
)
LEAVES_OUT = {
    "shown", "shown_beside", "meant", "seen_parts", "seen_places", "locked_clearings",
    "parts_to_clear",
}  # fmt: skip
"""What has the condition in it, in `hidden.py` and `clearing.py`; who writes rows has looked at what is hidden."""

REASONS = {
    "batches.py:_load": "loads what is hidden too; `write_entries` moves that aside",
    "clear_steps.py:_edge": "looks for the ends of a step, whose rows are removed by the condition",
    "clear_steps.py:_spared": "looks at marks, and leaves the rest to the step",
    "clear_steps.py:_span": "leaves the condition to `_remove_range`, which has looked under the lock",
    "clear_steps.py:_removed": "gets the condition from the step",
    "cleared.py:_forget": "keeps the message of a row that is hidden under another keepsake",
    "clearing.py:_which": "columns alone",
    "clearing.py:_digest": "asks for one row that was counted among those that are seen",
    "hiding.py:hidden_ids": "asks for what is hidden",
    "hidden.py": "what the condition is made of",
    "moving_out.py:move_out": "gets the condition from whoever moves",
    "portions.py": "is asked for the times in which nothing is hidden",
    "row_writing.py:_for_postgresql": "writes what `write_entries` has looked at",
    "task_filter.py": "the other half of the condition",
    "task_history.py:latest": "`_of_state` has the condition",
    "task_history.py:oldest": "`_of_state` has the condition",
}


def offences(path: str, source: str) -> list[str]:
    """Return the functions that ask for rows and say nothing of those that are hidden."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
        if "TASKS" in names and not names & LEAVES_OUT:
            found.append(f"{path}:{function.name}")
    return found


def excused(function: str) -> str | None:
    """Return the entry of `REASONS` that a function is excused by."""
    return next((one for one in REASONS if one in (function, function.split(":")[0])), None)


def test_who_asks_for_rows_leaves_out_those_that_are_hidden() -> None:
    found = [
        one for path in DELIVERED for one in offences(path.name, path.read_text(encoding="utf-8"))
    ]
    assert [one for one in found if excused(one) is None] == []


def test_each_excuse_is_needed() -> None:
    used = {excused(one) for path in DELIVERED for one in offences(path.name, path.read_text())}
    assert REASONS.keys() - used == set()


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ("return select(TASKS.c.id)", True),
        ("return select(TASKS.c.id).where(shown(connection))", False),
        ("return select(OTHERS.c.id)", False),
    ],
)
def test_a_query_without_the_condition_is_seen(body: str, bad: bool) -> None:
    assert bool(offences("new.py", f"def ask(connection):\n    {body}")) == bad
