"""`workers rate-limit`: how many tasks of a name each worker may start in a time."""

import difflib
import re
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.rate_limits import limit_rate
from knowledge_base_agent.fleet.telling import Told
from knowledge_base_agent.operations.chosen_workers import chosen_workers
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.undo_rates import keep_rates
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_TELL_SECONDS = 4.0
_RATE = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,3})?)(?:/(?P<unit>[smh]))?")
_COLUMNS = (
    Column(key="worker", label="Worker"),
    Column(key="accepted", label="Accepted"),
    Column(key="said", label="What it said"),
)


def rate(text: str) -> str:
    """Read `10/s`, `10/m`, `10/h`, or `none` for no limit (Celery's own word for that is 0)."""
    if text.lower() == "none":
        return "0"
    found = _RATE.fullmatch(text)
    if found is None or float(found["number"]) == 0:
        raise ValueError("a rate such as 10/s, 10/m or 10/h, or none; 0 would mean no limit")
    return text


class RateLimitArguments(Arguments):
    """Which task, and how many of it."""

    name: Annotated[
        str, Word(read=free_text, help="the task's name", example="agent.fetch", positional=True)
    ]
    rate: Annotated[
        str,
        Word(
            read=rate, help="how many a worker may start, or none", example="10/m", positional=True
        ),
    ]


def _answer(deployment: "Deployment", arguments: RateLimitArguments, progress: Progress) -> Report:
    fleet = deployment.fleet
    view = fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    nodes = chosen_workers(fleet, view, ())
    keep_rates(deployment, arguments.name, arguments.rate, nodes)
    told = limit_rate(fleet, Deadline.after(_TELL_SECONDS), arguments.name, arguments.rate, nodes)
    parts: list[Part] = [_table(told, nodes)]
    if any("unknown task" in one.said for one in told.refusals):
        parts.append(_unknown(deployment, arguments.name))
    per_worker = "The limit is for each worker by itself, so {n} of them start {n} times as many; it is gone when one "
    parts.append(Note(text=per_worker.format(n=len(nodes)) + "restarts."))
    parts += headcount_notes(view)
    accepted = len({one.worker for one in told.answers if one.accepted})
    every = accepted == len(nodes) and not told.refusals
    what = "no limit" if arguments.rate == "0" else f"at most {arguments.rate} a worker"
    name = plain(arguments.name, 80)
    return Report(
        title=f"Rate of {name}" if every else f"Rate of {name}: not all workers",
        text=f"{name}, {what}: {accepted} of {counted(len(nodes), 'worker')} accepted ({headcount(view)}).",
        parts=tuple(parts),
        tone=Tone.GOOD if every else Tone.WARNING,
        actions=(Action(label="Workers", words="workers"),),
        succeeded=every,
        taken_at=utc_now(),
    )


def _table(told: Told, nodes: tuple[str, ...]) -> Table:
    refused = {one.worker for one in told.refusals}
    answered = {one.worker for one in told.answers}
    rows = tuple(
        Row(
            cells=(
                plain(name, 80),
                None if name not in answered else "no" if name in refused else "yes",
                plain(told.said_by(name), 200),
            ),
            tone=Tone.NEUTRAL if name in answered - refused else Tone.WARNING,
        )
        for name in nodes
    )
    return Table(caption="Workers", columns=_COLUMNS, rows=rows, total=len(rows))


def _unknown(deployment: "Deployment", name: str) -> Note:
    known = [one for one in deployment.app.tasks if not one.startswith("celery.")]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" Did you mean {plain(close[0], 80)}?" if close else ""
    return Note(text=f"Workers don't know “{plain(name, 80)}”.{meant}", tone=Tone.WARNING)


RATE_LIMIT = Operation[RateLimitArguments, Target](
    name="workers rate-limit",
    summary="Limits how many tasks of a name each worker may start, until it restarts.",
    risk=Risk.CHANGE,
    arguments=RateLimitArguments,
    answer=_answer,
)
