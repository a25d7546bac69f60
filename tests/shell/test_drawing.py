"""What a terminal draws beside text: bars, and facts whose words stay whole."""

import io

from rich.console import Console

from knowledge_base_agent.cli.rendering import show
from knowledge_base_agent.report import Column, Fact, Facts, Part, Report, Row, Table


def drawn(part: Part, width: int) -> str:
    screen = io.StringIO()
    show(Console(file=screen, width=width), Report(title="T", text="t", parts=(part,)))
    return screen.getvalue()


def tasks(*shares: float | None) -> Table:
    columns = tuple(Column(key=key, label=key) for key in ("name", "worker", "queue", "id"))
    rows = tuple(
        Row(cells=("agent.process", "one@host", "agent", f"id-{n}"), progress=share)
        for n, share in enumerate(shares)
    )
    return Table(caption="Active tasks", columns=columns, rows=rows, total=len(rows))


def test_a_task_that_tells_its_progress_has_a_bar_and_one_that_does_not_has_none() -> None:
    table = drawn(tasks(0.42, None), width=100)
    told, untold = (next(x for x in table.splitlines() if one in x) for one in ("id-0", "id-1"))
    assert "████░░░░░░  42 %" in told
    assert "%" not in untold, "unknown is not zero"
    assert "Done" not in drawn(tasks(None), width=100)


def test_a_narrow_terminal_has_the_bar_in_each_tasks_card() -> None:
    cards = drawn(tasks(1.7, None), width=30)
    assert "██████████ 100 %" in cards
    assert cards.count("Done") == 1


def test_the_name_of_a_state_is_not_cut_short() -> None:
    facts = Facts(
        title="Rows by state",
        items=(Fact(label="PROGRESS", value=1), Fact(label="SUCCESS", value=115)),
    )
    assert "PROGRESS" in drawn(facts, width=200)
    why = Facts(title="", items=(Fact(label="PROGRESS", value=None, why="it is silent"),))
    assert "PROGRESS  unknown  (it is silent)" in drawn(why, width=200)
