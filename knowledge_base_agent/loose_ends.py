"""What a database may have written though nobody goes on with it: settled as soon as the database answers again.

A preview whose COMMIT got no answer was shown to nobody, and a run whose start got none was never begun. The first is
cancelled, the second ended, so that neither is taken later for something that it is not. Kept in this process alone:
when it ends before, the preview expires, and the run is announced as interrupted.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from knowledge_base_agent import confirmations, runs
from knowledge_base_agent.actors import NOBODY
from knowledge_base_agent.audit import Kind, entry_of, entry_on, write
from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.problems import MaybeWritten, NotFound, TooLate
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.runs import Run

End = Run | str
"""A run, or the id of a confirmation."""
_UNTOLD = "nobody was shown it: the answer to who asked came too late or not at all"
_UNBEGUN = "was never begun: the database did not say in time whether it had recorded the start"
_KNOWN_LATER = "Nothing was run. Once the database answers again, `ops` tells what it has recorded; then ask again."


class LooseEnds:
    """The loose ends of one process; thread-safe."""

    def __init__(self) -> None:
        self._ends: deque[End] = deque()

    def leave(self, end: End) -> None:
        """Take something that nobody goes on with. Returns at once."""
        self._ends.append(end)

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[tuple[Connection, Callable[[End], None]]]:
        """Open a transaction and lend it, with what takes note of each thing that somebody will have to go on with.

        Raises `Away`, and `MaybeWritten`: then what was noted is settled later.
        """
        noted: list[End] = []
        try:
            with writing(engine) as connection:
                yield connection, noted.append
        except MaybeWritten as problem:
            self._ends.extend(noted)
            raise MaybeWritten(problem.what, _KNOWN_LATER, source=problem.source) from problem

    def settle(self, engine: Engine) -> None:
        """Settle what there is. Raises `Away`, and what is left is settled the next time."""
        while self._ends:
            end = self._ends[0]
            try:
                with writing(engine) as connection:
                    _settle(connection, end)
            except (NotFound, TooLate):
                pass  # it was not written after all, or has been settled otherwise
            self._ends.popleft()


def _settle(connection: Connection, end: End) -> None:
    if isinstance(end, str):
        settled: Confirmation = confirmations.cancel(connection, end, NOBODY)
        write(connection, entry_on(NOBODY, Kind.CANCELLED, settled, _UNTOLD))
        return
    run = runs.read_run(connection, end.id)
    outcome = f"{run.id} {_UNBEGUN}"
    runs.end(connection, run.id, runs.State.FAILED, outcome)
    write(connection, entry_of(NOBODY, Kind.ENDED, run.operation, detail=outcome, run_id=run.id))
