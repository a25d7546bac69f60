"""Many who ask the same at once get one answer: it holds one thread, and each is admitted and recorded on their own."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from bot import answers as module
from bot.answers import Answers
from bot.threads import Threads
from knowledge_base_agent.actors import Actor, Standing
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations.help import HELP
from knowledge_base_agent.operations.operation import Arguments, Operation, Progress, Risk, Target
from knowledge_base_agent.problems import Away, Refused
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.bot.at_work import recorded
from tests.road.conftest import ADA, OLGA, OTTO, VERA
from tests.waiting import await_until

STRANGER = Actor(
    id="USTRANGE",
    name="Sam",
    surface=OTTO.surface,
    standing=Standing(known=True, why_not="a guest"),
)


class RawArguments(Arguments):
    """Of those who want to see what is hidden otherwise."""

    @property
    def wants_raw(self) -> bool:
        return True


class Oracle:
    """Something to be asked that answers when it is let: how often it was asked, and what of."""

    def __init__(self, deployment: Deployment) -> None:
        self.asked = 0
        self.away = False
        self.speaks = threading.Event()
        self.threads = Threads(4, "test")
        self.answers = Answers(Runner(deployment), self.threads)

    def request(self, actor: Actor, arguments: Arguments | None = None) -> Request:
        """Return the request of somebody who asks it."""
        given = Arguments() if arguments is None else arguments
        operation = Operation[Arguments, Target](
            name="oracle", summary="Tells.", risk=Risk.READ, arguments=type(given), answer=self._say
        )
        return Request(actor=actor, operation=operation, arguments=given, words="oracle")

    def _say(self, deployment: Deployment, arguments: Arguments, progress: Progress) -> Report:
        self.asked += 1
        said = f"answer {self.asked}"
        self.speaks.wait(20)
        if self.away:
            raise Away("The oracle is silent.", "Wait.", source="the oracle")
        return Report(title="Oracle", text=said)

    async def begun(self, times: int) -> None:
        """Return when it has been asked so often."""
        await await_until(lambda: self.asked == times, what=f"it is asked {times} times")


@pytest.fixture
async def oracle(sqlite_url: str) -> AsyncIterator[Oracle]:
    """An oracle in a deployment of which everybody is a viewer."""
    settings = Settings(database_url=sqlite_url, raw_readers=(OTTO.id, ADA.id))
    with make_app(settings) as app, contextlib.closing(open_deployment(settings, app)) as opened:
        found = Oracle(opened)
        yield found
        found.speaks.set()
        await await_until(lambda: found.threads.busy == 0, what="all threads are free")


@pytest.fixture
def deployment(oracle: Oracle) -> Deployment:
    """What the oracle is asked in."""
    return vars(vars(oracle.answers)["_runner"])["_deployment"]  # type: ignore[no-any-return]


def asking(oracle: Oracle, *actors: Actor) -> list["asyncio.Task[Report]"]:
    """Let these people ask."""
    return [asyncio.create_task(oracle.answers.of(oracle.request(one), 20)) for one in actors]


async def test_two_hundred_who_ask_the_same_hold_one_thread_and_each_is_answered_and_recorded(
    oracle: Oracle, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "JOINED_SECONDS", 60)  # two hundred may take a while to ask
    people = [replace(OTTO, id=f"U{number}") for number in range(200)]
    waiting = asking(oracle, *people)
    await oracle.begun(1)
    assert oracle.threads.busy == 1
    other = Request(actor=OTTO, operation=HELP, arguments=HELP.arguments(), words="help")
    assert (await oracle.answers.of(other, 20)).title == "What you can ask"
    oracle.speaks.set()
    assert {report.text for report in await asyncio.gather(*waiting)} == {"answer 1"}

    def told() -> Counter[tuple[str, str]]:
        rows = [
            (kind, who) for kind, operation, who, _ in recorded(deployment) if operation == "oracle"
        ]
        return Counter(rows)

    wanted = Counter({(kind, one.id): 1 for kind in ("requested", "answered") for one in people})
    await await_until(lambda: told() == wanted, what="each is in the audit")


async def test_who_may_not_look_is_refused_though_others_are_being_answered(
    oracle: Oracle, deployment: Deployment
) -> None:
    (waiting,) = asking(oracle, OTTO)
    await oracle.begun(1)
    with pytest.raises(Refused):
        await oracle.answers.of(oracle.request(STRANGER), 20)
    oracle.speaks.set()
    assert (await waiting).text == "answer 1"
    await await_until(
        lambda: [row[0] for row in recorded(deployment) if row[2] == STRANGER.id] == ["refused"],
        what="that is in the audit",
    )


async def test_what_went_wrong_is_told_and_recorded_for_each_who_asked(
    oracle: Oracle, deployment: Deployment
) -> None:
    oracle.away = True
    waiting = asking(oracle, OTTO, OLGA, VERA)
    await oracle.begun(1)
    oracle.speaks.set()
    for told in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(told, Away)
        assert told.what.startswith("The oracle is silent.")
    await await_until(
        lambda: sum("The oracle is silent." in detail for *_, detail in recorded(deployment)) == 3,
        what="all three are in the audit",
    )
    assert oracle.asked == 1


async def test_who_asks_later_or_after_a_change_or_for_what_is_hidden_is_answered_afresh(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asking(oracle, OTTO)
    await oracle.begun(1)
    oracle.answers.forget()
    waiting += asking(oracle, OLGA)
    await oracle.begun(2)
    waiting += [
        asyncio.create_task(oracle.answers.of(oracle.request(who, RawArguments()), 20))
        for who in (OTTO, ADA)
    ]
    await oracle.begun(4)
    oracle.speaks.set()
    found = [report.text for report in await asyncio.gather(*waiting)]
    assert len(set(found)) == 4
    monkeypatch.setattr(module, "JOINED_SECONDS", -1.0)
    late = await asyncio.gather(*asking(oracle, OTTO, OLGA))
    assert {report.text for report in late} == {"answer 5", "answer 6"}


async def test_a_crowd_who_ask_one_after_another_are_told_what_was_read_a_moment_ago(
    oracle: Oracle, deployment: Deployment
) -> None:
    oracle.speaks.set()
    found = [(await oracle.answers.of(oracle.request(OTTO), 20)).text for _ in range(10)]
    assert found == ["answer 1", "answer 2", *["answer 3"] * 8]
    await await_until(
        lambda: [row[0] for row in recorded(deployment)].count("answered") == 10,
        what="each is in the audit",
    )
    oracle.answers.forget()
    assert (await oracle.answers.of(oracle.request(OTTO), 20)).text == "answer 4"


async def test_what_a_crowd_was_told_is_not_told_for_longer_than_a_moment(oracle: Oracle) -> None:
    oracle.speaks.set()
    told: list[str] = []

    async def read_five_times() -> bool:
        told.append((await oracle.answers.of(oracle.request(OTTO), 20)).text)
        return oracle.asked >= 5

    await await_until(read_five_times, what="it is read again, and once more")
    assert len(told) > oracle.asked
    await await_until(lambda: not vars(oracle.answers)["_ways"], what="nothing is kept")


async def test_who_has_less_time_than_the_one_who_asked_before_does_not_wait_for_their_answer(
    oracle: Oracle,
) -> None:
    (waiting,) = asking(oracle, OTTO)
    await oracle.begun(1)
    with pytest.raises(Away, match=r"no answer within 0\.05 s"):
        await oracle.answers.of(oracle.request(OLGA), 0.05)
    assert oracle.asked == 2
    oracle.speaks.set()
    assert (await waiting).text == "answer 1"


async def test_who_asked_along_gets_the_answer_though_the_first_has_gone(oracle: Oracle) -> None:
    first, second = asking(oracle, OTTO, OLGA)
    await oracle.begun(1)
    first.cancel()
    oracle.speaks.set()
    assert (await second).text == "answer 1"
    assert oracle.asked == 1
