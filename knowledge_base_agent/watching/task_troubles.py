"""Tasks that run too long, are past their limit, or that no worker has. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.views import FleetView, HeldTask, WorkerView
from knowledge_base_agent.operations.alerts_thresholds import Thresholds
from knowledge_base_agent.operations.history_figures import RECORDER_SILENT
from knowledge_base_agent.operations.stuckness import Trouble as Why
from knowledge_base_agent.operations.stuckness import find_stuck, why_past_limit
from knowledge_base_agent.records.alerts import Offer
from knowledge_base_agent.records.states import RUNNING
from knowledge_base_agent.watching.reading import Reading, Rows
from knowledge_base_agent.watching.trouble import TASK_KINDS, Kind, Part, Severity, Trouble, key_of
from knowledge_base_agent.wording import counted, duration

MOST = 10
"""Tasks of one kind that get an alert each; the others share one, so that a thousand do not flood a channel."""
_LAG = 1000
_REST = "others"


def task_troubles(reading: Reading, limits: Thresholds, open_keys: Collection[str]) -> Part:
    """Judge every task that runs, and every row that says so."""
    fleet = reading.fleet
    if isinstance(fleet, Unknown):
        return Part(unjudged=TASK_KINDS)
    now, unjudged = reading.taken_at, set[Kind]()
    if fleet.complete is False:
        unjudged |= {Kind.TOO_LONG, Kind.PAST_LIMIT}
    running = [
        trouble
        for worker in fleet.workers
        if worker.ours is not False
        for task in worker.active
        if (trouble := _running(task, worker, limits, now)) is not None
    ]
    orphaned: list[Trouble] = []
    if _can_miss(fleet, reading.rows, now) and isinstance(reading.rows, Rows):
        orphaned = list(_orphaned(fleet, reading.rows, now, reading.mailboxes))
    else:
        unjudged.add(Kind.ORPHANED)
    found = [one for kind in TASK_KINDS for one in _capped(kind, [*running, *orphaned], open_keys)]
    return Part(troubles=tuple(found), unjudged=frozenset(unjudged))


def _running(
    task: HeldTask, worker: WorkerView, limits: Thresholds, now: datetime
) -> Trouble | None:
    if task.started_at is None:
        return None
    age = now - task.started_at
    if task.time_limit is not None and age > task.time_limit + limits.past_limit:
        over = age - task.time_limit
        sentence = (
            f"{task.name} is {duration(over)} past its time limit of {duration(task.time_limit)} on "
            f"{task.worker}: {why_past_limit(worker.pool)}."
        )
        return _told(task, Kind.PAST_LIMIT, "A task is past its time limit", sentence, age)
    if age > limits.running:
        sentence = (
            f"{task.name} has been running for {duration(age)} on {task.worker}, longer than "
            f"{duration(limits.running)}."
        )
        return _told(task, Kind.TOO_LONG, "A task runs too long", sentence, age)
    return None


def _told(task: HeldTask, kind: Kind, title: str, sentence: str, age: timedelta) -> Trouble:
    return Trouble(
        kind=kind,
        subject=task.id,
        severity=Severity.BAD if kind is Kind.PAST_LIMIT else Severity.WARNING,
        title=title,
        sentence=f"{sentence} Id: {task.id}.",
        figures={"running_seconds": round(age.total_seconds()), "worker": task.worker},
        offers=(
            Offer(label="Revoke", words=f"revoke {task.id} --terminate", danger=True),
            Offer(label="Logs", words=f"logs {task.id}"),
            Offer(label="Task", words=f"task {task.id}"),
        ),
    )


def _can_miss(fleet: FleetView, rows: Rows | Unknown, now: datetime) -> bool:
    """Tell whether a task may be called missing: everyone answered, and the rows are not behind."""
    if fleet.complete is not True or isinstance(rows, Unknown) or rows.recorder is None:
        return False
    recorder = rows.recorder
    return now - recorder.updated_at < RECORDER_SILENT and recorder.lag < _LAG


def _orphaned(
    fleet: FleetView, rows: Rows, now: datetime, mailboxes: frozenset[str] | None
) -> Iterator[Trouble]:
    for one in find_stuck(
        fleet, rows.running, {}, longer_than=timedelta.max, now=now, mailboxes=mailboxes
    ):
        if one.trouble is not Why.ORPHANED or one.id in rows.sent_again:
            continue  # sent again, its work is no longer lost; the row is kept as it is
        age = duration(one.age) if one.age is not None else "an unknown time"
        yield Trouble(
            kind=Kind.ORPHANED,
            subject=one.id,
            severity=Severity.WARNING,
            title="A task runs by its row, and no worker has it",
            sentence=f"{one.name} started {age} ago on {one.worker or 'a worker'}, which is gone or has let go of "
            f"it. It does not end by itself unless its message is given out again. Id: {one.id}.",
            figures={"running_seconds": round(one.age.total_seconds()) if one.age else None},
            offers=(
                Offer(label="Task", words=f"task {one.id}"),
                Offer(label="Retry", words=f"retry {one.id}", danger=True),
                Offer(label="Clear its row", words=_clearing(one.id), danger=True),
                Offer(label="Revoke", words=f"revoke {one.id}", danger=True),
                Offer(label="Logs", words=f"logs {one.id}"),
            ),
            checks=2,
        )


def _clearing(task_id: str) -> str:
    states = " ".join(f"--state {state}" for state in sorted(RUNNING))
    return f"clear --id {task_id} {states} --older-than 1m"


def _capped(kind: Kind, found: list[Trouble], open_keys: Collection[str]) -> Iterator[Trouble]:
    """Yield the troubles of a kind: those already told and the oldest one by one, the others as one."""
    mine = [one for one in found if one.kind is kind]
    mine.sort(
        key=lambda one: (one.key not in open_keys, -float(one.figures["running_seconds"] or 0))
    )
    told = sum(one.key in open_keys for one in mine)
    yield from mine[: max(MOST, told)]
    rest = mine[max(MOST, told) :]
    if rest:
        number = counted(len(rest), "more task")
        yield Trouble(
            kind=kind,
            subject=_REST,
            severity=rest[0].severity,
            title=f"{number} of the kind: {key_of(kind, '').rstrip(':').replace('-', ' ')}",
            sentence=f"Besides those told one by one, there are {number} with the same trouble.",
            figures={"tasks": len(rest)},
            offers=(
                Offer(label="Stuck", words="stuck"),
                Offer(label="Revoke all", words="revoke --all-active --terminate", danger=True),
            ),
            checks=rest[0].checks,
        )
