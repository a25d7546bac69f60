"""A process is killed with SIGKILL at each boundary of a run: before and after each statement, commit and effect.

Then a second process looks at what is left, tries the same confirmation again, and declares what was interrupted.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.trust.aftermath import KINDS, Aftermath
from tests.trust.boundaries import Boundaries
from tests.trust.place import Place
from tests.trust.trial import Trial
from tests.trust.ways import EVERYTHING, WAYS, Way

if TYPE_CHECKING:
    Answer = multiprocessing.connection.Connection[Any, Any]
else:
    Answer = Any
_WAIT = 60.0
_TRIES = 3
"""A boundary may lie beyond the end of one process and not of the next, as threads take turns."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where a process dies: the number of a boundary on a way, on one database."""

    database: str
    way: Way
    number: int
    boundary: str

    def __str__(self) -> str:
        return f"{self.way.name} on {self.database}, boundary {self.number} ({self.boundary})"


def run(trial: Trial, place: Place) -> None:
    """Kill a process at each boundary in turn, in an order that the seed gives, until the count is reached."""
    trial.never(*KINDS)
    if place.postgres_url is None:
        trial.left_out("PostgreSQL: none answers here")
    with contextlib.ExitStack() as stack:
        kills = {
            name: stack.enter_context(_opened(trial, place.settings(url), name))
            for name, url in place.databases.items()
        }
        spots = [one.spots() for one in kills.values()]
        for each in spots:
            trial.random.shuffle(each)
        trial.also("boundaries there are", sum(map(len, spots)))
        for together in zip(*map(cycle, spots), strict=True):
            for spot in together:
                if trial.goes_on():
                    kills[spot.database].kill_at(spot)
            if not trial.goes_on():
                break


@contextlib.contextmanager
def _opened(trial: Trial, settings: Settings, database: str) -> Iterator["_Kills"]:
    opened = open_deployment(settings, make_app(settings))
    try:
        yield _Kills(trial, opened, database)
    finally:
        opened.close()


class _Kills:
    """The kills on one database, seen by a process that goes on living."""

    def __init__(self, trial: Trial, opened: Deployment, database: str) -> None:
        self._trial = trial
        self._opened = opened
        self._database = database
        self._runner = Runner(opened, EVERYTHING)
        self._uses = 0
        self._warm = multiprocessing.get_context("forkserver")
        self._warm.set_forkserver_preload(["pytest", __name__])

    def spots(self) -> list[Spot]:
        """Return every boundary of every way, as a process passes them that is left alone."""
        found = []
        for way in WAYS:
            ours, theirs = self._warm.Pipe(duplex=False)
            key, confirmation_id = self._prepared(way)
            code = self._victim(way, key, confirmation_id, 0, theirs)
            names = ours.recv() if ours.poll(_WAIT) else []
            assert code == 0, f"{way.name} on {self._database} failed, though nobody killed it"
            found += [
                Spot(database=self._database, way=way, number=number, boundary=name)
                for number, name in enumerate(names, start=1)
            ]
        return found

    def kill_at(self, spot: Spot) -> None:
        """Kill a process there, and look at what it leaves."""
        for _ in range(_TRIES):
            key, confirmation_id = self._prepared(spot.way)
            code = self._victim(spot.way, key, confirmation_id, spot.number, None)
            after = Aftermath(self._trial, self._opened, spot.way, key, confirmation_id, str(spot))
            after.judge()
            if code == -signal.SIGKILL:
                self._trial.did(f"kills on {spot.database}")
                self._trial.also(f"during {spot.way.name}")
                return

    def _prepared(self, way: Way) -> tuple[str, str]:
        self._uses += 1
        key = f"kill.{self._database.lower()}.{self._uses}"
        return key, way.prepare(self._opened, key)

    def _victim(
        self, way: Way, key: str, confirmation_id: str, die_at: int, answer: Answer | None
    ) -> int | None:
        settings, number = self._opened.settings, WAYS.index(way)
        victim = self._warm.Process(
            target=_go, args=(settings, number, key, confirmation_id, die_at, answer)
        )
        victim.start()
        if way.with_rival and die_at:
            with contextlib.suppress(Problem):  # too late, or told that the database is busy
                way.act(self._runner, key, confirmation_id)
        victim.join(_WAIT)
        code = victim.exitcode
        victim.kill()
        victim.join()
        victim.close()
        return code


def _go(
    settings: Settings,
    number: int,
    key: str,
    confirmation_id: str,
    die_at: int,
    answer: Answer | None,
) -> None:
    """Go down a way, in a process of its own that may not come to its end."""
    opened = open_deployment(settings, make_app(settings))
    boundaries = Boundaries(die_at)
    boundaries.watch(opened.engine)
    with contextlib.suppress(Problem):  # a rival was first
        WAYS[number].act(Runner(opened, EVERYTHING), key, confirmation_id)
    opened.close()
    if answer is not None:
        answer.send(boundaries.names)
