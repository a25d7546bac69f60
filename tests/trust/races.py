"""Eight processes take the same confirmation at the same moment, again and again; in some rounds one cancels it.

Judged by the ledger in Valkey, by the rows of runs, and by the audit: of eight, one runs it or one cancels it, and the
other seven are told and recorded as too late.
"""

import contextlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Problem, TooLate
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, RUNS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.trust.deeds import DEEDS, OLGA, OTTO, STEPS, asked
from tests.trust.place import Place
from tests.trust.trial import Trial

if TYPE_CHECKING:
    Racer = multiprocessing.connection.Connection[Any, Any]
else:
    Racer = Any
PROCESSES = 8
PRELOAD = ["pytest", "tests.trust.races"]
"""Imported once, in the process from which the racers are forked."""
TWICE, NOT_ONCE, UNRECORDED = "double executions", "rounds without one winner", "entries missing"
RAN, CANCELLED, TOO_LATE = "ran it", "cancelled it", "too late"
_AT_ONCE = 200
_CANCELS_EVERY = 5
_WAIT = 120.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """One confirmation that all take; `cancelled_by` is the number of the process that cancels instead, or -1."""

    confirmation_id: str
    key: str
    cancelled_by: int


def run(trial: Trial, place: Place) -> None:
    """Race on each database, half of the count each."""
    trial.never(TWICE, NOT_ONCE, UNRECORDED)
    if place.postgres_url is None:
        trial.left_out("PostgreSQL: none answers here")
    for index, (name, url) in enumerate(place.databases.items(), start=1):
        settings = place.settings(url)
        outcomes: Counter[str] = Counter()
        with contextlib.closing(open_deployment(settings)) as opened:
            with _racers(settings) as racers:
                while trial.goes_on(up_to=index / len(place.databases)):
                    left = -(-trial.count * index // len(place.databases)) - trial.reached
                    rounds = _prepared(trial, opened, f"ledger:{index}", left)
                    raced = _raced(racers, rounds)
                    for one, seen in zip(rounds, raced, strict=True):
                        _judge(trial, opened, one, seen, name)
                        outcomes.update(seen)
            _judge_records(trial, opened, outcomes, name)


def _prepared(trial: Trial, opened: Deployment, ledger: str, left: int) -> list[Round]:
    runner = Runner(opened, DEEDS)
    rounds = []
    for number in range(min(_AT_ONCE, left)):
        key = f"{ledger}:{trial.reached + number}"
        pending = runner.ask(asked(key))
        assert isinstance(pending, Pending)
        cancels = trial.random.randrange(PROCESSES) if number % _CANCELS_EVERY == 0 else -1
        rounds.append(Round(confirmation_id=pending.confirmation_id, key=key, cancelled_by=cancels))
    return rounds


@contextlib.contextmanager
def _racers(settings: Settings) -> Iterator[list[Racer]]:
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload(PRELOAD)
    together = warm.Barrier(PROCESSES)
    pipes = [warm.Pipe() for _ in range(PROCESSES)]
    processes = [
        warm.Process(target=_racer, args=(number, settings, theirs, together), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    try:
        for process in processes:
            process.start()
        yield [ours for ours, _ in pipes]
        for ours, _ in pipes:
            ours.send(None)
        for process in processes:
            process.join(_WAIT)
    finally:
        for process, (ours, theirs) in zip(processes, pipes, strict=True):
            process.kill()
            process.join()
            process.close()
            ours.close()
            theirs.close()


def _racer(number: int, settings: Settings, orders: Racer, together: Barrier) -> None:
    with contextlib.closing(open_deployment(settings)) as opened:
        runner = Runner(opened, DEEDS)
        while (rounds := orders.recv()) is not None:
            orders.send([_take(runner, one, number, together) for one in rounds])


def _take(runner: Runner, one: Round, number: int, together: Barrier) -> str:
    actor = OTTO if number % 2 else OLGA
    together.wait(_WAIT)
    try:
        if number == one.cancelled_by:
            runner.cancel(one.confirmation_id, actor)
            return CANCELLED
        runner.execute(runner.confirm(one.confirmation_id, actor))
    except TooLate:
        return TOO_LATE
    except Problem as problem:
        return str(problem)
    return RAN


def _raced(racers: list[Racer], rounds: list[Round]) -> list[tuple[str, ...]]:
    """Return what came of each round, for each process."""
    for racer in racers:
        racer.send(rounds)
    each: list[list[str]] = [racer.recv() for racer in racers]
    return list(zip(*each, strict=True))


def _judge(trial: Trial, opened: Deployment, one: Round, seen: tuple[str, ...], name: str) -> None:
    marks = int(opened.progress_redis.llen(one.key))
    how = f"{name}, {one.key}: {marks} marks, {', '.join(seen)}"
    if seen.count(RAN) > 1 or marks > STEPS:
        trial.saw(TWICE, how)
    if seen.count(RAN) + seen.count(CANCELLED) != 1 or marks != STEPS * seen.count(RAN):
        trial.saw(NOT_ONCE, how)
    trial.did(f"rounds on {name}")
    trial.also("rounds that one of them cancelled", seen.count(CANCELLED))


def _judge_records(trial: Trial, opened: Deployment, outcomes: Counter[str], name: str) -> None:
    """Compare what happened with what was recorded, once every process has written what it had to write."""
    with reading(opened.engine) as connection:
        runs = connection.execute(select(func.count()).select_from(RUNS)).scalar_one()
        kinds = connection.execute(select(AUDIT.c.kind, func.count()).group_by(AUDIT.c.kind))
        written = {str(kind): int(number) for kind, number in kinds}
    pairs = {
        "runs": (runs, outcomes[RAN]),
        "started": (written.get("started", 0), outcomes[RAN]),
        "ended": (written.get("ended", 0), outcomes[RAN]),
        "cancelled": (written.get("cancelled", 0), outcomes[CANCELLED]),
        "too late": (written.get("too late", 0), outcomes[TOO_LATE]),
    }
    for what, (found, happened) in pairs.items():
        if found != happened:
            trial.saw(UNRECORDED, f"{name}: {found} of {what} recorded, {happened} happened")
