"""The ways down the road on which a process is killed: what is prepared, what it does, and how its effects are seen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.requests import Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.understand import understand
from tests.trust.deeds import DEEDS, OTTO, STEPS, asked

EVERYTHING = (*OPERATIONS, *DEEDS)
_ROWS = 3


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way. Each use of it has a key of its own, by which its effects and its records are found."""

    name: str
    words: Callable[[str], str]
    """What was asked for, as the records have it."""
    prepare: Callable[[Deployment, str], str]
    """Makes what must be there before, and returns the confirmation's id, or an empty text."""
    act: Callable[[Runner, str, str], None]
    """What the process does that is killed: by the runner, with the key and the confirmation."""
    effects: Callable[[Deployment, str], list[str]]
    whole: int = STEPS
    """How many effects it has when it comes to its end."""
    with_rival: bool = False
    """Another process goes for the same confirmation at the same moment."""


def age_runs(opened: Deployment) -> None:
    """Let a minute pass for every run that has started: its process no longer says that it lives."""
    long_ago = utc_now() - timedelta(minutes=1)
    with writing(opened.engine) as connection:
        connection.execute(update(RUNS).where(RUNS.c.state == "started").values(beat_at=long_ago))


def _deed_words(key: str) -> str:
    return f"deed {key}"


def _previewed(opened: Deployment, key: str) -> str:
    return _confirmation(Runner(opened, EVERYTHING), asked(key))


def _confirmation(runner: Runner, request: Request) -> str:
    pending = runner.ask(request)
    assert isinstance(pending, Pending)
    return pending.confirmation_id


def _confirm(runner: Runner, key: str, confirmation_id: str) -> None:
    runner.execute(runner.confirm(confirmation_id, OTTO))


def _cancel(runner: Runner, key: str, confirmation_id: str) -> None:
    runner.cancel(confirmation_id, OTTO)


def _marks(opened: Deployment, key: str) -> list[str]:
    return [str(mark) for mark in opened.progress_redis.lrange(key, 0, -1)]


def _left_behind(opened: Deployment, key: str) -> str:
    runner = Runner(opened, EVERYTHING)
    confirmation_id = _confirmation(runner, asked(key))
    runner.confirm(confirmation_id, OTTO)
    age_runs(opened)
    return confirmation_id


def _declare(runner: Runner, key: str, confirmation_id: str) -> None:
    runner.declare_interrupted()


def _clear_words(key: str) -> str:
    return f"clear --older-than 24 --status FAILURE --name {key}"


def rows_to_clear(opened: Deployment, key: str) -> None:
    """Put rows into the history that a `clear` of this key removes."""
    at = utc_now() - timedelta(days=2)
    shared = {"name": key, "state": "FAILURE", "attempt": 1, "retries": 0, "updated_at": at}
    rows = [shared | {"id": f"{key}-{number}"} for number in range(_ROWS)]
    with writing(opened.engine) as connection:
        connection.execute(insert(TASKS), rows)


def _previewed_clear(opened: Deployment, key: str) -> str:
    rows_to_clear(opened, key)
    understood = understand(_clear_words(key))
    request = Request(
        actor=OTTO,
        operation=understood.operation,
        arguments=understood.arguments,
        words=understood.words,
    )
    return _confirmation(Runner(opened, EVERYTHING), request)


def _cleared(opened: Deployment, key: str) -> list[str]:
    with reading(opened.engine) as connection:
        left = connection.execute(select(TASKS.c.id).where(TASKS.c.name == key)).scalars().all()
    return [one for one in (f"{key}-{number}" for number in range(_ROWS)) if one not in left]


DEED = Way(
    name="a confirmed deed", words=_deed_words, prepare=_previewed, act=_confirm, effects=_marks
)
WITH_A_RIVAL = Way(
    name="a deed that another bot confirms too",
    words=_deed_words,
    prepare=_previewed,
    act=_confirm,
    effects=_marks,
    with_rival=True,
)
AT_ONCE = Way(
    name="a change without a confirmation",
    words=lambda key: f"mark {key}",
    prepare=lambda opened, key: "",
    act=lambda runner, key, _: void(runner.ask(asked(key, change=True))),
    effects=_marks,
)
CLEAR = Way(
    name="clear",
    words=_clear_words,
    prepare=_previewed_clear,
    act=_confirm,
    effects=_cleared,
    whole=_ROWS,
)
CANCEL = Way(
    name="a cancelled deed", words=_deed_words, prepare=_previewed, act=_cancel, effects=_marks
)
DECLARE = Way(
    name="the announcement of an interrupted run",
    words=_deed_words,
    prepare=_left_behind,
    act=_declare,
    effects=_marks,
)
WAYS = (DEED, WITH_A_RIVAL, AT_ONCE, CLEAR, CANCEL, DECLARE)


def void(_: object) -> None:
    """Leave out what is returned."""
