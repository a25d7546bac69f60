"""Lets the workers of an app know our own control commands: the app that is looked after imports this.

Its clients import the app too, and need none of what runs inside a worker: that is loaded when one is made. Where
Celery's own commands are there already, as in `celery worker`, it is loaded at once.
"""

import sys
from typing import Any

from celery.signals import worker_init


def _learn(**_: object) -> None:
    from knowledge_base_agent.fleet import worker_answers  # noqa: F401 - imported for what it registers


def _enrol(sender: Any, **_: object) -> None:
    # Now is the time: it makes its steps from what its app has next.
    from kombu.pidbox import Node

    from knowledge_base_agent.fleet.enrolling import Enrolment
    from knowledge_base_agent.fleet.replying import AnsweringNode

    sender.app.steps["consumer"].add(Enrolment)
    mailbox = sender.app.control.mailbox
    if mailbox.node_cls is Node:  # an app's own stays
        mailbox.node_cls = AnsweringNode


worker_init.connect(_learn, weak=False)
worker_init.connect(_enrol, weak=False)
if "celery.worker.control" in sys.modules:
    _learn()
