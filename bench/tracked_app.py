"""A Celery app whose one task does nothing, tracked where `BENCH_HISTORY` names a Redis: what workers of row 7 load."""

import os

from celery import Celery

from knowledge_base_agent.records.tracking import track

app = Celery("nothing", broker=os.environ.get("BENCH_BROKER"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="nothing.done")
def done() -> None:
    """Do nothing, so that all else is what a task costs."""


if "BENCH_HISTORY" in os.environ:
    track(app, os.environ["BENCH_HISTORY"])
