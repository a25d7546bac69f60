"""Rows 1 and 2 on RabbitMQ, which tells nobody how many workers a question reaches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from bench.grounds import space
from bench.looking import (
    FLOWERS_NOTE,
    SIMULATED,
    SIXTEEN,
    Place,
    compared,
    frozen,
    measured,
    simulated,
)
from bench.raw_question_amqp import AmqpQuestion
from bench.responder_amqp import amqp_responder
from bench.rows import Figure, Goal, Outcome, Row, Scale, milliseconds
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.worker_words import LOOK
from knowledge_base_agent.operations.headcount import LOOK_SECONDS
from tests.servers import rabbitmq_listens, rabbitmq_vhost

_ABSENT = Outcome(figures=(), goals=(), skipped="RabbitMQ with rabbitmqctl is not there")

_FEW = 4
_FIRST = "ours, the first question of a process"
_NOTE = (
    "RabbitMQ tells nobody how many workers a question reaches; the raw broadcast is told it here. Ours ends when all "
    "have answered whom it counts: workers that load our commands consume from a queue of their own, where the broker "
    "counts them. With others among them it ends 0.2 s after the last reply. The first question of a process waits for "
    "its whole deadline, to hear who else is there."
)


@contextmanager
def _rabbitmq() -> Iterator[Place]:
    with space() as ground, rabbitmq_vhost() as broker:
        yield Place(
            addresses=replace(ground, broker_url=broker),
            raw=partial(AmqpQuestion, broker, LOOK),
            simulated=partial(amqp_responder, broker),
            complete=None,
            rounds=150,
        )


def _first(place: Place) -> None:
    """Ask as a process does that has not heard anybody yet."""
    with place.fleet() as fleet:
        assert fleet.workers.look(Deadline.after(LOOK_SECONDS), fresh=True).answered


def _well(scale: Scale) -> Outcome:
    if not rabbitmq_listens():
        return _ABSENT
    figures: list[Figure] = []
    goals: list[Goal] = []
    with _rabbitmq() as place:
        for count in (_FEW, SIMULATED) if scale.smoke else (1, _FEW, SIXTEEN, 64, SIMULATED):
            seldom = {_FIRST: lambda: _first(place)} if count == _FEW else None
            alone = count == SIMULATED
            found = simulated(place, scale) if alone else measured(place, count, scale, seldom)
            more = compared(count, found, smoke=15)
            figures += more[0]
            goals += more[1]
            if seldom:
                figures.append(milliseconds(f"{count} workers: {_FIRST}", found[_FIRST].median))
    return Outcome(figures=tuple(figures), goals=tuple(goals), notes=(FLOWERS_NOTE, _NOTE))


def _frozen(scale: Scale) -> Outcome:
    if not rabbitmq_listens():
        return _ABSENT
    with _rabbitmq() as place:
        return frozen(place, scale.choose(SIXTEEN, 4))


_TITLE = "The same on RabbitMQ"
AMQP_LOOKING = Row(number=1, title=_TITLE, run=_well, needs=("RabbitMQ",))
AMQP_FROZEN = Row(number=2, title=_TITLE, run=_frozen, needs=("RabbitMQ",))
