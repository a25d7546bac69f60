"""Twenty commands a second while Redis is frozen, and then while the database is: each is acknowledged within a second.

Measured by the local Slack, from the moment that it hands over a command until the acknowledgement.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator

from local_slack.shapes import Json
from tests.trust.bots import WHO, Workplace, workplace
from tests.trust.place import Place
from tests.trust.trial import Trial

LATE, LOST = "acknowledgements later than 1 s", "commands without an acknowledgement"
_A_SECOND = 20
_COMMANDS = (
    "help", "stats", "active", "stuck", "find --state FAILURE", "failures", "workers", "nonsense --x", "help clear",
    "alerts", "clear --older-than 24 --status FAILURE", "reserved", "purge", "doctor", "",
)  # fmt: skip
_PHASES = (
    ("with everything there", 0.1),
    ("with Redis frozen", 0.4),
    ("after Redis came back", 0.05),
    ("with the database frozen", 0.4),
    ("after the database came back", 0.05),
)


def run(trial: Trial, place: Place) -> None:
    """Type the commands, spread evenly over time, whatever becomes of them."""
    trial.never(LATE, LOST)
    if place.postgres_url is None:
        trial.left_out(
            "no PostgreSQL answers here: the database was a SQLite file with its lock held"
        )
    asyncio.run(_run(trial, place))


async def _run(trial: Trial, place: Place) -> None:
    async with workplace(place) as at:
        for name, share in _PHASES:
            with _phase(at, place, name):
                await _typed(trial, at, name, round(trial.count * share))


@contextlib.contextmanager
def _phase(at: Workplace, place: Place, name: str) -> Iterator[None]:
    if name == "with Redis frozen":
        at.freeze_redis()
        yield
        at.thaw_redis()
    elif name == "with the database frozen":
        with _frozen_database(at, place):
            yield
    else:
        yield


@contextlib.contextmanager
def _frozen_database(at: Workplace, place: Place) -> Iterator[None]:
    if at.database is not None:
        at.database.black_hole()
        yield
        at.database.heal()
        return
    path = place.sqlite_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


async def _typed(trial: Trial, at: Workplace, phase: str, commands: int) -> None:
    """Type so many commands, twenty a second, and wait for the last acknowledgement."""
    begun = time.monotonic()
    typing = []
    for number in range(commands):
        if trial.seconds_left <= 0:
            break
        await asyncio.sleep(max(0.0, begun + number / _A_SECOND - time.monotonic()))
        words = trial.random.choice(_COMMANDS)
        who = WHO[number % len(WHO)]
        typing.append(asyncio.create_task(_one(trial, at, phase, who, words)))
    await asyncio.gather(*typing)


async def _one(trial: Trial, at: Workplace, phase: str, who: str, words: str) -> None:
    text = f"/kb {words}"
    answer: Json = await at.slack.do("command", user=who, channel="#ops", text=text)
    milliseconds = answer.get("acked_in_ms")
    if milliseconds is None or not answer.get("delivered"):
        trial.saw(LOST, f"{text} {phase}: {answer}")
    else:
        trial.took(f"acknowledgement {phase}", milliseconds / 1000)
        if milliseconds > 1000:
            trial.saw(LATE, f"{text} {phase}: {milliseconds:.0f} ms")
    trial.did(phase)
