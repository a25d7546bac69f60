"""What a clear that broke off has hidden: the results, progress and logs of those tasks may be where they were."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.clear_leftovers import Leftovers, leftovers
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_rows import ROWS_NAME
from knowledge_base_agent.operations.undoable import UndoableTarget
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.hidden import Clearing
from knowledge_base_agent.records.hiding import hidden_ids, hidden_of, how_many_hidden_by
from knowledge_base_agent.records.keepsakes import State, all_kept, keepsakes_of
from knowledge_base_agent.records.states import WITH_WORKERS
from knowledge_base_agent.report import Note, Report, Tone
from knowledge_base_agent.runs import is_over, read_run
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class ContinuableTarget(UndoableTarget):
    """What a clear acts on, and the interrupted runs that it goes on with."""

    continued: tuple[str, ...] = ()

    def continuing(self, run: str) -> Self:
        """Go on with what such a run has hidden, too."""
        runs = tuple(one for one in self.continued if one != run)
        return self.model_copy(update={"continued": (*runs, run)})


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """Ranges that interrupted runs have hidden, without coming to the end."""

    runs: tuple[str, ...] = ()
    ranges: tuple[Clearing, ...] = field(default=(), repr=False)
    number: int = 0
    """How many rows are in them; 0 where no task has left anything in any store."""

    @property
    def counts(self) -> dict[str, int]:
        """What is touched of it, for a scope."""
        return {"tasks of rows cleared before": self.number} if self.number else {}

    def shown(self, report: Report, rows: int) -> Report:
        """Return the preview of the clear that goes on, of so many rows, with what is touched of this."""
        if not self.number:
            return report
        said = (
            f"{counted(self.number, 'row')} had been cleared before it broke off. What their tasks left of results, "
            "progress and logs goes too."
        )
        if rows:
            return replace(report, parts=(Note(text=said, tone=Tone.WARNING), *report.parts))
        title = f"Clear what {counted(self.number, 'task')} left?"
        return Report(title=title, text=said, tone=Tone.WARNING, taken_at=utc_now())

    def finish(
        self, deployment: "Deployment", behind: Leftovers, progress: Progress
    ) -> tuple[Note, ...]:
        """Remove what those tasks left, and return what is said of it. Raises `Away`."""
        done = 0
        for one in self.ranges if self.number else ():
            for ids in hidden_ids(deployment.engine, one):
                behind.remove(ids)
                done += len(ids)
                progress(done, self.number, "tasks")
        if not self.number:
            return ()
        undo = " and ".join(f"`undo {run}`" for run in self.runs)
        said = (
            f"What {counted(done, 'task')} left, whose rows had been cleared before, went too. {undo} brings those "
            "rows back, an undo of this run what went now."
        )
        return (Note(text=said),)


def broken_off(deployment: "Deployment") -> tuple[str, ...]:
    """Return the runs that are over, and may have hidden rows without coming to what their tasks left."""
    with reading(deployment.engine) as connection:
        kept = all_kept(connection, ROWS_NAME, utc_now())
        runs = dict.fromkeys(one.run_id for one in kept if one.number is None)
        return tuple(run for run in runs if is_over(read_run(connection, run)))


def unfinished(deployment: "Deployment", runs: Sequence[str]) -> Unfinished:
    """Return what these runs have hidden and can still be brought back, if they broke off before their end."""
    if not runs:
        return Unfinished()
    whose: dict[str, tuple[Clearing, ...]] = {}
    with reading(deployment.engine) as connection:
        for run in runs:
            for kept in keepsakes_of(connection, run):
                # Its number is written at the end, when all that goes with the rows is aside.
                if kept.state is State.KEPT and kept.number is None:
                    hidden = hidden_of(connection, kept.id)
                    # What a worker may still run goes on telling its progress.
                    mine = tuple(one for one in hidden if one.state not in WITH_WORKERS)
                    whose[run] = (*whose.get(run, ()), *mine)
        ranges = tuple(one for some in whose.values() for one in some)
        number = how_many_hidden_by(connection, ranges)
    if not number or leftovers(deployment).nowhere():
        return Unfinished()
    named = tuple(run for run, some in whose.items() if some)
    return Unfinished(runs=named, ranges=ranges, number=number)
