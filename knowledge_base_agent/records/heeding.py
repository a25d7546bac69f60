"""`heed(app)`: a worker that starts reads for itself what is paused and revoked, before it takes its first message.

Whoever else tells it comes seconds later, and a queue of short tasks is drained in that time. Without the database a
worker starts as ever, says so in its log, and is told by the keeper.
"""

import weakref
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from celery.utils.log import get_logger
from celery.worker import state as worker_state

from knowledge_base_agent.problems import Problem

log = get_logger(__name__)


def heed(app: Celery, database_url: str, pause_task: Callable[[Any], None] | None = None) -> None:
    """Have the workers of this app leave paused queues alone and revoked tasks undone from their first moment.

    `pause_task` is given each task that is paused, once the worker knows its tasks and before it takes a message.
    """
    watched = weakref.ref(app)

    def arrive(sender: Any = None, instance: Any = None, **_: Any) -> None:
        if instance is None or instance.app is not watched():
            return  # signals are process-wide, and tests make many apps
        try:
            _arrive(instance, str(sender), database_url, pause_task)
        except Problem as problem:
            log.warning("what is paused and revoked is unknown here: %s", problem.what)

    signals.celeryd_after_setup.connect(arrive, weak=False, dispatch_uid=f"kb-heed-{id(app)}")
    weakref.finalize(app, signals.celeryd_after_setup.disconnect, dispatch_uid=f"kb-heed-{id(app)}")


def _arrive(
    worker: Any, name: str, database_url: str, pause_task: Callable[[Any], None] | None
) -> None:
    # Here, since only workers need SQL; and let go of before the pool forks.
    from knowledge_base_agent.records.database import open_engine, reading, writing
    from knowledge_base_agent.records.pauses import all_pauses, stopped_too
    from knowledge_base_agent.records.revoked_tasks import unsettled
    from knowledge_base_agent.records.task_pauses import all_task_pauses

    engine = open_engine(database_url)
    try:
        with reading(engine) as connection:
            paused = [pause.queue for pause in all_pauses(connection) if pause.lasts]
            revoked = [task.id for task in unsettled(connection)]
            tasks = [pause.task for pause in all_task_pauses(connection) if pause.lasts]
        queues = worker.app.amqp.queues
        left_alone = [queue for queue in paused if queue in queues.consume_from]
        if left_alone:
            # Written first: a resume must know whom to tell.
            with writing(engine) as connection:
                for queue in left_alone:
                    stopped_too(connection, queue, [name])
            queues.deselect(left_alone)
            log.warning("paused, and left alone: %s", ", ".join(left_alone))
        worker_state.revoked.update(revoked)
        for task in tasks:
            if pause_task is not None and task in worker.app.tasks:
                pause_task(worker.app.tasks[task])
    finally:
        engine.dispose()
