"""Row 10 on RabbitMQ, which can't rename a queue: what a purge costs there, with undo kept and without."""

import time
from collections.abc import Callable
from typing import Any

from celery import Celery

from bench.grounds import space, sqlite
from bench.measuring import Timing
from bench.rows import Outcome, Row, Scale, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.undo_messages import purge_undoably
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import settings_for
from tests.servers import rabbitmq_listens, rabbitmq_vhost
from tests.waiting import wait_until

_QUEUE = "celery"
_UNDOABLE, _FOR_GOOD, _PEER = "ours", "ours, --no-undo", "control.purge"


def _purge(deployment: Deployment, *, no_undo: bool) -> int:
    with acting(NOBODY, "op-1"):
        (emptied,) = purge_undoably(deployment, Deadline.after(600), [_QUEUE], no_undo=no_undo)
    assert emptied.problem is None, emptied.problem
    return emptied.removed or 0


def _fill(app: Celery, many: int) -> None:
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for number in range(many):
            app.send_task("shop.pay", (number, 2), producer=producer)
        # RabbitMQ takes them in a little later than they are sent.
        wait_until(lambda: _ready(connection) == many, what=f"{many} messages wait")


def _ready(connection: Any) -> int:
    with connection.channel() as channel:
        return int(channel.queue_declare(_QUEUE, passive=True).message_count)


def _timed(app: Celery, many: int, work: Callable[[], int]) -> float:
    _fill(app, many)
    started = time.perf_counter()
    gone = work()
    took = time.perf_counter() - started
    assert gone == many, f"{gone} of {many} messages were counted"
    return took


def _purged(scale: Scale) -> Outcome:
    if not rabbitmq_listens():
        return Outcome(figures=(), goals=(), skipped="RabbitMQ with rabbitmqctl is not there")
    many = scale.choose(10_000, 500)
    with (
        rabbitmq_vhost() as broker,
        space() as ground,
        sqlite() as url,
        tiny_app(broker, ground.result_url) as app,
    ):
        settings = settings_for(ground, url).model_copy(update={"broker_url": broker})
        deployment = open_deployment(settings, app)
        work: dict[str, Callable[[], int]] = {
            _UNDOABLE: lambda: _purge(deployment, no_undo=False),
            _FOR_GOOD: lambda: _purge(deployment, no_undo=True),
            _PEER: lambda: int(app.control.purge() or 0),
        }
        found: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(scale.choose(3, 1)):
            for name, one in work.items():
                found[name].append(_timed(app, many, one))
        deployment.close()
    return _outcome(many, {name: Timing(seconds=tuple(each)) for name, each in found.items()})


def _outcome(many: int, took: dict[str, Timing]) -> Outcome:
    rate = many / took[_UNDOABLE].median
    return Outcome(
        figures=tuple(
            milliseconds(f"{many:,} messages: {name}", each.median) for name, each in took.items()
        ),
        goals=(
            at_most(
                "of control.purge, with --no-undo",
                took[_FOR_GOOD].median / took[_PEER].median,
                3,
                smoke=20,
            ),
        ),
        notes=(
            (
                f"With undo kept each message is copied to a queue of the run before it is acknowledged: {rate:,.0f} a "
                "second here. `control.purge` keeps nothing, so there is no ratio to reach."
            ),
        ),
    )


AMQP_PURGE_ROW = Row(number=10, title="The same on RabbitMQ", run=_purged, needs=("RabbitMQ",))
