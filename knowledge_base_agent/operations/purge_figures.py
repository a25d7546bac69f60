"""What a purge is about: how much waits in which queue, and what workers hold of it, out of a purge's reach."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.discovery import Origin
from knowledge_base_agent.fleet.held import HeldByQueue, held_by_queue, not_listed
from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.fleet.sampling import UNNAMED, Sample
from knowledge_base_agent.fleet.views import FleetView, HeldTask
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Row, Table, Tone, Value
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 1.4
_IDS_IN_A_BUTTON = 20
_NAMES_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class PurgeFigures:
    """Some queues, and what workers hold of them."""

    names: tuple[str, ...]
    queues: QueuesView
    fleet: FleetView
    every: tuple[str, ...] = ()
    """All queues of this app."""
    left_out: tuple[str, ...] = ()
    """Queues that only workers of other apps consume."""
    revoked: frozenset[str] = frozenset()
    """Tasks that workers hold and know as revoked: they keep them until their time, and drop them then."""

    def of(self, names: tuple[str, ...]) -> "PurgeFigures":
        """Return the figures of these queues alone, whoever consumes them."""
        return replace(self, names=names, left_out=())

    @property
    def depths(self) -> tuple[QueueDepth, ...]:
        """Return the queues, by name."""
        return tuple(one for one in self.queues.queues if one.name in self.names)

    @property
    def left(self) -> tuple[str, ...]:
        """Return the other queues of this app in which something is known to wait."""
        others = set(self.every) - set(self.names)
        return tuple(one.name for one in self.queues.queues if one.name in others and one.ready)

    @property
    def ready(self) -> int | None:
        """Return how much waits in all of them, None if that of one is unknown."""
        ready = [one.ready for one in self.depths]
        return None if None in ready else sum(number or 0 for number in ready)

    @property
    def held(self) -> Mapping[str, HeldByQueue]:
        """Return what workers hold of each queue."""
        return held_by_queue(self.fleet, self.names)

    @property
    def held_waiting(self) -> tuple[HeldTask, ...]:
        """Return what workers have, have not started, and will run."""
        waiting = [task for one in self.held.values() for task in one.waiting]
        return tuple(task for task in waiting if task.id not in self.revoked)

    @property
    def held_sentence(self) -> str:
        """Return the sentence part that says what workers hold, and how many of them answered."""
        held = self.held.values()
        running = sum(len(one.running) for one in held)
        reserved = sum(len(one.reserved) for one in held)
        scheduled = sum(len(one.scheduled) for one in held)
        total = running + reserved + scheduled
        dropped = len([one for held_ in held for one in held_.waiting if one.id in self.revoked])
        of_those = f", {dropped:,} of them revoked" if dropped else ""
        more = "at least " if not_listed(self.fleet) else ""
        if not total:
            return f"nothing seen with workers ({headcount(self.fleet)})"
        return (
            f"{more}{total:,} already with workers: {running:,} running, {reserved:,} taken in advance, "
            f"{scheduled:,} waiting for their time{of_those} ({headcount(self.fleet)})"
        )


def read_purge_figures(
    deployment: "Deployment",
    deadline: Deadline,
    *,
    only: Sequence[str] | None,
    asked: Sequence[str] = (),
) -> PurgeFigures:
    """Read all queues of this app, or these; `asked` are looked for as well. Raises `Away` without a broker."""
    fleet = deployment.fleet.workers.look(deadline.at_most(_LOOK_SECONDS), fresh=True)
    queues = deployment.fleet.queues.depths(deadline, fleet, asked=only or asked)
    foreign = {one.name for one in queues.queues if _is_foreign(one, fleet)}
    names = [one.name for one in queues.queues if one.name not in foreign]
    return PurgeFigures(
        names=tuple(names if only is None else only),
        queues=queues,
        fleet=fleet,
        every=tuple(names),
        left_out=tuple(sorted(foreign)) if only is None else (),
        revoked=_revoked(deployment, deadline, fleet),
    )


def _revoked(deployment: "Deployment", deadline: Deadline, fleet: FleetView) -> frozenset[str]:
    """Ask which of the tasks that wait with workers are revoked: only a look at named ids tells."""
    ids = [task.id for worker in fleet.workers for task in worker.reserved + worker.scheduled]
    if not ids:
        return frozenset()
    view = deployment.fleet.workers.look(deadline, ids=ids, fresh=True)
    return frozenset(one for worker in view.workers for one in worker.flagged or ())


def _is_foreign(queue: QueueDepth, fleet: FleetView) -> bool:
    """Tell a queue that another app's workers alone consume: several apps may share a broker."""
    consumers = {w.ours for w in fleet.workers if queue.name in (w.queues or ())}
    return consumers == {False} and Origin.SETTINGS not in queue.origins


def queue_table(found: PurgeFigures) -> Table:
    """Return the queues with what waits in each, and what workers hold of it."""
    held = found.held
    columns = (
        Column(key="name", label="Queue"),
        Column(key="ready", label="Ready"),
        Column(key="priorities", label="By priority"),
        Column(key="running", label="Running"),
        Column(key="reserved", label="Taken in advance"),
        Column(key="eta", label="ETA"),
        Column(key="unacked", label="Unacked"),
    )
    rows = tuple(_row(one, held[one.name]) for one in found.depths)
    return Table(caption="Queues", columns=columns, rows=rows, total=len(rows))


def _row(depth: QueueDepth, held: HeldByQueue) -> Row:
    priorities: Value = None
    if depth.by_priority is not None:
        levels = [(step, number) for step, number in depth.by_priority.items() if number]
        several = len(levels) > 1 or any(step for step, _ in levels)
        priorities = ", ".join(f"{step}: {n:,}" for step, n in levels) if several else ""
    return Row(
        cells=(
            plain(depth.name, 80),
            depth.ready,
            priorities,
            len(held.running),
            len(held.reserved),
            len(held.scheduled),
            depth.unacked,
        )
    )


def names_of(found: PurgeFigures, samples: Mapping[str, Sample]) -> Iterator[str | None]:
    """Yield the names of the tasks that wait, and None where some were not read: a sample is not all."""
    for depth in found.depths:
        seen = samples.get(depth.name)
        names = seen.names if seen is not None else {}
        yield from names
        if depth.ready is None or sum(names.values()) < depth.ready or UNNAMED in names:
            yield None


def sample_notes(samples: Mapping[str, Sample]) -> Iterator[Note]:
    """Yield what kind of tasks would go, and whether groups or chords lose members."""
    for name, sample in samples.items():
        if not sample.read:
            continue
        kinds = [
            f"{n:,} {plain(task, 80)}" for task, n in list(sample.names.items())[:_NAMES_SHOWN]
        ]
        yield Note(
            text=f"{plain(name, 60)}, the next {sample.read:,}: {', '.join(kinds)}"
            + (", …" if len(sample.names) > _NAMES_SHOWN else "")
        )
        if sample.grouped:
            yield Note(
                text=f"{sample.grouped:,} of the next {sample.read:,} in {plain(name, 60)} belong to groups. Where "
                "that is a chord, its body waits for the missing ones and never runs.",
                tone=Tone.WARNING,
            )


def held_notes(found: PurgeFigures) -> Iterator[Note]:
    """Yield what the person must know about tasks out of the purge's reach, and about who did not answer."""
    waiting = len(found.held_waiting)
    if waiting:
        yield Note(
            text=f"{counted(waiting, 'task')} that workers took already will run unless revoked: a purge reaches only "
            "what waits in the queue.",
            tone=Tone.WARNING,
        )
    if more := not_listed(found.fleet):
        yield Note(text=f"Workers hold {more:,} more, of any queue, that they do not list.")
    for name in found.left_out:
        yield Note(
            text=f"Left out: {plain(name, 80)}, which only workers of another app consume. Name it with --queue to "
            "purge it all the same.",
            tone=Tone.WARNING,
        )
    yield from (Note(text=plain(note, 300)) for note in found.queues.notes)
    yield from headcount_notes(found.fleet)


def revoke_them(found: PurgeFigures) -> tuple[Action, ...]:
    """Return the button that revokes what workers hold and have not started; where there are many, one to see them."""
    ids = [task.id for task in found.held_waiting]
    if not ids:
        return ()
    if len(ids) > _IDS_IN_A_BUTTON:
        return (
            Action(label="Reserved", words="reserved"),
            Action(label="Scheduled", words="scheduled"),
        )
    return (Action(label="Revoke them?", words=f"revoke {' '.join(ids)}", danger=True),)
