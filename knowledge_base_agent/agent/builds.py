"""Builds: one reading of a source each, with what became of every document in it.

A build's documents count themselves: each writes its own end, and the one that finds none left has the last word. A
document whose process was killed can't do so; `settling.py` does it in its place.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from knowledge_base_agent.agent.build import (
    DONE,
    FAILED,
    PHASES,
    RUNNING,
    WAITING,
    Build,
    Counts,
    Item,
)
from knowledge_base_agent.agent.catalogue import (
    BUILDS,
    ITEMS,
    one_at_a_time,
)
from knowledge_base_agent.agent.sources import Listed
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.redaction import plain

_UNDER_WAY = (WAITING, RUNNING)
_GRACE = timedelta(minutes=5)
_LISTED_WITHIN = timedelta(minutes=10)
_PASSING = re.compile(r" at 0x[0-9a-fA-F]+| Job: \d+")
_ERROR_LIMIT = 300


class Builds:
    """The builds of one deployment. Every call ends within its deadline, or raises `Away`."""

    def __init__(self, engine: Engine, *, time_limit: timedelta) -> None:
        self._engine = engine
        self._time_limit = time_limit

    def begin(self, build_id: str, source: str) -> None:
        """Write that a build of the source is under way; again for the same build changes nothing.

        Raises `Refused` while another one of the same source is, unless that one is lost.
        """
        with writing(self._engine) as connection:
            one_at_a_time(connection)
            for other in _read(connection, BUILDS.c.source == source, BUILDS.c.ended_at.is_(None)):
                if other.id == build_id:
                    return
                if not self.is_lost(other):
                    raise Refused(
                        f"{plain(source, 200)} is being read already, by the task {other.id}.",
                        "Wait for its end, or look at `active` and revoke what is stuck in it.",
                    )
                _end(connection, other.id)
            now = utc_now()
            values = {"started_at": now, "touched_at": now, "phase": PHASES[0]}
            connection.execute(insert(BUILDS).values(id=build_id, source=source, **values))

    def is_lost(self, build: Build) -> bool:
        """Tell whether nothing can come of it any more: no document began or ended for longer than one may take.

        Its messages were purged, or its workers killed in a way that left no trace.
        """
        allowed = _LISTED_WITHIN if build.planned is None else self._time_limit + _GRACE
        return build.ended_at is None and utc_now() - build.touched_at > allowed

    def plan(self, build_id: str, documents: Sequence[tuple[Listed, str]]) -> None:
        """Write down the build's documents with their tasks' ids; they stand for the source from now on.

        What could not be read last time counts as such until it has been read.
        """
        with writing(self._engine) as connection:
            source = select(BUILDS.c.source).where(BUILDS.c.id == build_id).scalar_subquery()
            earlier = select(BUILDS.c.id).where(BUILDS.c.source == source, BUILDS.c.id != build_id)
            errors = _errors(connection, ITEMS.c.build_id.in_(earlier))
            rows = [
                {
                    "build_id": build_id,
                    "location": listed.location,
                    "heading": listed.heading,
                    "task_id": task_id,
                    "state": WAITING,
                    "error": errors.get(listed.location, ""),
                }
                for listed, task_id in documents
            ]
            connection.execute(delete(ITEMS).where(ITEMS.c.build_id.in_(earlier)))
            connection.execute(delete(BUILDS).where(BUILDS.c.id.in_(earlier)))
            connection.execute(insert(ITEMS), rows)
            _touch(connection, build_id, planned=len(rows))

    def began(self, build_id: str, location: str) -> None:
        """Write that a document's task works on it."""
        self._mark(build_id, location, state=RUNNING)

    def done(self, build_id: str, location: str) -> int:
        """Write that a document has been read; return how many of the build are left."""
        return self._mark(build_id, location, state=DONE, error="")

    def failed(self, build_id: str, location: str, error: str) -> int:
        """Write why a document could not be read; return how many of the build are left."""
        return self._mark(build_id, location, state=FAILED, error=_one_line(error))

    def failed_unsaid(self, build_id: str, location: str, error: str) -> int:
        """Write it for a document whose task can't say so itself, unless it has said how it ended meanwhile."""
        error = _one_line(error)
        return self._mark(build_id, location, unsaid=True, state=FAILED, error=error)

    def _mark(self, build_id: str, location: str, *, unsaid: bool = False, **values: str) -> int:
        # Not only what is under way: a document that had been given up may come in after all.
        mine = (ITEMS.c.build_id == build_id) & (ITEMS.c.location == location)
        if unsaid:
            mine &= ITEMS.c.state.in_(_UNDER_WAY)
        with writing(self._engine) as connection:
            connection.execute(update(ITEMS).where(mine).values(**values))
            _touch(connection, build_id)
            return _count(connection, build_id)

    def reach(self, build_id: str, phase: str) -> bool:
        """Move the build to a phase; False when it is as far already."""
        earlier = PHASES[: PHASES.index(phase)]
        before = (BUILDS.c.id == build_id) & BUILDS.c.phase.in_(earlier)
        with reading(self._engine) as connection:  # most find it there: no need to wait to write
            if connection.scalar(select(BUILDS.c.id).where(before)) is None:
                return False
        with writing(self._engine) as connection:
            return connection.execute(update(BUILDS).where(before).values(phase=phase)).rowcount > 0

    def find(self, build_id: str) -> Build | None:
        """Return a build, or None when there is none of that id (any more)."""
        with reading(self._engine) as connection:
            return next(iter(_read(connection, BUILDS.c.id == build_id)), None)

    def under_way(self) -> tuple[Build, ...]:
        """Return the builds that have not ended, the newest first."""
        with reading(self._engine) as connection:
            found = _read(connection, BUILDS.c.ended_at.is_(None))
        return tuple(sorted(found, key=lambda build: build.started_at, reverse=True))

    def left(self, build_id: str) -> tuple[Item, ...]:
        """Return the documents of a build that have not ended, first those that are being worked on."""
        asked = select(ITEMS).where(ITEMS.c.build_id == build_id, ITEMS.c.state.in_(_UNDER_WAY))
        with reading(self._engine) as connection:
            rows = connection.execute(asked.order_by(ITEMS.c.state, ITEMS.c.location)).mappings()
            return tuple(Item(**row) for row in rows)

    def counts(self, build_id: str) -> Counts:
        """Return how far a build is; nothing of nothing when a later build of its source has taken its place."""
        by_state = select(ITEMS.c.state, func.count()).where(ITEMS.c.build_id == build_id)
        with reading(self._engine) as connection:
            build = next(iter(_read(connection, BUILDS.c.id == build_id)), None)
            rows = connection.execute(by_state.group_by(ITEMS.c.state)).all()
        count = {state: int(number) for state, number in rows}
        return Counts(
            planned=sum(count.values()),
            done=count.get(DONE, 0),
            failed=count.get(FAILED, 0),
            phase=build.phase if build else PHASES[-1],
        )

    def give_up(self, build_id: str, error: str) -> None:
        """Write the same error for each document that has not ended."""
        left = (ITEMS.c.build_id == build_id) & ITEMS.c.state.in_(_UNDER_WAY)
        with writing(self._engine) as connection:
            values = {"state": FAILED, "error": _one_line(error)}
            connection.execute(update(ITEMS).where(left).values(values))

    def end(self, build_id: str) -> None:
        """Write that the build is over; one that never listed its documents leaves nothing behind."""
        with writing(self._engine) as connection:
            empty = (BUILDS.c.id == build_id) & BUILDS.c.planned.is_(None)
            connection.execute(delete(BUILDS).where(empty))
            _end(connection, build_id)


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[Build]:
    rows = connection.execute(select(BUILDS).where(*conditions)).mappings()
    return [Build(**row) for row in rows]


def _errors(connection: Connection, of: ColumnElement[bool]) -> dict[str, str]:
    asked = select(ITEMS.c.location, ITEMS.c.error).where(of, ITEMS.c.error != "")
    return {row.location: row.error for row in connection.execute(asked)}


def _end(connection: Connection, build_id: str) -> None:
    mine = (BUILDS.c.id == build_id) & BUILDS.c.ended_at.is_(None)
    connection.execute(update(BUILDS).where(mine).values(ended_at=utc_now()))


def _touch(connection: Connection, build_id: str, **values: object) -> None:
    mine = BUILDS.c.id == build_id
    connection.execute(update(BUILDS).where(mine).values(touched_at=utc_now(), **values))


def _count(connection: Connection, build_id: str) -> int:
    left = (ITEMS.c.build_id == build_id) & ITEMS.c.state.in_(_UNDER_WAY)
    return connection.scalar(select(func.count()).where(left)) or 0


def _one_line(error: str) -> str:
    # Without addresses of objects and numbers of jobs: the same failure must read the same in each build.
    return plain(_PASSING.sub("", error), _ERROR_LIMIT) or "unknown error"
