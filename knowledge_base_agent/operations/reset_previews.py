"""What a reset shows before it is confirmed: each step in its order, and exactly what it would touch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.reset_runbook import ResetTarget, Step, journal_table
from knowledge_base_agent.operations.stuckness import StuckTask
from knowledge_base_agent.records.agent_state import AgentState
from knowledge_base_agent.records.journal import JournalStep, StepState
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Fact, Facts, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

_STEPS = (Column(key="step", label="Step"), Column(key="does", label="What is done"))
_STUCK = (
    Column(key="name", label="Task"),
    Column(key="why", label="Why"),
    Column(key="worker", label="Worker"),
    Column(key="id", label="Id"),
)
_LISTED = 50


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a complete reset would remove. None is unknown."""

    running: int
    reserved: int
    scheduled: int
    ready: int | None
    rows: int
    agent: str

    @property
    def tasks(self) -> int:
        """How many tasks the workers have."""
        return self.running + self.reserved + self.scheduled

    @property
    def affected(self) -> int | None:
        """How many things go. Never 0: the steps are worth verifying even where nothing seems to be left."""
        return None if self.ready is None else max(self.tasks + self.ready + self.rows, 1)


def held_now(
    view: FleetView, queues: QueuesView, target: ResetTarget, *, rows: int, agent: str
) -> Held:
    """Sum up what there is of our app."""
    ours = [worker for worker in view.workers if worker.ours is not False]
    depths = [queue.ready for queue in queues.queues if queue.name in target.queues]
    return Held(
        running=sum(worker.busy for worker in ours),
        reserved=sum(worker.waiting for worker in ours),
        scheduled=sum(worker.postponed for worker in ours),
        ready=None if None in depths else sum(one or 0 for one in depths),
        rows=rows,
        agent=agent,
    )


def complete_report(
    view: FleetView,
    target: ResetTarget,
    journal: Sequence[JournalStep],
    held: Held,
    steps: Sequence[Step],
    undo: str,
) -> Report:
    """Return the preview of a complete reset; `undo` is the sentence about taking it back."""
    text = (
        f"About to stop {counted(len(target.nodes), 'worker')} and to remove {counted(held.tasks, 'task')} they hold, "
        f"{counted(held.ready, 'waiting message')}, {counted(held.rows, 'row')}, all progress and all logs; "
        f"{headcount(view)}. {undo}"
    )
    return Report(
        title="Go on with the complete reset?" if journal else "Reset everything?",
        text=text,
        parts=(
            _order(steps, journal),
            Facts(title="What there is", items=_all_of_it(target, held)),
            _supervisors(),
            *_going_on(journal),
            *headcount_notes(view),
        ),
        tone=Tone.BAD,
        taken_at=utc_now(),
    )


def _all_of_it(target: ResetTarget, held: Held) -> tuple[Fact, ...]:
    return (
        Fact(label="Workers to end", value=", ".join(target.nodes) or "none"),
        Fact(label="Running tasks", value=held.running),
        Fact(label="Taken in advance", value=held.reserved),
        Fact(label="Kept for later", value=held.scheduled),
        Fact(label="Messages in queues", value=held.ready),
        Fact(label="Queues", value=", ".join(plain(name, 80) for name in target.queues)),
        Fact(label="Rows", value=held.rows),
        Fact(label="Agent", value=held.agent),
    )


def partial_report(
    view: FleetView,
    target: ResetTarget,
    journal: Sequence[JournalStep],
    *,
    steps: Sequence[Step],
    stuck: Sequence[StuckTask],
    paused: Sequence[str],
    agent: AgentState,
) -> Report:
    """Return the preview of a partial reset."""
    said = f"stop {counted(len(stuck), 'stuck task')}, have {counted(len(target.queues), 'queue')} consumed again"
    return Report(
        title="Go on with the partial reset?" if journal else "Reset what is stuck?",
        text=f"About to {said}, and set the agent to idle unless its task runs; {headcount(view)}.",
        parts=(
            _order(steps, journal),
            Facts(title="What there is", items=_what_is_wrong(target, stuck, agent)),
            *_stuck(stuck),
            *_paused(paused),
            *_going_on(journal),
            *headcount_notes(view),
        ),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _what_is_wrong(
    target: ResetTarget, stuck: Sequence[StuckTask], agent: AgentState
) -> tuple[Fact, ...]:
    queues = ", ".join(plain(name, 80) for name in target.queues)
    return (
        Fact(label="Stuck tasks to stop", value=len(stuck)),
        Fact(label="Agent", value=agent.status),
        Fact(label="Agent's task", value=plain(agent.task_id or "none", 128)),
        Fact(label="Queues to consume again", value=queues or "none"),
        Fact(label="By the workers", value=", ".join(target.nodes) if target.queues else "none"),
    )


def _stuck(stuck: Sequence[StuckTask]) -> Iterator[Part]:
    if stuck:
        rows = tuple(
            Row(cells=(plain(one.name, 120), one.why, one.worker, one.id))
            for one in stuck[:_LISTED]
        )
        yield Table(caption="Stuck tasks", columns=_STUCK, rows=rows, total=len(stuck))


def _paused(paused: Sequence[str]) -> Iterator[Part]:
    if paused:
        names = ", ".join(plain(name, 80) for name in paused)
        yield Note(text=f"Paused on purpose, and left so: {names}. `resume` ends a pause.")


def _order(steps: Sequence[Step], journal: Sequence[JournalStep]) -> Table:
    done = {one.name for one in journal if one.state is StepState.DONE}
    rows = tuple(
        Row(cells=(f"{number}. {step.name}", step.does))
        for number, step in enumerate(steps, start=1)
        if step.name not in done
    )
    return Table(caption="Steps, in this order", columns=_STEPS, rows=rows, total=len(rows))


def _supervisors() -> Note:
    return Note(
        text="Whatever starts workers by itself (systemd, an autoscaler) must be stopped first: a worker that comes "
        "back during the reset ends it. Afterwards the workers are to be started again.",
        tone=Tone.WARNING,
    )


def _going_on(journal: Sequence[JournalStep]) -> Iterator[Part]:
    if journal:
        yield journal_table(journal)
