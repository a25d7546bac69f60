"""Two hundred commands at once that all ask the workers: each is answered, and the bot answers on.

Celery's own inspection hangs for ever when ten calls share its pool of connections; here a worker is there to be asked.
"""

import asyncio
import time

from tests.trust.bots import WHO, Workplace, started, workplace
from tests.trust.place import Place
from tests.trust.trial import Trial
from tests.waiting import await_until

HUNG = "commands that were not answered"
_AT_ONCE = 200
_WITHIN = 30.0
_COMMANDS = ("active", "reserved", "scheduled", "workers", "stats", "stuck")
_WORKER = (
    "celery",
    "-A",
    "tests.records.history_app",
    "worker",
    "--concurrency",
    "1",
    "--without-mingle",
)


def run(trial: Trial, place: Place) -> None:
    """Ask until the count is reached."""
    trial.never(HUNG)
    asyncio.run(_run(trial, place))


async def _run(trial: Trial, place: Place) -> None:
    async with workplace(place) as at:
        with started(at, *_WORKER):
            await _worker_answers(at)
            while trial.goes_on():
                await _round(trial, at, min(_AT_ONCE, trial.count - trial.reached))


async def _worker_answers(at: Workplace) -> None:
    vera = at.slack.person("vera")

    async def there() -> bool:
        await vera.types("/kb workers", in_="#ops")
        answer = await vera.sees("worker", within=10)
        return "celery@" in answer.shown

    await await_until(there, within=60, what="the worker is seen")


async def _round(trial: Trial, at: Workplace, number: int) -> None:
    before = await _answers(at)
    begun = time.monotonic()
    words = [trial.random.choice(_COMMANDS) for _ in range(number)]
    await asyncio.gather(
        *(
            at.slack.do("command", user=WHO[index % len(WHO)], channel="#ops", text=f"/kb {word}")
            for index, word in enumerate(words)
        )
    )
    answered = 0
    while time.monotonic() - begun < _WITHIN and answered < number:
        await asyncio.sleep(0.1)  # between two looks at what came, as a person looks
        answered = await _answers(at) - before
    trial.took(f"until the last answer of {number}", time.monotonic() - begun)
    for _ in range(number - answered):
        trial.saw(HUNG, f"{answered} of {number} answers after {_WITHIN:g} s; see {at.log}")
    trial.did(times=number)


async def _answers(at: Workplace) -> int:
    """Return how many messages there are that at least one of those who ask can see."""
    seen: set[str] = set()
    for who in WHO:
        seen |= {message.ts for message in await at.slack.person(who).looks(in_="#ops")}
    return len(seen)
