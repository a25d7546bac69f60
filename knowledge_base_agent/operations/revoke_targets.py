"""Which tasks a revoke would reach, which it would not, and why: what its preview is made of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.revoking import terminate_refusals
from knowledge_base_agent.fleet.views import FleetView, Place
from knowledge_base_agent.fleet.whereabouts import Whereabouts
from knowledge_base_agent.operations.find import line_for_nearly
from knowledge_base_agent.operations.finishing import those_finishing
from knowledge_base_agent.problems import Away, NotFound
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import FINISHED, WITH_WORKERS
from knowledge_base_agent.records.task_history import TaskRecord, rows_by_ids
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.4
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One task that would be told to stop, and where it was found."""

    id: str
    name: str | None
    where: str
    queue: str | None = None
    worker: str | None = None
    process: int | None = None
    running: bool | None = False
    """None where the worker that began it does not answer."""
    chord: bool = False
    group: bool = False


@dataclass(frozen=True, kw_only=True)
class RevokeTargets:
    """What was found. `left_out` are sentences about ids that will not be touched."""

    reached: tuple[Reached, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]
    fleet: FleetView = field(repr=False)

    @property
    def running(self) -> int:
        """How many of them were seen to run."""
        return sum(one.running is True for one in self.reached)

    @property
    def unknown(self) -> int:
        """How many may run on a worker that does not answer."""
        return sum(one.running is None for one in self.reached)


def all_active(deployment: "Deployment", *, terminate: bool) -> RevokeTargets:
    """Return every task that our workers run now. Raises `Away` without a broker."""
    view = deployment.fleet.workers.look(Deadline.after(_SECONDS), fresh=True)
    ours = [worker for worker in view.workers if worker.ours is not False]
    ids = {task.id for worker in ours for task in worker.active}
    return _without_refused(view, _held(view, ids), [], [], terminate=terminate)


def by_ids(deployment: "Deployment", ids: Collection[str], *, terminate: bool) -> RevokeTargets:
    """Return those of the ids that are found somewhere. Raises `NotFound` when none is, `Away` without a broker."""
    rows, warnings = _rows(deployment, ids)
    unfinished = {one for one, row in rows.items() if row.state not in FINISHED}
    places = deployment.fleet.locate(Deadline.after(_SECONDS), ids, known=unfinished)
    reached = _held(places.fleet, ids)
    reached += _pending(places)
    here = {one.id for one in reached}
    by_row = [rows[one] for one in sorted(places.known - here)]
    finishing = those_finishing(deployment, by_row, places.fleet)
    reached += [_by_row(row, places.fleet, finishing=row.id in finishing) for row in by_row]
    left_out = _ended(rows, places, read=not warnings)
    for one in sorted(places.unknown):
        if one not in rows or one in unfinished:
            warnings.append(f"{one} could not be found: {' '.join(places.why_unknown)}")
            reached.append(Reached(id=one, name=None, where="unknown", running=None))
    if not reached:
        _refuse(left_out, sorted(places.nowhere - rows.keys()))
    return _without_refused(places.fleet, reached, left_out, warnings, terminate=terminate)


def _by_row(row: TaskRecord, fleet: FleetView, *, finishing: bool) -> Reached:
    """Describe a task that only its row tells of. A silent worker may well have it: then nobody knows."""
    if finishing:
        where = f"{row.worker} was shut down and hears nobody; it may be finishing it"
        return Reached(id=row.id, name=row.name, where=where, worker=row.worker, running=None)
    if row.state in WITH_WORKERS and fleet.complete is not True:
        who = (
            f"{row.worker} may have it"
            if row.worker in fleet.silent
            else "not every worker answered"
        )
        where = f"its row says {row.state}, and {who}"
        return Reached(
            id=row.id, name=row.name, where=where, queue=row.queue, worker=row.worker, running=None
        )
    where = f"its row says {row.state}; no worker and no queue has it"
    return Reached(id=row.id, name=row.name, where=where, queue=row.queue)


def _pending(places: Whereabouts) -> list[Reached]:
    return [
        Reached(
            id=one.envelope.id,
            name=one.envelope.name,
            where=f"waits in queue {one.queue} ({one.waits})"
            + (f", for the chord of {one.chord}" if one.chord else ""),
            chord=one.chord is not None,
            group=one.envelope.group is not None,
            queue=one.queue,
        )
        for one in places.pending
    ]


def _ended(rows: Mapping[str, TaskRecord], places: Whereabouts, *, read: bool) -> list[str]:
    said = []
    for one in sorted(places.nowhere | places.unknown):
        if one in rows and rows[one].state in FINISHED:
            said.append(f"{one} has ended: {rows[one].state}.")
        elif one in places.nowhere:
            among = (
                "in a queue, or in the rows."
                if read
                else "or in a queue, and the rows are unknown."
            )
            said.append(f"{one} was found nowhere: not with a worker, {among}")
    return said


def _rows(
    deployment: "Deployment", ids: Collection[str]
) -> tuple[dict[str, TaskRecord], list[str]]:
    try:
        with reading(deployment.engine) as connection:
            return rows_by_ids(connection, ids), []
    except Away as problem:
        return {}, [f"What the rows say is unknown. {problem.what}"]


def _refuse(left_out: list[str], nowhere: list[str]) -> None:
    shown = " ".join(left_out[:_SHOWN])
    more = len(left_out) - _SHOWN
    rest = f" And {counted(more, 'more id', 'more ids')}." if more > 0 else ""
    nearly = f"; `{line_for_nearly(nowhere[0])}` lists those that begin so" if nowhere else ""
    cure = f"`active` and `stuck` show ids to copy{nearly}."
    raise NotFound(f"Nothing to revoke. {shown}{rest}", cure)


def _held(view: FleetView, ids: Collection[str]) -> list[Reached]:
    wording = {
        Place.ACTIVE: "runs on",
        Place.RESERVED: "was taken in advance by",
        Place.SCHEDULED: "waits for its time on",
    }
    return [
        Reached(
            id=task.id,
            name=task.name,
            where=f"{wording[task.place]} {task.worker}",
            queue=task.queue,
            worker=task.worker,
            process=task.process,
            running=task.place is Place.ACTIVE,
            chord=bool(task.chord),
            group=bool(task.group),
        )
        for task in view.held
        if task.id in ids
    ]


def _without_refused(
    view: FleetView,
    reached: list[Reached],
    left_out: list[str],
    warnings: list[str],
    *,
    terminate: bool,
) -> RevokeTargets:
    refused = terminate_refusals(view, {one.id for one in reached}) if terminate else {}
    return RevokeTargets(
        reached=tuple(one for one in reached if one.id not in refused),
        left_out=(*left_out, *(f"{one}: {why}" for one, why in refused.items())),
        warnings=tuple(warnings),
        fleet=view,
    )
