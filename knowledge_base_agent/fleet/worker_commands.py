"""Lets the workers of an app know our own control commands: the app that is looked after imports this.

Its clients import the app too, and need none of what runs inside a worker: that is loaded when one is made. Where
Celery's own commands are there already, as in `celery worker`, it is loaded at once.
"""

import sys

from celery.signals import worker_init


def _learn(**_: object) -> None:
    from knowledge_base_agent.fleet import worker_answers  # noqa: F401 - imported for what it registers


worker_init.connect(_learn, weak=False)
if "celery.worker.control" in sys.modules:
    _learn()
