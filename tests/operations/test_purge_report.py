"""What is said of a purge whose answer was lost: unknown is never called zero, in no place that is kept."""

import pytest

from knowledge_base_agent.fleet.purging import Emptied, untried
from knowledge_base_agent.operations.purge_report import purge_report

LOST = Emptied(queue="agent", removed=None, problem="The broker did not answer in time.")
DONE = Emptied(queue="celery", removed=7)
_UNKNOWN = (
    "f agent it is unknown: no answer came, so what waited there may have gone, or goes as soon as the broker does "
    "what it was told"
)


@pytest.mark.parametrize(
    ("emptied", "said"),
    [
        ([DONE], "Removed 7 messages from 1 queue"),
        ([Emptied(queue="a", removed=0), DONE], "Removed 7 messages from 2 queues"),
        ([LOST], f"O{_UNKNOWN}"),
        ([DONE, LOST], f"Removed 7 messages from 1 queue; o{_UNKNOWN}"),
        ([LOST, untried("b"), untried("c")], f"O{_UNKNOWN}; b, c: not begun"),
        ([DONE, untried("b")], "Removed 7 messages from 1 queue; b: not begun"),
    ],
)
def test_what_became_of_each_queue_is_said(emptied: list[Emptied], said: str) -> None:
    report = purge_report(emptied, None, ())
    assert report.text == f"{said}; what is left is unknown."
    assert report.succeeded is all(one.problem is None for one in emptied)
    assert report.data["removed"] == {one.queue: one.removed for one in emptied}


def test_of_very_many_queues_some_are_named() -> None:
    report = purge_report([LOST, *(untried(f"q{n}") for n in range(9))], None, ())
    assert "q0, q1, q2, q3, q4 and 4 more queues: not begun" in report.text
