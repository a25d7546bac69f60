"""`queued`: what waits in a queue, by the name of its task: an estimate at once, or a count of every message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.purging import known_queue
from knowledge_base_agent.fleet.queue_contents import SMALL, Counted, Estimate
from knowledge_base_agent.fleet.queue_views import QueueDepth
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import queue as read_queue
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_DEPTH_SECONDS = 2.0
_ESTIMATE_SECONDS = 2.0
_COUNT_SECONDS = 60.0
_MOST_QUEUES = 8
_MOST_NAMES = 20
_COLUMNS = (
    Column(key="queue", label="Queue"),
    Column(key="name", label="Task"),
    Column(key="share", label="Part of the queue"),
    Column(key="messages", label="Messages"),
)


class QueuedArguments(Arguments):
    """Which queue, and whether every message is to be read."""

    queue: Annotated[
        str | None,
        Word(
            read=read_queue,
            help="one queue; without it the deepest",
            example="celery",
            positional=True,
        ),
    ] = None
    exact: Annotated[
        bool, Word(read=None, help="read every message, which takes seconds for a million")
    ] = False


@dataclass(kw_only=True)
class _Said:
    """What was found so far, queue by queue."""

    sentences: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, object] = field(default_factory=dict)

    def estimate(self, queue: str, found: Estimate) -> None:
        """Add an estimate, with its error on each figure."""
        parts = [f"{_about(one.share, one.error)} {plain(one.name, 80)}" for one in found.shares]
        self._sentence(queue, found.waiting, parts)
        for one in found.shares[:_MOST_NAMES]:
            low, high = max(0.0, one.share - one.error), min(1.0, one.share + one.error)
            messages = f"{found.waiting * low:,.0f} to {found.waiting * high:,.0f}"
            self._row(queue, one.name, _about(one.share, one.error), messages)
        self.notes.append(
            f"{plain(queue, 60)}: an estimate from {found.read:,} messages at random positions, right in 95 of 100 "
            f"cases; a task with less than {found.unseen:.1%} of the queue may be missing. `--exact` counts them all."
        )
        self.data[queue] = {
            "estimated": True,
            "waiting": found.waiting,
            "read": found.read,
            "shares": {
                one.name: [round(one.share, 4), round(one.error, 4)] for one in found.shares
            },
        }

    def count(self, queue: str, found: Counted) -> None:
        """Add a count; where messages came or went meanwhile, it says so."""
        parts = [f"{number:,} {plain(name, 80)}" for name, number in found.names.items()]
        self._sentence(queue, found.before, parts)
        for name, number in list(found.names.items())[:_MOST_NAMES]:
            self._row(queue, name, f"{number / found.read:.1%}", number)
        if not found.complete:
            self.notes.append(
                f"{plain(queue, 60)}: the time was up after {found.read:,} of {found.before:,} messages, those that "
                "are taken next."
            )
        elif not found.still:
            self.notes.append(
                f"{plain(queue, 60)}: {found.read:,} messages were read while others came or went ({found.before:,} "
                f"waited before, {found.after:,} after), so this is not exact."
            )
        self.data[queue] = {
            "estimated": False,
            "exact": found.still,
            "waiting": found.before,
            "read": found.read,
            "names": dict(found.names),
        }

    def _sentence(self, queue: str, waiting: int, parts: Sequence[str]) -> None:
        more = f" and {len(parts) - 3} more tasks" if len(parts) > 3 else ""
        self.sentences.append(
            f"{plain(queue, 60)}: {waiting:,} waiting, {', '.join(parts[:3])}{more}."
        )

    def _row(self, queue: str, name: str, share: str, messages: str | int) -> None:
        self.rows.append(Row(cells=(plain(queue, 80), plain(name, 120), share, messages)))


def _about(share: float, error: float) -> str:
    return f"≈ {share:.0%} ± {max(error, 0.001):.1%}"


def _answer(deployment: "Deployment", arguments: QueuedArguments, progress: Progress) -> Report:
    if not deployment.fleet.broker_is_redis:
        raise Misunderstood(
            "What is queued by task can be told on Redis alone: RabbitMQ shows messages only to those who take them.",
            "`stats` tells how many wait in each queue.",
        )
    asked = () if arguments.queue is None else (arguments.queue,)
    view = deployment.fleet.queues.depths(Deadline.after(_DEPTH_SECONDS), asked=asked)
    depths: list[QueueDepth] = [one for one in view.queues if one.ready]
    if arguments.queue is not None:
        name = known_queue(view, arguments.queue)
        depths = [one for one in depths if one.name == name]
    depths.sort(key=lambda one: -(one.ready or 0))
    said = _Said()
    for one in depths[:_MOST_QUEUES]:
        _look(deployment, one, said, progress, exact=arguments.exact)
    if len(depths) > _MOST_QUEUES:
        more = counted(len(depths) - _MOST_QUEUES, "more queue is", "more queues are")
        said.notes.append(f"{more} not looked into: name one to see it.")
    return _report(arguments, said, now=view.taken_at)


def _look(
    deployment: "Deployment", depth: QueueDepth, said: _Said, progress: Progress, *, exact: bool
) -> None:
    contents = deployment.fleet.contents
    if exact or (depth.ready or 0) <= SMALL:
        found = contents.count(
            Deadline.after(_COUNT_SECONDS),
            depth.name,
            lambda done, total: progress(done, total, "messages"),
        )
        if found.read:
            said.count(depth.name, found)
        return
    estimate = contents.estimate(Deadline.after(_ESTIMATE_SECONDS), depth.name)
    if estimate.read:
        said.estimate(depth.name, estimate)


def _report(arguments: QueuedArguments, said: _Said, *, now: datetime) -> Report:
    if not said.rows:
        where = plain(arguments.queue, 60) if arguments.queue else "any queue"
        return Report(title="Queued", text=f"Nothing waits in {where}.", taken_at=now)
    table = Table(
        caption="Queued tasks", columns=_COLUMNS, rows=tuple(said.rows), total=len(said.rows)
    )
    notes = tuple(Note(text=text) for text in said.notes)
    return Report(
        title="Queued",
        text=" ".join(said.sentences),
        parts=(table, *notes),
        tone=Tone.NEUTRAL,
        actions=(Action(label="Stats", words="stats"),),
        taken_at=now,
        data={"queues": said.data},
    )


QUEUED = Operation[QueuedArguments, Target](
    name="queued",
    summary="Shows what waits in the queues, by task: an estimate at once, or a count.",
    risk=Risk.READ,
    arguments=QueuedArguments,
    answer=_answer,
)
